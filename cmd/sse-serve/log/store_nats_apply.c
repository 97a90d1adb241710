/* SPDX-License-Identifier: MIT */
/* Applying the commands of a shared log to this node's copy; see store_nats.c. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/logger.h"
#include "store_nats_internal.h"
#include "store_sqlite_copy.h"

static void empty(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		command_free(&batch->commands[i]);
		free(batch->messages[i]);
	}
	batch->count = batch->total = batch->events = 0;
}

void store_nats_forget(struct nats_store *nats)
{
	empty(&nats->batch);
	free(nats->batch.groups);
	nats->batch.groups = NULL;
	nats->batch.room = 0;
	free(nats->held);
	nats->held = NULL;
}

static bool is_own(const struct nats_store *nats, const struct command *command)
{
	return nats->own != NULL && command->id.len == strlen(nats->own->id) &&
	       memcmp(command->id.data, nats->own->id, command->id.len) == 0;
}

/* The publisher's group is stored, or refused, as the one of the command is. */
static void take_result(struct store_group *group, const struct store_group *result)
{
	group->conflict = result->conflict;
	group->closed = result->closed;
	group->conflicted = result->conflicted;
	group->unmet = result->unmet;
	group->newest = result->newest;
	group->stored = true;
	for (size_t i = 0; i < group->count; i++) {
		struct store_append *append = &group->appends[i];

		append->duplicate = result->appends[i].duplicate;
		append->event.position = result->appends[i].event.position;
		append->event.time = result->appends[i].event.time;
		append->event.topic = result->appends[i].event.topic;
	}
}

static void take_results(struct nats_store *nats)
{
	struct batch *batch = &nats->batch;

	for (size_t i = 0; i < batch->count; i++) {
		const struct command *command = &batch->commands[i];

		if (!is_own(nats, command) || command->count != nats->own->count)
			continue;
		for (size_t j = 0; j < command->count; j++)
			take_result(nats->own->groups[j], &command->groups[j]);
		nats->own->applied = true;
	}
}

static int gather(struct batch *batch)
{
	size_t next = 0;

	if (batch->total > batch->room) {
		struct store_group **grown = realloc(batch->groups, batch->total * sizeof(*grown));

		if (grown == NULL)
			return -1;
		batch->groups = grown;
		batch->room = batch->total;
	}
	for (size_t i = 0; i < batch->count; i++) {
		for (size_t j = 0; j < batch->commands[i].count; j++)
			batch->groups[next++] = &batch->commands[i].groups[j];
	}
	return 0;
}

static void show(struct nats_store *nats)
{
	nats->store.head = nats->copy->head;
	if (nats->store.show != NULL)
		nats->store.show(nats->store.deliver_context);
}

/* Apply the batch, in one transaction. */
static int flush(struct nats_store *nats, struct error *error)
{
	struct batch *batch = &nats->batch;
	struct sqlite_copy *state = store_sqlite_copy_state(nats->copy);
	struct sqlite_copy before = *state;

	if (batch->count == 0)
		return 0;
	if (gather(batch) != 0)
		return error_set(error, EX_OSERR, "out of memory for the log");
	state->sequence = batch->sequence;
	state->time = batch->time;
	if (batch->total > 0 &&
		nats->copy->ops->append(nats->copy, batch->groups, batch->total, error) != 0) {
		*state = before;
		return -1;
	}
	take_results(nats);
	empty(batch);
	show(nats);
	return 0;
}

/* The clock of the log never goes back, whoever leads NATS. */
static int64_t time_of(const struct nats_store *nats, const struct jetstream_message *message)
{
	const struct batch *batch = &nats->batch;
	int64_t time = batch->count > 0 ? batch->time : store_sqlite_copy_state(nats->copy)->time;

	return message->time > time ? message->time : time;
}

/* Other nodes, and this one if it is its own. */
static int erase(struct nats_store *nats, const struct command *command,
	const struct jetstream_message *message, struct error *error)
{
	struct sqlite_copy *state = store_sqlite_copy_state(nats->copy), before = *state;
	struct store_deletion deletion = {.topic = topics_find(nats->store.topics, command->topic),
		.after = command->after,
		.upto = command->upto};

	/* Then none of its events was ever stored, here as elsewhere. */
	if (deletion.topic == NULL || topic_row(deletion.topic) == 0)
		return 0;
	if (deletion.upto > nats->copy->head)
		deletion.upto = nats->copy->head;
	if (deletion.after >= deletion.upto)
		return 0;
	state->time = time_of(nats, message);
	state->sequence = message->sequence;
	if (store_sqlite_copy_erase(nats->copy, &deletion, error) != 0) {
		*state = before;
		return -1;
	}
	nats->store.head = nats->copy->head;
	if (is_own(nats, command) && nats->own->deletion != NULL) {
		struct store_deletion *own = nats->own->deletion;

		own->after = command->upto;
		if (deletion.newest != 0) {
			own->newest = deletion.newest;
			own->erased = deletion.erased;
		}
	} else if (nats->store.erased != NULL) {
		deletion.after = command->after;
		nats->store.erased(nats->store.deliver_context, &deletion);
	}
	return 0;
}

