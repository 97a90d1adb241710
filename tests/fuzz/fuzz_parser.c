/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing of libsse.  Beyond not crashing, for any bytes it must hold that
 *
 * - the parser says the same as a slow reference below, written along the words of the standards,
 *   with the stream torn anywhere and stopped and resumed anywhere;
 * - with a small cap it says a beginning of that, and where it ends does not depend on the tears;
 * - what the encoder writes, the parser reads back.
 *
 * With clang it is a libFuzzer target.  With -DFUZZ_STANDALONE it has a main of its own, which
 * makes streams by itself, always the same ones:  fuzz_parser SECONDS [SEED]
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parts/drive.h"
#include "parts/must.h"
#include "sse.h"

/* Growing bytes. */
struct bytes {
	char *data;
	size_t len, size;
};

static void add(struct bytes *bytes, const void *data, size_t len)
{
	if (bytes->len + len > bytes->size) {
		bytes->size = (bytes->len + len) * 2;
		bytes->data = realloc(bytes->data, bytes->size);
		MUST(bytes->data != NULL);
	}
	if (len > 0)
		memcpy(bytes->data + bytes->len, data, len);
	bytes->len += len;
}

static void add_byte(struct bytes *bytes, unsigned byte)
{
	char c = (char)byte;

	add(bytes, &c, 1);
}

static void copy_to(struct bytes *to, const struct bytes *from)
{
	to->len = 0;
	add(to, from->data, from->len);
}

static bool equal(const struct bytes *a, const char *data, size_t len)
{
	return a->len == len && (len == 0 || memcmp(a->data, data, len) == 0);
}

static void empty(struct bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct bytes){0};
}

static size_t below(struct random *random, size_t limit)
{
	return (size_t)random_below(random, limit);
}

/* What a parser or the reference said, as text: two of them are the same or not. */
static void say(struct bytes *log, const char *what, const char *text, size_t len)
{
	char head[64];

	add(log, head, (size_t)snprintf(head, sizeof(head), "%s %zu ", what, len));
	add(log, text, len);
	add_byte(log, '\n');
}

static void say_number(struct bytes *log, const char *what, uint64_t number)
{
	char line[64];

	add(log, line, (size_t)snprintf(line, sizeof(line), "%s %ju\n", what, (uintmax_t)number));
}

/* ---- The reference: section 9.2.6 of HTML and the UTF-8 decoder of Encoding, word by word. ----
 */

static void add_code_point(struct bytes *out, uint32_t point)
{
	if (point < 0x80) {
		add_byte(out, point);
	} else if (point < 0x800) {
		add_byte(out, 0xc0 | point >> 6);
		add_byte(out, 0x80 | (point & 0x3f));
	} else if (point < 0x10000) {
		add_byte(out, 0xe0 | point >> 12);
		add_byte(out, 0x80 | (point >> 6 & 0x3f));
		add_byte(out, 0x80 | (point & 0x3f));
	} else {
		add_byte(out, 0xf0 | point >> 18);
		add_byte(out, 0x80 | (point >> 12 & 0x3f));
		add_byte(out, 0x80 | (point >> 6 & 0x3f));
		add_byte(out, 0x80 | (point & 0x3f));
	}
}

static struct bytes reference_decode(const char *data, size_t len)
{
	struct bytes out = {0};
	uint32_t point = 0;
	unsigned needed = 0, seen = 0, lower = 0x80, upper = 0xbf;
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned byte = (unsigned char)data[i];

		if (needed != 0 && (byte < lower || byte > upper)) {
			needed = seen = 0;
			lower = 0x80;
			upper = 0xbf;
			add_code_point(&out, 0xfffd);
			/* and the byte is decoded again, below */
		}
		if (needed == 0) {
			if (byte <= 0x7f) {
				add_code_point(&out, byte);
			} else if (byte >= 0xc2 && byte <= 0xdf) {
				needed = 1;
				point = byte & 0x1f;
			} else if (byte >= 0xe0 && byte <= 0xef) {
				if (byte == 0xe0)
					lower = 0xa0;
				if (byte == 0xed)
					upper = 0x9f;
				needed = 2;
				point = byte & 0xf;
			} else if (byte >= 0xf0 && byte <= 0xf4) {
				if (byte == 0xf0)
					lower = 0x90;
				if (byte == 0xf4)
					upper = 0x8f;
				needed = 3;
				point = byte & 0x7;
			} else {
				add_code_point(&out, 0xfffd);
			}
			continue;
		}
		lower = 0x80;
		upper = 0xbf;
		point = point << 6 | (byte & 0x3f);
		if (++seen == needed) {
			add_code_point(&out, point);
			needed = seen = 0;
		}
	}
	if (needed != 0)
		add_code_point(&out, 0xfffd);
	return out;
}

