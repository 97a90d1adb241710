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
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "body.h"
#include "entry.h"
#include "event.h"
#include "fields.h"
#include "json.h"
#include "maker.h"
#include "split.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			report(#condition, __LINE__);                                              \
	} while (0)

static const unsigned char *input;
static size_t input_len;

static void report(const char *condition, int line)
{
	fprintf(stderr, "fuzz_post_events: line %d: %s does not hold for these %zu bytes:\n", line,
		condition, input_len);
	for (size_t i = 0; i < input_len; i++)
		fprintf(stderr, "%02x%s", input[i], i % 40 == 39 ? "\n" : " ");
	fputc('\n', stderr);
	abort();
}

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
static size_t read_records(
	const char *text, size_t len, char end, bool torn, bool envelope, struct group *group)
{
	static const struct options options;
	struct maker maker;
	struct split split;
	struct sse_text record;
	struct error error = {0};
	size_t records = 0, fed = 0;

	maker_init(&maker, &options);
	split_init(&split, end, EVENT_MAX);
	do {
		size_t piece = torn ? 1U + (unsigned char)text[fed < len ? fed : 0] % 7U : len;

		piece = len - fed < piece ? len - fed : piece;
		MUST(buf_add(&split.bytes, text + fed, piece));
		fed += piece;
		while (split_next(&split, fed == len, &record)) {
			size_t before = group->count;
			int result = (envelope ? maker_envelope : maker_data)(
				&maker, record.data, record.len, split.line, group, &error);

			MUST(group->count == before + (result == 0));
			records++;
		}
		split_compact(&split);
	} while (fed < len);
	split_free(&split);
	maker_free(&maker);
	return records;
}

