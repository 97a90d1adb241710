/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing what sse-tail makes of JSON lines: libFuzzer's entry and, with -DFUZZ_STANDALONE, a driver
 * of its own,
 *
 *     fuzz_tail_lines SECONDS [SEED]
 *
 * that mutates streams, the same ones in the same order for the same seed.  The first byte says how
 * the stream ends, the second how it is torn, the rest is the stream.  What is handed over, of the
 * whole stream at once and of its pieces, also if it is stopped in between and gone on with,
 * 1. is what a plain reading of the bytes, line by line, gives, and as much of it where a line is
 *    too long;
 * 2. is valid UTF-8 without a line feed.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "lines.h"
#include "parts/must.h"
#include "parts/mutate.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CAP ((size_t)200)

/* What is handed over: "e", data and a line feed for an event, "c" and one for a heartbeat. */
struct log {
	struct buf text;
	unsigned calls, stop; /* stop at each such call; 0: never */
};

static bool note(struct log *log, char word, const char *text, size_t len)
{
	MUST(buf_add_byte(&log->text, word) && buf_add(&log->text, text, len) &&
		buf_add_byte(&log->text, '\n'));
	return log->stop == 0 || ++log->calls % log->stop != 0;
}

static bool on_event(void *context, const struct sse_event *event)
{
	MUST(event->type.len == 7 && memcmp(event->type.data, "message", 7) == 0);
	MUST(!event->has_id && event->id.len == 1 && *event->id.data == 'i');
	MUST(sse_utf8_valid(event->data.data, event->data.len) == event->data.len);
	MUST(memchr(event->data.data, '\n', event->data.len) == NULL);
	return note(context, 'e', event->data.data, event->data.len);
}

static bool on_comment(void *context, struct sse_text text)
{
	MUST(text.len == 0);
	return note(context, 'c', "", 0);
}

/* --- the plain reading ------------------------------------------------------------------------ */

static bool is_blank(const char *line, size_t len)
{
	size_t i = 0;

	while (i < len && (line[i] == ' ' || line[i] == '\t'))
		i++;
	return i == len;
}

/* Bytes before a line and its end have so much room beside it. */
#define EXTRA 8

/* A line without its line feed, and without what does not belong to it. */
static struct sse_text strip(const char *line, size_t len, bool first)
{
	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (first && len >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
		line += 3;
		len -= 3;
	}
	for (; len > 0 && *line == '\x1e'; len--)
		line++;
	return (struct sse_text){line, len};
}

/* False if the line is too long. */
static bool read_line(struct log *log, struct sse_text line)
{
	char repaired[MUTATE_MAX * 3];
	size_t len = sse_utf8_repair(line.data, line.len, repaired);

	if (len > CAP)
		return false;
	if (is_blank(line.data, line.len))
		note(log, 'c', "", 0);
	else
		note(log, 'e', repaired, len);
	return true;
}

/* False at a line that is too long; *${rest} becomes where the last line begins that has no end. */
static bool read_lines(struct log *log, const char *text, size_t len, size_t *rest)
{
	const char *line = text, *end;

	while ((end = memchr(line, '\n', (size_t)(text + len - line))) != NULL) {
		struct sse_text stripped = strip(line, (size_t)(end - line), line == text);

		if (end - line >= (ptrdiff_t)(CAP + EXTRA) || !read_line(log, stripped))
			return false;
		line = end + 1;
	}
	*rest = (size_t)(line - text);
	return len - *rest <= CAP + EXTRA;
}

/* The last line, if it has no end; false if it is shown and too long. */
static bool read_rest(struct log *log, struct sse_text line, bool whole, bool flush)
{
	struct json_text value;
	struct json_error not_json;

	if (is_blank(line.data, line.len) ||
		!(flush || (whole && json_check(line.data, line.len, &value, &not_json) &&
				   json_kind(value) != JSON_NUMBER)))
		return true;
	return read_line(log, line);
}

/* --- the reading that is tested --------------------------------------------------------------- */

/* Feed in pieces of this size (0: of sizes that the bytes choose). */
static enum sse_result feed(struct lines *lines, const char *text, size_t len, size_t size)
{
	const struct sse_text id = {"i", 1};
	enum sse_result result = SSE_OK;
	size_t at = 0;

	while (at < len && (result == SSE_OK || result == SSE_STOP)) {
		size_t piece = size > 0 ? size : 1U + (unsigned char)text[at] % 9U, used = 0;
		/* A copy of exactly this size, so that a sanitizer sees a read too far. */
		char *copy;

		piece = piece < len - at ? piece : len - at;
		copy = malloc(piece);
		MUST(copy != NULL);
		memcpy(copy, text + at, piece);
		result = lines_feed(lines, copy, piece, id, &used);
		free(copy);
		MUST(used <= piece && (result != SSE_OK || used == piece));
		/* Stopped, it is after a line. */
		MUST(result != SSE_STOP || (used > 0 && text[at + used - 1] == '\n'));
		at += used;
	}
	return result;
}