struct reference {
	struct bytes data, type, id; /* the three buffers of the standard */
	struct bytes last_id;
	bool has_id, in_block, comments;
	struct bytes *log;
};

static void reference_dispatch(struct reference *ref)
{
	bool has_id = ref->has_id;

	copy_to(&ref->last_id, &ref->id);
	ref->has_id = false;
	ref->in_block = false;
	if (ref->data.len > 0) {
		if (ref->data.data[ref->data.len - 1] == '\n')
			ref->data.len--;
		if (ref->type.len == 0)
			say(ref->log, "event", "message", 7);
		else
			say(ref->log, "event", ref->type.data, ref->type.len);
		say(ref->log, "data", ref->data.data, ref->data.len);
		say(ref->log, has_id ? "own id" : "id", ref->last_id.data, ref->last_id.len);
	}
	ref->data.len = ref->type.len = 0;
}

static void reference_retry(struct reference *ref, const char *value, size_t len)
{
	uint64_t ms = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		if (value[i] < '0' || value[i] > '9')
			return;
		if (__builtin_mul_overflow(ms, 10, &ms) ||
			__builtin_add_overflow(ms, (unsigned)(value[i] - '0'), &ms))
			break;
	}
	if (i < len) {
		for (; i < len; i++) {
			if (value[i] < '0' || value[i] > '9')
				return;
		}
		ms = UINT64_MAX;
	}
	if (len > 0)
		say_number(ref->log, "retry", ms);
}

static void reference_field(
	struct reference *ref, const char *name, size_t name_len, const char *value, size_t len)
{
	ref->in_block = true;
	if (name_len == 5 && memcmp(name, "event", 5) == 0) {
		ref->type.len = 0;
		add(&ref->type, value, len);
	} else if (name_len == 4 && memcmp(name, "data", 4) == 0) {
		add(&ref->data, value, len);
		add_byte(&ref->data, '\n');
	} else if (name_len == 2 && memcmp(name, "id", 2) == 0) {
		if (len > 0 && memchr(value, 0, len) != NULL)
			return;
		ref->id.len = 0;
		add(&ref->id, value, len);
		ref->has_id = true;
	} else if (name_len == 5 && memcmp(name, "retry", 5) == 0) {
		reference_retry(ref, value, len);
	}
}

static void reference_line(struct reference *ref, const char *line, size_t len)
{
	const char *colon = len > 0 ? memchr(line, ':', len) : NULL;
	const char *value;

	if (len == 0) {
		reference_dispatch(ref);
	} else if (colon == line) {
		if (ref->comments)
			say(ref->log, "comment", line + 1, len - 1);
	} else if (colon != NULL) {
		value = colon + 1;
		if (value < line + len && *value == ' ')
			value++;
		reference_field(
			ref, line, (size_t)(colon - line), value, (size_t)(line + len - value));
	} else {
		reference_field(ref, line, len, "", 0);
	}
}

/* One connection, from its first byte to its end. */
static void reference_connection(struct reference *ref, const char *data, size_t len)
{
	struct bytes text;
	size_t start = 0, i;

	if (len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
		data += 3;
		len -= 3;
	}
	text = reference_decode(data, len);
	for (i = 0; i < text.len; i++) {
		if (text.data[i] != '\r' && text.data[i] != '\n')
			continue;
		reference_line(ref, text.data + start, i - start);
		if (text.data[i] == '\r' && i + 1 < text.len && text.data[i + 1] == '\n')
			i++;
		start = i + 1;
	}
	if (start < text.len && text.data[start] != ':')
		ref->in_block = true;
	say_number(ref->log, ref->in_block ? "end, dropped" : "end", 0);
	say(ref->log, "last id", ref->last_id.data, ref->last_id.len);
	/* The next connection begins with the id of this one. */
	copy_to(&ref->id, &ref->last_id);
	ref->data.len = ref->type.len = 0;
	ref->has_id = ref->in_block = false;
	empty(&text);
}