static bool check_records(const char *text, size_t len, bool envelope)
{
	char end = len > 0 && (text[0] & 1) != 0 ? '\0' : '\n';
	struct group whole, torn;
	bool any;

	group_init(&whole);
	group_init(&torn);
	MUST(read_records(text, len, end, false, envelope, &whole) ==
		read_records(text, len, end, true, envelope, &torn));
	MUST(whole.count == torn.count);
	for (size_t i = 0; i < whole.count; i++) {
		struct sse_text key = group_text(&whole, whole.all[i].key);

		MUST(same(&whole, whole.all[i].data, &torn, torn.all[i].data));
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
	/* A copy of exactly this size, so that a sanitizer sees a read too far. */
	char *copy = malloc(len > 1 ? len - 1 : 1);
	bool taken = false;

	input = data;
	input_len = len;
	if (len > 0 && copy != NULL) {
		memcpy(copy, data + 1, len - 1);
		switch (data[0] % 4) {
		case 0:
			taken = check_operands(copy, len - 1);
			break;
		case 1:
			taken = check_entry(copy, len - 1);
			break;
		case 2:
			taken = check_records(copy, len - 1, false);
			break;
		case 3:
			taken = check_records(copy, len - 1, true);
			break;
		}
	}
	free(copy);
	return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_input(data, size);
	return 0;
}

#ifdef FUZZ_STANDALONE

#define INPUT_MAX 2000
#define POOL 256

struct body {
	unsigned char bytes[INPUT_MAX];
	size_t len;
};

struct seed {
	const char *text;
	size_t len;
};

#define SEED(text)                                                                                 \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

#define ENTRY(events, count)                                                                       \
	"\1sse-post spool 1\nurl: http://x/\nspooled: 2026-11-26T00:00:00.000Z\nreason: away\n"    \
	"events: " count "\n\n" events

static const struct seed seeds[] = {
	SEED("\0a=1\0b.c=x\0b.d:=[1, 2.50]\0e\\.f:=null"),
	SEED("\0name=\xc3\xa9\0q=\"\0:=1\0=\0a.b.c.d=1"),
	SEED(ENTRY("{\"key\":\"k\",\"event\":\"t\",\"json\":{\"n\":1.0}}\n", "1")),
	SEED(ENTRY(
		"{\"text\":\"a\\nb\"}\n{\"form\":\"a=b\"}\n{\"json-text\":\"[1,\\n2]\"}\n", "3")),
	SEED("\2one\ntwo\r\n\n  \n{\"a\":1}\n\"s\"\nlast"),
	SEED("\2Aone\0two\nlines\0\0[1,\n2]"),
	SEED("\3{\"data\":1}\n{\"event\":\"e\",\"data\":\"x\",\"id\":\"a:1\"}\n"),
	SEED("\3{\"data\":{\"n\":1},\"key\":\"k\",\"topic\":null,\"time\":1}\n{}"),
};

static const struct seed pieces[] = {SEED("\n"), SEED("\r\n"), SEED("\0"), SEED("="), SEED(":="),
	SEED("."), SEED("\\."), SEED("{"), SEED("}"), SEED("\""), SEED("\\"), SEED("\"data\":"),
	SEED("\"key\":\"\xc3\xa9\","), SEED("\"id\":\"x\","), SEED("\\u0000"), SEED("\\ud800"),
	SEED("\xff"), SEED("1e5"), SEED("events: 2\n"), SEED("\"text\":"), SEED("\"json\":"),
	SEED("[[[["), SEED("null"), SEED("\"event\":\"a\\nb\",")};

static struct body pool[POOL];
static uint64_t random_state;

/* xorshift64*, which is good enough for this. */
static uint64_t random_next(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

static size_t random_below(size_t limit)
{
	return (size_t)(random_next() >> 11) % limit;
}

static void insert(struct body *body, size_t at, const void *bytes, size_t len)
{
	if (len > INPUT_MAX - body->len)
		len = INPUT_MAX - body->len;
	memmove(body->bytes + at + len, body->bytes + at, body->len - at);
	memcpy(body->bytes + at, bytes, len);
	body->len += len;
}

static void mutate(struct body *body)
{
	unsigned char copy[INPUT_MAX];
	size_t at = random_below(body->len + 1), len = random_below(body->len - at + 1);
	const struct seed *piece = &pieces[random_below(COUNT(pieces))];
	const struct body *other = &pool[random_below(POOL)];

	switch (random_below(6)) {
	case 0: /* change a byte */
		if (at < body->len)
			body->bytes[at] = (unsigned char)random_next();
		break;
	case 1: /* cut a part out */
		memmove(body->bytes + at, body->bytes + at + len, body->len - at - len);
		body->len -= len;
		break;
	case 2: /* repeat a part */
		memcpy(copy, body->bytes + at, len);
		insert(body, at, copy, len);
		break;
	case 3: /* put in a part of another one */
		memcpy(copy, other->bytes, other->len);
		insert(body, at, copy, random_below(other->len + 1));
		break;
	default:
		insert(body, at, piece->text, piece->len);
		break;
	}
}

int main(int argc, char **argv)
{
	static struct body body;
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 0;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	uint64_t count = 0, valid = 0;
	time_t start = time(NULL);

	if (argc < 2 || argc > 3 || seconds <= 0) {
		fprintf(stderr, "usage: fuzz_post_events SECONDS [SEED]\n");
		return 64;
	}
	random_state = seed;
	for (size_t i = 0; i < POOL; i++) {
		pool[i].len = seeds[i % COUNT(seeds)].len;
		memcpy(pool[i].bytes, seeds[i % COUNT(seeds)].text, pool[i].len);
	}
	while (count % 1024 != 0 || difftime(time(NULL), start) < seconds) {
		size_t rounds = 1 + random_below(4);

		body = pool[random_below(POOL)];
		while (rounds-- > 0)
			mutate(&body);
		count++;
		if (check_input(body.bytes, body.len)) {
			valid++;
			/* Mostly short ones stay: they are quick, and their parts count more. */
			if (body.len <= random_below(300))
				pool[random_below(POOL)] = body;
		}
	}
	printf("fuzz_post_events: seed %" PRIu64 ": %" PRIu64 " inputs, %" PRIu64
	       " of them taken\n",
		seed, count, valid);
	return 0;
}

#endif