static void compare(const struct log *a, const struct log *b)
{
	MUST(a->text.len == b->text.len);
	MUST(a->text.len == 0 || memcmp(a->text.data, b->text.data, a->text.len) == 0);
}

static bool check_reading(const char *text, size_t len, size_t size, unsigned stop, bool whole,
	bool flush, bool twice)
{
	static const struct sse_callbacks callbacks = {.event = on_event, .comment = on_comment};
	const struct sse_text id = {"i", 1};
	struct log plain = {0}, log = {.stop = stop};
	enum sse_result result;
	struct lines lines;
	size_t rest = 0;
	bool fits;

	buf_init(&plain.text, SIZE_MAX / 2);
	buf_init(&log.text, SIZE_MAX / 2);
	lines_init(&lines, &callbacks, &log, CAP);
	for (int again = twice ? 2 : 1; again > 0; again--) {
		plain.text.len = log.text.len = 0;
		fits = read_lines(&plain, text, len, &rest);
		result = feed(&lines, text, len, size);
		MUST((result == SSE_TOO_LARGE) == !fits);
		compare(&plain, &log);
		if (fits)
			fits = read_rest(
				&plain, strip(text + rest, len - rest, rest == 0), whole, flush);
		lines_end(&lines, whole, flush, id, &result);
		MUST((result == SSE_TOO_LARGE) == !fits);
		compare(&plain, &log);
	}
	lines_free(&lines);
	buf_free(&plain.text);
	buf_free(&log.text);
	return fits;
}

static bool check_input(const unsigned char *data, size_t len)
{
	bool taken;
	const char *text;

	must_input(data, len);
	if (len < 2 || len > MUTATE_MAX)
		return false;
	text = (const char *)data + 2;
	taken = check_reading(text, len - 2, len, 0, data[0] & 1, data[0] & 2, data[0] & 4);
	check_reading(
		text, len - 2, data[1] % 8, (data[0] >> 3) % 4, data[0] & 1, data[0] & 2, false);
	return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	(void)check_input(data, len);
	return 0;
}

#ifdef FUZZ_STANDALONE

static const struct sse_text seeds[] = {
	MUTATE_SEED("\x01\0{\"a\":1}\n{\"b\":[1.50,\"x\"]}\r\n\n{\"c\":null}"),
	MUTATE_SEED("\x02\1\xef\xbb\xbf{\"a\":1}\n \t\r\nplain text\n\"cut"),
	MUTATE_SEED("\x0d\2\x1e{\"a\":1}\n\x1e\x1e[2]\n\x1e\n\x1e"
		    "12"),
	MUTATE_SEED("\x1d\3\xff\xc3\n\0\n\r\r\n\xef\xbb\n\xef\xbb\xbf\n"),
	MUTATE_SEED("\x05\4true\nfalse\n12\n\"\\ud83d\"\n{\"a\":\r1}"),
};

static const char *const pieces[] = {"\n", "\r", "\r\n", "\n\n", "", " ", "\t", "\x1e",
	"\xef\xbb\xbf", "\xef", "\xff", "\xc3\xa9", "{\"a\":1}", "{", "}", "[1,2]", "\"", "12",
	"null", "{\"a\":1}\n{\"a\":2}\n",
	"0123456789012345678901234567890123456789012345678901234567890123456789"};

static void other_end(struct random *random, unsigned char *stream, size_t len)
{
	if (len > 1)
		stream[random_below(random, 2)] = (unsigned char)random_below(random, 256);
}

static const enum mutation mutations[] = {MUTATE_BYTE, MUTATE_OWN, MUTATE_CUT, MUTATE_REPEAT,
	MUTATE_OTHER, MUTATE_PIECE, MUTATE_PIECE, MUTATE_PIECE};

static const struct mutate fuzzer = {
	.program = "fuzz_tail_lines",
	.inputs = "streams",
	.taken = "read to their end",
	.seeds = seeds,
	.seed_count = COUNT(seeds),
	.pieces = pieces,
	.piece_count = COUNT(pieces),
	.mutations = mutations,
	.mutation_count = COUNT(mutations),
	.max = 2000,
	.rounds = 4,
	.kept = 400,
	.own = other_end,
	.check = check_input,
};

int main(int argc, char **argv)
{
	return mutate_main(&fuzzer, argc, argv);
}

#endif