/* ---- The parser under test. ---- */

/* A stream of two connections, and how it is given to the parser. */
struct run {
	const char *data;
	size_t len, cut; /* the second connection begins at ${cut} */
	size_t cap;
	size_t most; /* bytes of one piece: 0 for all at once, else up to as many */
	bool comments;
	unsigned stops; /* of 256 callbacks so many stop */
	struct random random;
	struct bytes log; /* what the parser said */
};

static bool go_on(struct run *run)
{
	return below(&run->random, 256) >= run->stops;
}

static void check_text(struct sse_text text)
{
	struct bytes decoded = reference_decode(text.data, text.len);

	MUST(text.data != NULL);
	MUST(equal(&decoded, text.data, text.len));
	empty(&decoded);
}

static bool on_event(void *context, const struct sse_event *event)
{
	struct run *run = context;

	check_text(event->type);
	check_text(event->data);
	check_text(event->id);
	say(&run->log, "event", event->type.data, event->type.len);
	say(&run->log, "data", event->data.data, event->data.len);
	say(&run->log, event->has_id ? "own id" : "id", event->id.data, event->id.len);
	return go_on(run);
}

static bool on_comment(void *context, struct sse_text text)
{
	struct run *run = context;

	check_text(text);
	say(&run->log, "comment", text.data, text.len);
	return go_on(run);
}

static void on_retry(void *context, uint64_t ms)
{
	struct run *run = context;

	say_number(&run->log, "retry", ms);
}

/* Feed one piece, which no longer exists afterwards, as often as a callback stops in it. */
static enum sse_result feed_piece(struct sse_parser *parser, const char *data, size_t len)
{
	char *piece = malloc(len > 0 ? len : 1);
	size_t at = 0, used = 0;
	enum sse_result result;

	MUST(piece != NULL);
	memcpy(piece, data, len);
	do {
		result = sse_parser_feed(parser, piece + at, len - at, &used);
		MUST(used <= len - at);
		at += used;
	} while (result == SSE_STOP);
	MUST(result != SSE_OK || at == len);
	MUST(result != SSE_NO_MEMORY);
	memset(piece, 'X', len);
	free(piece);
	return result;
}

static void feed_connection(
	struct run *run, struct sse_parser *parser, const char *data, size_t len)
{
	enum sse_result result = SSE_OK;
	struct sse_text id;
	size_t at, piece;

	for (at = 0; at < len && result == SSE_OK; at += piece) {
		piece = run->most == 0 ? len : 1 + below(&run->random, run->most);
		if (piece > len - at)
			piece = len - at;
		result = feed_piece(parser, data + at, piece);
	}
	if (result != SSE_OK)
		MUST(sse_parser_feed(parser, "\n", 1, NULL) == result);
	if (sse_parser_end(parser))
		say_number(&run->log, "end, dropped", result);
	else
		say_number(&run->log, "end", result);
	id = sse_parser_last_id(parser);
	check_text(id);
	say(&run->log, "last id", id.data, id.len);
}

static void run_parser(struct run *run)
{
	struct sse_callbacks callbacks = {on_event, run->comments ? on_comment : NULL, on_retry};
	struct sse_parser *parser = sse_parser_new(&callbacks, run, run->cap);

	MUST(parser != NULL);
	run->log.len = 0;
	feed_connection(run, parser, run->data, run->cut);
	feed_connection(run, parser, run->data + run->cut, run->len - run->cut);
	sse_parser_free(parser);
}

/* ---- The properties. ---- */

static void check_reference(struct run *run)
{
	static const size_t MOST[] = {0, 1, 3, 17, 200};
	struct bytes log = {0};
	struct reference ref = {.comments = run->comments, .log = &log};
	size_t i;

	reference_connection(&ref, run->data, run->cut);
	reference_connection(&ref, run->data + run->cut, run->len - run->cut);
	run->cap = 0;
	for (i = 0; i < sizeof(MOST) / sizeof(MOST[0]); i++) {
		run->most = MOST[i];
		run->stops = (i & 1) != 0 ? 100 : 0;
		run_parser(run);
		MUST(equal(&run->log, log.data, log.len));
	}
	empty(&ref.data);
	empty(&ref.type);
	empty(&ref.id);
	empty(&ref.last_id);
	empty(&log);
}