/* What is passed on is not in the log: if it cannot be shown, it is lost. */
static void take_passed(struct nats_store *nats, const struct jetstream_message *message)
{
	struct command command;

	if (command_read(&command, message->data, message->len, NULL) == 0 &&
		command.kind == COMMAND_APPEND) {
		for (size_t i = 0; i < command.count; i++) {
			struct store_group *group = &command.groups[i];
			bool ephemeral = true;

			for (size_t j = 0; j < group->count; j++)
				ephemeral = ephemeral && group->appends[j].event.ephemeral;
			if (ephemeral)
				nats->copy->ops->append(nats->copy, &group, 1, NULL);
		}
		show(nats);
	}
	command_free(&command);
}

/*
 * Did the node that sent the command take the same messages as this one?  If not, NATS gave them different
 * ones, and from there on they count differently.
 */
static void compare_trails(
	struct nats_store *nats, const struct command *command, uint64_t sequence)
{
	char id[64];
	uint64_t taken;
	uint32_t theirs, ours;

	if (nats->differs || command->id.len >= sizeof(id))
		return;
	snprintf(id, sizeof(id), "%.*s", (int)command->id.len, command->id.data);
	if (sscanf(id, "%*[0-9a-f]-%*[0-9a-f]-%" SCNx64 "-%" SCNx32, &taken, &theirs) != 2 ||
		!trail_hash(&nats->trail, taken, &ours) || ours == theirs)
		return;
	nats->differs = true;
	logger_write(LOGGER_ERROR,
		"the node that sent message %" PRIu64
		" was given other messages by NATS than this node, shortly before message %" PRIu64
		": the replicas in NATS are not equal, and the nodes may give the same id to different "
		"events; find the replica that differs, and replace it",
		sequence, taken);
}

/* Add the message's command to the batch, or apply it.  It is not needed any more after 0. */
static int take_command(
	struct nats_store *nats, struct jetstream_message *message, bool *kept, struct error *error)
{
	struct batch *batch = &nats->batch;
	struct command *command = &batch->commands[batch->count];
	struct error fault = {0};
	int result = 0;

	if (command_read(command, message->data, message->len, &fault) != 0) {
		command_free(command);
		if (fault.status != EX_DATAERR)
			return error_set(error, fault.status, "%s", fault.text);
		/* All nodes leave it out. */
		logger_write(LOGGER_WARNING, "message %llu of the stream in NATS is left out: %s",
			(unsigned long long)message->sequence, fault.text);
		return 0;
	}
	/* Who began with the snapshot does not get here. */
	if (command->kind == COMMAND_IMPORT)
		return error_set(error, EX_UNAVAILABLE,
			"the log in NATS is being imported: start this node again when that is done");
	compare_trails(nats, command, message->sequence);
	if (command->kind == COMMAND_APPEND) {
		batch->time = time_of(nats, message);
		for (size_t i = 0; i < command->count; i++)
			command->groups[i].time = batch->time;
		batch->sequence = message->sequence;
		batch->total += command->count;
		batch->events += command->total;
		batch->messages[batch->count++] = message;
		*kept = true;
		return 0;
	}
	result = flush(nats, error);
	if (result == 0)
		result = erase(nats, command, message, error);
	if (result == 0 && is_own(nats, command))
		nats->own->applied = true;
	command_free(command);
	return result;
}

static int take(struct nats_store *nats, struct error *error)
{
	struct jetstream_message *message = nats->held;
	bool kept = false;

	nats->held = NULL;
	if (message->sequence == 0) {
		if (flush(nats, error) != 0)
			goto hold;
		take_passed(nats, message);
	} else if (take_command(nats, message, &kept, error) != 0) {
		goto hold;
	}
	if (message->sequence != 0) {
		nats->taken = message->sequence;
		trail_add(&nats->trail, message->sequence, message->time, message->data,
			message->len);
	}
	if (!kept)
		free(message);
	return 0;

hold:
	nats->held = message;
	return -1;
}

int store_nats_apply(struct nats_store *nats, struct error *error)
{
	struct batch *batch = &nats->batch;

	for (;;) {
		if (batch->count == BATCH_COMMANDS || batch->events >= BATCH_EVENTS) {
			if (flush(nats, error) != 0)
				return -1;
		}
		if (nats->held == NULL)
			nats->held = jetstream_take(nats->jetstream);
		if (nats->held == NULL)
			return flush(nats, error);
		if (take(nats, error) != 0)
			return -1;
	}
}
