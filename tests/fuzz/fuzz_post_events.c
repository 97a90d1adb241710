/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing what sse-post makes events of: libFuzzer's entry and, with -DFUZZ_STANDALONE, a driver of
 * its own,
 *
 *     fuzz_post_events SECONDS [SEED]
 *
 * that mutates inputs, the same ones in the same order for the same seed.  The first byte chooses:
 * 0. operands NAME=TEXT and NAME:=JSON, ended by NUL each: what they make is one JSON object on
 *    one line;
 * 1. a file of the spool: what is read can be written, and is read as the same events again;
 * 2. lines, or records that end with NUL: torn anywhere they give the same records; each that
 *    becomes an event, plain or out of an envelope, has a key that can be one, and stands on a line
 * of a batch that is JSON.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "spool/entry.h"
#include "event/group.h"
#include "event/subject.h"
#include "fields.h"
#include "json.h"
#include "event_builder.h"
#include "parts/must.h"
#include "parts/mutate.h"
#include "split.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- operands -------------------------------------------------------------------------------- */

#define OPERANDS_MAX 64

static bool check_operands(const char *text, size_t len)
{
	char *copy = calloc(1, len + 1), *operands[OPERANDS_MAX];
	struct json_text value;
	struct json_error wrong;
	struct error error = {0};
	struct buf out;
	size_t count = 0;
	int result;

	memcpy(copy, text, len);
	for (size_t at = 0; at < len && count < OPERANDS_MAX; at += strlen(copy + at) + 1) {
		/* None is without =, as options.c sees to it; and no file is read. */
		if (strchr(copy + at, '=') == NULL)
			continue;
		for (char *p = copy + at; *p != '\0'; p++)
			*p = *p == '@' ? 'a' : *p;
		operands[count++] = copy + at;
	}
	buf_init(&out, EVENT_MAX);
	result = fields_to_json(operands, count, 0, &out, &error);
	if (result == 0) {
		MUST(json_check(out.data, out.len, &value, &wrong));
		MUST(value.len == out.len && json_kind(value) == JSON_OBJECT);
		MUST(memchr(out.data, '\n', out.len) == NULL);
	} else {
		MUST(error.status != 0 && error.text[0] != '\0');
	}
	buf_free(&out);
	free(copy);
	return result == 0;
}

/* --- files of the spool ---------------------------------------------------------------------- */

static bool same(const struct group *a, struct piece x, const struct group *b, struct piece y)
{
	struct sse_text one = group_text(a, x), other = group_text(b, y);

	return one.len == other.len && memcmp(one.data, other.data, one.len) == 0;
}

static void compare(const struct group *a, const struct group *b)
{
	MUST(a->count == b->count);
	for (size_t i = 0; i < a->count; i++) {
		const struct event *x = &a->all[i], *y = &b->all[i];

		MUST(x->kind == y->kind && x->alone == y->alone);
		MUST(same(a, x->data, b, y->data) && same(a, x->type, b, y->type));
		MUST(same(a, x->key, b, y->key) && same(a, x->id, b, y->id));
		MUST(same(a, x->subject, b, y->subject));
	}
}

static bool check_entry(const char *text, size_t len)
{
	struct group read, again;
	struct error error = {0};
	int64_t spooled = 0, then = 0;
	struct buf out;
	bool taken;

	group_init(&read);
	group_init(&again);
	buf_init(&out, ENTRY_MAX);
	taken = entry_read(text, len, &spooled, &read, &error) == 0;
	if (taken) {
		struct entry entry = {"http://x/", "why\nnot", spooled};

		MUST(entry_write(&entry, &read, 0, read.count, &out));
		MUST(entry_read(out.data, out.len, &then, &again, &error) == 0);
		MUST(then == spooled);
		compare(&read, &again);
	} else {
		MUST(read.count == 0 && error.text[0] != '\0');
	}
	group_free(&read);
	group_free(&again);
	buf_free(&out);
	return taken;
}

/* --- records --------------------------------------------------------------------------------- */

