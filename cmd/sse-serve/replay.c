/* SPDX-License-Identifier: MIT */
/* Chunks of the log; see replay.h.  All but replay_new() and replay_free() is the replay thread's.
 */
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "replay.h"

/* A chunk is about this much, or one event if that is larger. */
#define CHUNK_BYTES ((size_t)256 << 10)
#define CHUNK_FRAMES 1024

static bool add_frame(
	struct replay *replay, const struct sse_frame *frame, uint64_t position, bool event)
{
	size_t len = sse_frame_size(frame);
	char *room;

	if (replay->count == CHUNK_FRAMES ||
		(replay->count > 0 && replay->frames.len + len > CHUNK_BYTES))
		return false;
	room = buf_reserve(&replay->frames, len);
	if (room == NULL) {
		replay->failed = true;
		return false;
	}
	sse_frame_write(frame, room);
	replay->frames.len += len;
	replay->marks[replay->count++] = (struct replay_mark){replay->frames.len, position, event};
	return true;
}

/* The gap event: what is gone, and from where it goes on.  Section "What it promises", 2. */
static bool add_gap(struct replay *replay, const char *after, const char *reason, uint64_t position,
	const struct event *oldest)
{
	const struct identity *identity = &replay->server->store->identity;
	char id[IDENTITY_TEXT], oldest_id[IDENTITY_TEXT];
	struct sse_frame frame = {.type = {"gap", 3}};
	struct buf data;
	bool added;

	frame.id = (struct sse_text){id, identity_format(identity, position, id)};
	buf_init(&data, 64 << 10);
	added = buf_add_text(&data, "{\"after\":") && json_quote(after, strlen(after), &data) &&
		buf_add_text(&data, ",\"oldest\":");
	if (oldest != NULL) {
		identity_format(identity, oldest->position, oldest_id);
		added = added && buf_addf(&data, "\"%s\"", oldest_id);
	} else {
		added = added && buf_add_text(&data, "null");
	}
	added = added && buf_addf(&data, ",\"reason\":\"%s\"}", reason);
	frame.data = (struct sse_text){data.data, data.len};
	added = added && add_frame(replay, &frame, position, false);
	buf_free(&data);
	if (!added)
		replay->failed = true;
	return added;
}

/* A block that holds only an id: the client stores it, and dispatches nothing. */
static bool add_start(struct replay *replay, uint64_t position)
{
	char id[IDENTITY_TEXT];
	struct sse_frame frame = {0};

	frame.id = (struct sse_text){
		id, identity_format(&replay->server->store->identity, position, id)};
	return add_frame(replay, &frame, position, false);
}

/* What is said before the first event: where it starts, or that something is missing. */
static bool begin(struct replay *replay, const struct store_query *query, const struct event *first)
{
	char id[IDENTITY_TEXT];

	if (replay->from_time)
		return add_start(
			replay, replay->after > query->removed ? replay->after : query->removed);
	if (replay->unknown != NULL)
		return add_gap(replay, replay->unknown, "unknown-log",
			query->topic != NULL ? query->removed : replay->upto, first);
	if (query->removed <= replay->after)
		return true;
	/* The rest of a frame that was cut off cannot be had any more. */
	if (replay->partial != 0) {
		replay->failed = true;
		return false;
	}
	identity_format(&replay->server->store->identity, replay->after, id);
	return add_gap(replay, id, "expired", query->removed, first);
}

struct visit {
	struct replay *replay;
	const struct store_query *query;
	bool begun, stopped;
};

static bool visit_event(void *context, const struct event *event)
{
	struct visit *visit = context;
	struct replay *replay = visit->replay;
	struct sse_frame frame = {.type = event->type, .data = event->data};
	char id[IDENTITY_TEXT];

	if (!visit->begun) {
		visit->begun = true;
		if (!begin(replay, visit->query, event))
			return false;
		if (replay->partial != 0 && event->position != replay->partial) {
			replay->failed = true;
			return false;
		}
	}
	frame.id = (struct sse_text){
		id, identity_format(&replay->server->store->identity, event->position, id)};
	if (!add_frame(replay, &frame, event->position, true)) {
		visit->stopped = true;
		return false;
	}
	return true;
}

static void run(struct job *job, struct store_reader *reader)
{
	struct replay *replay = (struct replay *)job;
	const struct store_ops *ops = replay->server->store->ops;
	struct store_query query = {.topic = topics_find(replay->server->topics, replay->topic),
		.after = replay->after,
		.upto = replay->upto};
	struct visit visit = {.replay = replay, .query = &query};

	replay->marks = malloc(CHUNK_FRAMES * sizeof(*replay->marks));
	replay->failed = replay->marks == NULL;
	if (!replay->failed && replay->from_time) {
		replay->failed =
			ops->since(reader, replay->since, replay->upto, &replay->after, NULL) != 0;
		query.after = replay->after;
	}
	if (!replay->failed && query.topic != NULL &&
		ops->read(reader, &query, visit_event, &visit, NULL) != 0)
		replay->failed = true;
	if (!replay->failed && !visit.begun)
		begin(replay, &query, NULL);
	/* Partial and nothing read: that event is gone. */
	if (replay->partial != 0 && !visit.begun)
		replay->failed = true;
	replay->reached = replay->upto;
	if (visit.stopped && replay->count > 0)
		replay->reached = replay->marks[replay->count - 1].position;
	job->held = replay->frames.size + CHUNK_FRAMES * sizeof(*replay->marks);
}

struct replay *replay_new(struct server *server, struct subscriber *subscriber, const char *topic)
{
	struct replay *replay = calloc(1, sizeof(*replay));

	if (replay == NULL || (replay->topic = strdup(topic)) == NULL) {
		free(replay);
		return NULL;
	}
	replay->job.run = run;
	replay->server = server;
	replay->subscriber = subscriber;
	buf_init(&replay->frames, SIZE_MAX / 2);
	return replay;
}

void replay_free(struct replay *replay)
{
	free(replay->topic);
	free(replay->unknown);
	free(replay->marks);
	buf_free(&replay->frames);
	free(replay);
}