static void check_cap(struct run *run)
{
	struct bytes log = {0};

	run->cap = 1 + below(&run->random, 64);
	run->stops = 0;
	run->most = 0;
	run_parser(run);
	copy_to(&log, &run->log);
	for (run->most = 1; run->most < 300; run->most *= 7) {
		run_parser(run);
		MUST(equal(&run->log, log.data, log.len));
	}
	empty(&log);
}

static void check_utf8(const char *data, size_t len)
{
	struct bytes decoded = reference_decode(data, len);
	char *out = malloc(3 * len + 1);
	size_t valid = sse_utf8_valid(data, len);

	MUST(out != NULL);
	MUST(equal(&decoded, out, sse_utf8_repair(data, len, out)));
	MUST(valid <= len);
	MUST((valid == len) == equal(&decoded, data, len));
	/* Up to there nothing is replaced, and the next is. */
	MUST(valid == 0 || memcmp(decoded.data, data, valid) == 0);
	MUST(valid == len || memcmp(decoded.data + valid, "\xef\xbf\xbd", 3) == 0);
	free(out);
	empty(&decoded);
}

/* What becomes of a text on its way: CR and CRLF become LF, and what is ill-formed U+FFFD. */
static struct bytes expected_text(struct sse_text text)
{
	struct bytes decoded = reference_decode(text.data, text.len), out = {0};
	size_t i;

	for (i = 0; i < decoded.len; i++) {
		if (decoded.data[i] == '\r') {
			if (i + 1 < decoded.len && decoded.data[i + 1] == '\n')
				i++;
			add_byte(&out, '\n');
		} else {
			add(&out, decoded.data + i, 1);
		}
	}
	empty(&decoded);
	return out;
}

static bool breaks_line(struct sse_text text)
{
	size_t i;

	for (i = 0; i < text.len; i++) {
		if (text.data[i] == '\r' || text.data[i] == '\n' || text.data[i] == '\0')
			return true;
	}
	return false;
}

/* A part of the input, or no field at all. */
static struct sse_text any_part(struct run *run, bool field_needed)
{
	size_t from = below(&run->random, run->len + 1);

	if (!field_needed && below(&run->random, 4) == 0)
		return (struct sse_text){NULL, 0};
	return (struct sse_text){run->data + from, below(&run->random, run->len - from + 1)};
}

static void check_round_trip(struct run *run)
{
	struct sse_frame frame = {any_part(run, false), any_part(run, false), any_part(run, false)};
	struct bytes type, data, id, log = {0};
	size_t size = sse_frame_size(&frame);
	char *out = malloc(size > 0 ? size : 1);
	struct run back = {.data = out, .len = size, .cut = size, .random = run->random, .most = 5};

	MUST(out != NULL);
	if (breaks_line(frame.type) || breaks_line(frame.id)) {
		MUST(size == 0 && sse_frame_write(&frame, out) == NULL);
		free(out);
		return;
	}
	MUST(sse_frame_write(&frame, out) == out + size);
	type = expected_text(frame.type);
	data = expected_text(frame.data);
	id = expected_text(frame.id);
	if (frame.data.data != NULL) {
		if (type.len == 0)
			add(&type, "message", 7);
		say(&log, "event", type.data, type.len);
		say(&log, "data", data.data, data.len);
		say(&log, frame.id.data != NULL ? "own id" : "id", id.data, id.len);
	}
	say_number(&log, "end", 0);
	say(&log, "last id", id.data, id.len);
	say_number(&log, "end", 0);
	say(&log, "last id", id.data, id.len);
	run_parser(&back);
	MUST(equal(&back.log, log.data, log.len));
	empty(&back.log);
	empty(&type);
	empty(&data);
	empty(&id);
	empty(&log);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct run run = {0};
	char *copy;
	size_t i;

	must_input(data, len);
	if (len < 4)
		return 0;
	/* The first bytes decide what is done with the others. */
	run.random = random_new(0, data[0] | (uint64_t)data[1] << 8);
	run.comments = (data[2] & 1) != 0;
	run.len = len - 4;
	copy = malloc(run.len > 0 ? run.len : 1);
	MUST(copy != NULL);
	memcpy(copy, data + 4, run.len);
	run.data = copy;
	run.cut = (data[2] & 2) != 0 ? below(&run.random, run.len + 1) : run.len;
	check_reference(&run);
	check_cap(&run);
	check_utf8(run.data, run.len);
	for (i = 0; i < 4; i++)
		check_round_trip(&run);
	empty(&run.log);
	free(copy);
	return 0;
}

