/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing cmd/sse-serve/log/command.c: libFuzzer's entry and, with -DFUZZ_STANDALONE, a driver of its
 * own,
 *
 *     fuzz_serve_command SECONDS [SEED]
 *
 * that mutates commands, the same ones in the same order for the same seed.  For each:
 * 1. it is read, or refused with a reason: never for want of memory;
 * 2. what a command that was read points to lies in the bytes, and is what an event may hold;
 * 3. such a command, written and read again, is the same.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "log/command.h"
#include "log/topic_name.h"
#include "parts/must.h"
#include "parts/mutate.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A command in a copy of exactly its size, so that a sanitizer sees a read too far. */
struct reading {
	struct command command;
	char *bytes;
	size_t len;
	struct error error;
	bool ok;
};

static void read_bytes(struct reading *reading, const void *bytes, size_t len)
{
	*reading = (struct reading){.len = len, .bytes = malloc(len + 1)};
	if (reading->bytes == NULL)
		abort();
	if (len > 0)
		memcpy(reading->bytes, bytes, len);
	reading->bytes[len] = '\0';
	reading->ok = command_read(&reading->command, reading->bytes, len, &reading->error) == 0;
	MUST(reading->ok || reading->error.text[0] != '\0');
	MUST(reading->ok || reading->error.status == EX_DATAERR ||
		reading->error.status == EX_CONFIG);
}

static void end_reading(struct reading *reading)
{
	command_free(&reading->command);
	free(reading->bytes);
}