static void check_batches(const struct group *group)
{
	struct json_text value;
	struct json_error wrong;
	struct buf out;

	buf_init(&out, SIZE_MAX / 2);
	for (size_t at = 0; at < group->count;) {
		size_t count = body_batch(group, at, 3, 200, &out), lines = 0;
		const char *line = out.data, *end = out.data + out.len;

		MUST(count > 0 && at + count <= group->count);
		/* One that goes alone is not sent as a line. */
		for (; line < end && !group->all[at].alone; lines++) {
			const char *next = memchr(line, '\n', (size_t)(end - line));

			MUST(next != NULL);
			MUST(json_check(line, (size_t)(next - line), &value, &wrong));
			line = next + 1;
		}
		MUST(group->all[at].alone ? count == 1 : lines == count);
		at += count;
	}
	buf_free(&out);
}

/* Feed in pieces as the bytes themselves have it; the records become events. */
static size_t read_records(const char *text, size_t len, char end, bool torn,
	const struct options *options, struct group *group)
{
	bool envelope = options->source == SOURCE_ENVELOPE;
	struct builder builder;
	struct split split;
	struct sse_text record;
	struct error error = {0};
	size_t records = 0, fed = 0;

	event_builder_init(&builder, options);
	split_init(&split, end, EVENT_MAX);
	do {
		size_t piece = torn ? 1U + (unsigned char)text[fed < len ? fed : 0] % 7U : len;

		piece = len - fed < piece ? len - fed : piece;
		MUST(buf_add(&split.bytes, text + fed, piece));
		fed += piece;
		while (split_next(&split, fed == len, &record)) {
			size_t before = group->count;
			int result = (envelope ? event_builder_envelope : event_builder_data)(
				&builder, record.data, record.len, split.line, group, &error);

			MUST(group->count == before + (result == 0));
			MUST(result <= 0 || options->topics);
			records++;
		}
		split_compact(&split);
	} while (fed < len);
	split_free(&split);
	event_builder_free(&builder);
	return records;
}

static bool check_records(const char *text, size_t len, const struct options *options)
{
	char end = len > 0 && (text[0] & 1) != 0 ? '\0' : '\n';
	struct group whole, torn;
	bool any;

	group_init(&whole);
	group_init(&torn);
	MUST(read_records(text, len, end, false, options, &whole) ==
		read_records(text, len, end, true, options, &torn));
	MUST(whole.count == torn.count);
	for (size_t i = 0; i < whole.count; i++) {
		struct sse_text key = group_text(&whole, whole.all[i].key);

		MUST(same(&whole, whole.all[i].data, &torn, torn.all[i].data));
		MUST(same(&whole, whole.all[i].topic, &torn, torn.all[i].topic));
		MUST((whole.all[i].topic.len > 0) == options->topics);
		MUST(same(&whole, whole.all[i].subject, &torn, torn.all[i].subject));
		MUST(whole.all[i].subject.len == 0 ||
			subject_fault(group_text(&whole, whole.all[i].subject)) == NULL);
		MUST(whole.all[i].line == torn.all[i].line);
		MUST(key.len > 0 && key.len <= EVENT_KEY_MAX);
		for (size_t j = 0; j < key.len; j++)
			MUST(key.data[j] >= ' ' && key.data[j] <= '~');
	}
	check_batches(&whole);
	any = whole.count > 0;
	group_free(&whole);
	group_free(&torn);
	return any;
}

static bool check_input(const unsigned char *data, size_t len)
{
	static const struct options lines, envelopes = {.source = SOURCE_ENVELOPE},
					   topics = {.source = SOURCE_ENVELOPE, .topics = true};
	/* A copy of exactly this size, so that a sanitizer sees a read too far. */
	char *copy = malloc(len > 1 ? len - 1 : 1);
	bool taken = false;

	must_input(data, len);
	if (len > 0 && copy != NULL) {
		memcpy(copy, data + 1, len - 1);
		switch (data[0] % 5) {
		case 0:
			taken = check_operands(copy, len - 1);
			break;
		case 1:
			taken = check_entry(copy, len - 1);
			break;
		case 2:
			taken = check_records(copy, len - 1, &lines);
			break;
		case 3:
			taken = check_records(copy, len - 1, &envelopes);
			break;
		case 4:
			taken = check_records(copy, len - 1, &topics);
			break;
		}
	}
	free(copy);
	return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	check_input(data, len);
	return 0;
}