#ifdef FUZZ_STANDALONE

/* What streams are made of. */
static const struct {
	const char *text;
	size_t len;
} TOKENS[] = {
#define TOKEN(text)                                                                                \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}
	TOKEN("data"),
	TOKEN("event"),
	TOKEN("id"),
	TOKEN("retry"),
	TOKEN("data: "),
	TOKEN("event: "),
	TOKEN("id: "),
	TOKEN("retry: "),
	TOKEN(":"),
	TOKEN(": "),
	TOKEN(" "),
	TOKEN("\n"),
	TOKEN("\r"),
	TOKEN("\r\n"),
	TOKEN("\n\n"),
	TOKEN("\r\n\r\n"),
	TOKEN("\r\r"),
	TOKEN("\n"),
	TOKEN("\ndata:"),
	TOKEN("\nid:"),
	TOKEN("\nevent:"),
	TOKEN("\nretry:"),
	TOKEN("\0"),
	TOKEN("0"),
	TOKEN("9"),
	TOKEN("18446744073709551616"),
	TOKEN("\xef\xbb\xbf"),
	TOKEN("\xef\xbb"),
	TOKEN("\xc3\xa9"),
	TOKEN("\xe2\x82\xac"),
	TOKEN("\xf0\x9f\x8c\x8d"),
	TOKEN("\xf0\x9f\x8c"),
	TOKEN("\xe2\x82"),
	TOKEN("\xc3"),
	TOKEN("\xed\xa0\x80"),
	TOKEN("\xf4\x90\x80\x80"),
	TOKEN("\xc0\x80"),
	TOKEN("\xff"),
	TOKEN("\x80"),
	TOKEN("a"),
	TOKEN("{\"name\":\"Ada\"}"),
	TOKEN("unknown: field"),
	TOKEN("\t"),
#undef TOKEN
};
#define TOKEN_COUNT (sizeof(TOKENS) / sizeof(TOKENS[0]))

static void make_stream(struct random *random, struct bytes *out)
{
	size_t count = 1 + below(random, below(random, 8) == 0 ? 400 : 40), i, run;

	out->len = 0;
	for (i = 0; i < 4; i++)
		add_byte(out, (unsigned)below(random, 256));
	if (below(random, 8) == 0)
		add(out, "\xef\xbb\xbf", 3);
	for (i = 0; i < count; i++) {
		size_t token = below(random, TOKEN_COUNT + 3);

		if (token < TOKEN_COUNT)
			add(out, TOKENS[token].text, TOKENS[token].len);
		else if (token == TOKEN_COUNT)
			add_byte(out, (unsigned)below(random, 256));
		else if (below(random, 4) == 0) /* long runs, over the blocks and windows inside */
			for (run = below(random, 700); run > 0; run--)
				add_byte(out, 'x');
	}
}

/* Change a few bytes of what was there. */
static void mutate(struct random *random, struct bytes *bytes)
{
	size_t count = below(random, 4);

	while (count-- > 0)
		bytes->data[below(random, bytes->len)] = (char)below(random, 256);
}

int main(int argc, char **argv)
{
	struct bytes stream = {0};
	struct drive drive;
	int status = drive_start(&drive, "fuzz_parser", argc, argv);

	if (status != 0)
		return status;
	while (drive_goes_on(&drive)) {
		make_stream(&drive.random, &stream);
		mutate(&drive.random, &stream);
		LLVMFuzzerTestOneInput((const uint8_t *)stream.data, stream.len);
	}
	printf("%" PRIu64 " streams, seed %" PRIu64 ": all properties hold\n", drive.count,
		drive.seed);
	empty(&stream);
	return 0;
}

#endif