static bool same_text(struct sse_text a, struct sse_text b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static bool lies_in(const struct reading *reading, const char *data, size_t len)
{
	return data >= reading->bytes && data + len <= reading->bytes + reading->len;
}

static bool is_utf8(struct sse_text text)
{
	return sse_utf8_valid(text.data, text.len) == text.len;
}

static void check_topic(const struct reading *reading, const char *topic)
{
	MUST(lies_in(reading, topic, strlen(topic) + 1));
	MUST(topic_name_is_accepted(topic, strlen(topic)));
}

static void check_line(const struct reading *reading, struct sse_text text, size_t max)
{
	MUST(text.len > 0 && text.len <= max && lies_in(reading, text.data, text.len));
	MUST(is_utf8(text) && memchr(text.data, '\n', text.len) == NULL &&
		memchr(text.data, '\r', text.len) == NULL &&
		memchr(text.data, '\0', text.len) == NULL);
}

static void check_append(const struct reading *reading, const struct store_append *append)
{
	const struct event *event = &append->event;

	check_topic(reading, append->topic);
	MUST(append->key.len <= EVENT_KEY_MAX && is_utf8(append->key));
	MUST(append->key.len == 0 || lies_in(reading, append->key.data, append->key.len));
	check_line(reading, event->type, EVENT_TYPE_MAX);
	if (event->subject.len > 0)
		check_line(reading, event->subject, EVENT_SUBJECT_MAX);
	MUST(lies_in(reading, event->data.data, event->data.len));
	MUST(is_utf8(event->data) && memchr(event->data.data, '\r', event->data.len) == NULL);
	MUST(!append->own && !append->duplicate && event->position == 0);
}

static void check_command(const struct reading *reading)
{
	const struct command *command = &reading->command;
	size_t total = 0;

	MUST(command->id.len == 0 || lies_in(reading, command->id.data, command->id.len));
	MUST(command->count == 0 || command->kind == COMMAND_APPEND);
	for (size_t i = 0; i < command->count; i++) {
		const struct store_group *group = &command->groups[i];

		MUST(group->count > 0 && group->condition <= STORE_IF_NONE);
		MUST(group->appends == command->appends + total);
		total += group->count;
		for (size_t j = 0; j < group->count; j++)
			check_append(reading, &group->appends[j]);
	}
	MUST(total == command->total);
	if (command->kind == COMMAND_ERASE) {
		check_topic(reading, command->topic);
		MUST(command->after < command->upto && command->upto <= INT64_MAX);
	}
}

static bool same_append(const struct store_append *a, const struct store_append *b)
{
	return strcmp(a->topic, b->topic) == 0 && same_text(a->key, b->key) &&
	       (a->key.len == 0 || a->fingerprint == b->fingerprint) && a->closes == b->closes &&
	       a->event.json == b->event.json && a->event.ephemeral == b->event.ephemeral &&
	       same_text(a->event.type, b->event.type) &&
	       same_text(a->event.subject, b->event.subject) &&
	       same_text(a->event.data, b->event.data);
}

/* 3: written and read again. */
static void check_again(const struct command *command)
{
	struct reading again;
	char *id = calloc(1, command->id.len + 1);
	struct buf out;

	if (id == NULL)
		abort();
	if (command->id.len > 0)
		memcpy(id, command->id.data, command->id.len);
	buf_init(&out, (size_t)64 << 20);
	MUST(command_begin(&out, command->kind, id));
	for (size_t i = 0; i < command->count; i++)
		MUST(command_add_group(&out, &command->groups[i]));
	if (command->kind == COMMAND_ERASE)
		MUST(command_add_range(&out, command->topic, command->after, command->upto));
	read_bytes(&again, out.data, out.len);
	MUST(again.ok && again.command.kind == command->kind);
	MUST(again.command.count == command->count && again.command.total == command->total);
	MUST(strcmp(again.command.topic, command->topic) == 0);
	MUST(again.command.after == command->after && again.command.upto == command->upto);
	for (size_t i = 0; i < command->count; i++) {
		const struct store_group *a = &again.command.groups[i], *b = &command->groups[i];

		MUST(a->condition == b->condition && a->expected == b->expected);
		MUST(a->count == b->count);
	}
	for (size_t i = 0; i < command->total; i++)
		MUST(same_append(&again.command.appends[i], &command->appends[i]));
	end_reading(&again);
	buf_free(&out);
	free(id);
}

static bool check_input(const unsigned char *bytes, size_t len)
{
	struct reading reading;
	bool ok;

	must_input(bytes, len);
	read_bytes(&reading, bytes, len);
	ok = reading.ok;
	if (ok) {
		check_command(&reading);
		check_again(&reading.command);
	}
	end_reading(&reading);
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	(void)check_input(data, len);
	return 0;
}

#ifdef FUZZ_STANDALONE

#define HEAD(kind) "SSE\1" kind "\4a-12"

/* Condition, expected position, number of events; then of each: bits, topic, ..., type, data. */
static const struct sse_text seeds[] = {
	MUTATE_SEED(HEAD("\1") "\0\0\1\0\2a\0\6update\1x"),
	MUTATE_SEED(HEAD("\1") "\0\0\2\1\4a/b\0\6update\2{}\0\2c\0\4note\0"),
	MUTATE_SEED(HEAD("\1") "\1\xac\2\1\10\2a\0\1k\xff\1\6update\3a\nb"),
	MUTATE_SEED(HEAD("\1") "\0\0\1\20\2a\0\3w\xc3\xa9\6update\1x\3\0\1\4\2a\0\6closed\2{}"),
	MUTATE_SEED(HEAD("\1") "\0\0\1\2\2a\0\6update\4gone"),
	MUTATE_SEED(HEAD("\2") "\2a\0\1\xac\2"),
	MUTATE_SEED(HEAD("\3")),
};

static const char *const pieces[] = {"", "\1", "\2", "\3", "\x7f", "\x80", "\xff",
	"\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", "SSE",
	"\6update", "\2a", "\4a/b", "\r", "\n", "\xc3\xa9", "\x1f", "\10", "\20", "\40", "closed",
	"$sys"};

static const enum mutation mutations[] = {MUTATE_BYTE, MUTATE_BIT, MUTATE_CUT, MUTATE_REPEAT,
	MUTATE_OTHER, MUTATE_START, MUTATE_PIECE, MUTATE_PIECE};

static const struct mutate fuzzer = {
	.program = "fuzz_serve_command",
	.inputs = "commands",
	.taken = "read",
	.seeds = seeds,
	.seed_count = COUNT(seeds),
	.pieces = pieces,
	.piece_count = COUNT(pieces),
	.mutations = mutations,
	.mutation_count = COUNT(mutations),
	.max = 1024,
	.rounds = 3,
	.kept = 200,
	.check = check_input,
};

int main(int argc, char **argv)
{
	return mutate_main(&fuzzer, argc, argv);
}

#endif