#ifdef FUZZ_STANDALONE

#define ENTRY(events, count)                                                                       \
	"\1sse-post spool 1\nurl: http://x/\nspooled: 2026-11-26T00:00:00.000Z\nreason: away\n"    \
	"events: " count "\n\n" events

static const struct sse_text seeds[] = {
	MUTATE_SEED("\0a=1\0b.c=x\0b.d:=[1, 2.50]\0e\\.f:=null"),
	MUTATE_SEED("\0name=\xc3\xa9\0q=\"\0:=1\0=\0a.b.c.d=1"),
	MUTATE_SEED(ENTRY("{\"key\":\"k\",\"event\":\"t\",\"json\":{\"n\":1.0}}\n", "1")),
	MUTATE_SEED(ENTRY(
		"{\"text\":\"a\\nb\"}\n{\"form\":\"a=b\"}\n{\"json-text\":\"[1,\\n2]\"}\n", "3")),
	MUTATE_SEED("\2one\ntwo\r\n\n  \n{\"a\":1}\n\"s\"\nlast"),
	MUTATE_SEED("\2Aone\0two\nlines\0\0[1,\n2]"),
	MUTATE_SEED(
		"\3{\"data\":\"\",\"subject\":\"w\\u00e9b\"}\n{\"subject\":\"\xc2\x85\",\"data\":1}\n"),
	MUTATE_SEED(ENTRY("{\"key\":\"k\",\"subject\":\"s\",\"text\":\"\"}\n", "1")),
	MUTATE_SEED("\3{\"data\":1}\n{\"event\":\"e\",\"data\":\"x\",\"id\":\"a:1\"}\n"),
	MUTATE_SEED("\3{\"data\":{\"n\":1},\"key\":\"k\",\"topic\":null,\"time\":1}\n{}"),
	MUTATE_SEED(
		"\4{\"topic\":\"a\",\"data\":{\"n\":1},\"key\":\"k\"}\n{\"topic\":\"b\",\"data\":\"x\"}"),
	MUTATE_SEED(
		"\4{\"event\":\"e\",\"id\":\"t:1\",\"data\":\"{\\\"topic\\\":\\\"a\\\",\\\"id\\\":\\\"t:1\\\","
		"\\\"data\\\":[1]}\"}\n{\"event\":\"gap\",\"data\":\"{}\"}\n"),
};

static const char *const pieces[] = {"\n", "\r\n", "", "=", ":=", ".", "\\.", "{", "}", "\"", "\\",
	"\"data\":", "\"key\":\"\xc3\xa9\",", "\"id\":\"x\",", "\\u0000", "\\ud800", "\xff", "1e5",
	"events: 2\n", "\"text\":", "\"json\":", "[[[[", "null", "\"event\":\"a\\nb\",",
	"\"topic\":\"a/b\",", "\"data\":{\"topic\":\"a\",", "\"event\":\"gap\",",
	"\"subject\":\"s\",", "\"subject\":\"a\\u0007\","};

static const enum mutation mutations[] = {
	MUTATE_BYTE, MUTATE_CUT, MUTATE_REPEAT, MUTATE_START, MUTATE_PIECE, MUTATE_PIECE};

static const struct mutate fuzzer = {
	.program = "fuzz_post_events",
	.inputs = "inputs",
	.taken = "taken",
	.seeds = seeds,
	.seed_count = COUNT(seeds),
	.pieces = pieces,
	.piece_count = COUNT(pieces),
	.mutations = mutations,
	.mutation_count = COUNT(mutations),
	.max = 2000,
	.rounds = 4,
	.kept = 300,
	.check = check_input,
};

int main(int argc, char **argv)
{
	return mutate_main(&fuzzer, argc, argv);
}

#endif
