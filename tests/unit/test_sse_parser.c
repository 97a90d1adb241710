/* SPDX-License-Identifier: MIT */
/*
 * Unit tests of sse_parser.  Each stream of the table is fed whole, byte by byte, torn in two at
 * every place, with a stop at every callback, and again with its LFs as CRLF and as CR.
 *
 * The sources of the parser are a part of this file, so that its memory can be counted and refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void *counted_realloc(void *old, size_t size);
static void *counted_calloc(size_t count, size_t size);
static void counted_free(void *old);

#define realloc counted_realloc
#define calloc counted_calloc
#define free counted_free
#include "../../lib/sse_value.c"
#include "../../lib/sse_block.c"
#include "../../lib/sse_parser.c"
#undef realloc
#undef calloc
#undef free

/* ---- Memory that is counted. ---- */

static size_t memory_held;	       /* bytes */
static size_t memory_until = SIZE_MAX; /* how many more allocations are granted */

/* What stands before each piece of memory; as large as any alignment asks for. */
union header {
	size_t size;
	max_align_t align;
};

static void *counted_realloc(void *old, size_t size)
{
	union header *header = old != NULL ? (union header *)old - 1 : NULL;
	size_t before = header != NULL ? header->size : 0;

	if (memory_until == 0)
		return NULL;
	memory_until--;
	header = realloc(header, sizeof(*header) + size);
	if (header == NULL)
		return NULL;
	header->size = size;
	memory_held = memory_held - before + size;
	return header + 1;
}

static void *counted_calloc(size_t count, size_t size)
{
	void *memory = counted_realloc(NULL, count * size);

	if (memory != NULL)
		memset(memory, 0, count * size);
	return memory;
}

static void counted_free(void *old)
{
	union header *header = old;

	if (header == NULL)
		return;
	header--;
	memory_held -= header->size;
	free(header);
}

/* ---- What a parser said, as text. ---- */

struct log {
	char text[4096];
	size_t len;
	unsigned stops; /* stop at every callback if not 0 */
};

static void say(struct log *log, const char *before, struct sse_text text, const char *after)
{
	size_t a = strlen(before), b = strlen(after);

	assert_true(log->len + a + text.len + b < sizeof(log->text));
	memcpy(log->text + log->len, before, a);
	if (text.len > 0)
		memcpy(log->text + log->len + a, text.data, text.len);
	memcpy(log->text + log->len + a + text.len, after, b);
	log->len += a + text.len + b;
}

static bool on_event(void *context, const struct sse_event *event)
{
	struct log *log = context;

	say(log, "E(", event->type, ")");
	say(log, "(", event->data, ")");
	say(log, event->has_id ? "(+" : "(", event->id, ")");
	return log->stops == 0;
}

static bool on_comment(void *context, struct sse_text text)
{
	struct log *log = context;

	say(log, "C(", text, ")");
	return log->stops == 0;
}

static void on_retry(void *context, uint64_t ms)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%ju", (uintmax_t)ms);

	say(context, "R(", (struct sse_text){digits, (size_t)len}, ")");
}

static const struct sse_callbacks CALLBACKS = {on_event, on_comment, on_retry};

static void say_end(struct log *log, struct sse_parser *parser)
{
	const char *end = sse_parser_end(parser) ? "dropped(" : "end(";

	say(log, end, sse_parser_last_id(parser), ")");
}

/* Feed a piece from memory that is gone afterwards, until nothing of it is left. */
static enum sse_result feed(struct sse_parser *parser, const char *data, size_t len)
{
	char *piece = test_malloc(len + 1);
	size_t at = 0, used = 0;
	enum sse_result result;

	memcpy(piece + 1, data, len);
	do {
		result = sse_parser_feed(parser, piece + 1 + at, len - at, &used);
		assert_true(used <= len - at);
		at += used;
	} while (result == SSE_STOP);
	if (result == SSE_OK)
		assert_int_equal(at, len);
	memset(piece, '#', len + 1);
	test_free(piece);
	return result;
}

static struct sse_parser *new_parser(struct log *log, size_t cap)
{
	struct sse_parser *parser = sse_parser_new(&CALLBACKS, log, cap);

	assert_non_null(parser);
	*log = (struct log){.len = 0};
	return parser;
}

#define assert_log(log, want, want_len)                                                            \
	do {                                                                                       \
		if ((log)->len != (want_len) || memcmp((log)->text, want, want_len) != 0)          \
			fail_msg("said %.*s and not %.*s", (int)(log)->len, (log)->text,           \
				(int)(want_len), want);                                            \
	} while (0)

#define assert_said(log, want) assert_log(log, want, sizeof(want) - 1)

/* ---- Streams. ---- */

#define TEXT(literal)                                                                              \
	{                                                                                          \
		literal, sizeof(literal) - 1                                                       \
	}
#define BOM_TEXT "\xef\xbb\xbf"
#define R "\xef\xbf\xbd" /* U+FFFD */

struct stream {
	const char *name;
	struct sse_text bytes, said;
};

static const struct stream STREAMS[] = {
	/* data */
	{"empty stream", TEXT(""), TEXT("end()")},
	{"blank lines", TEXT("\n\n\n"), TEXT("end()")},
	{"one event", TEXT("data: x\n\n"), TEXT("E(message)(x)()end()")},
	{"no space after the colon", TEXT("data:x\n\n"), TEXT("E(message)(x)()end()")},
	{"only one space goes", TEXT("data:  x \n\n"), TEXT("E(message)( x )()end()")},
	{"a tab stays", TEXT("data:\tx\n\n"), TEXT("E(message)(\tx)()end()")},
	{"colons in the value", TEXT("data: a:b: c\n\n"), TEXT("E(message)(a:b: c)()end()")},
	{"two colons", TEXT("data::x\n\n"), TEXT("E(message)(:x)()end()")},
	{"lines are joined", TEXT("data: a\ndata: b\ndata: c\n\n"),
		TEXT("E(message)(a\nb\nc)()end()")},
	{"empty data is an event", TEXT("data:\n\n"), TEXT("E(message)()()end()")},
	{"empty data with a space", TEXT("data: \n\n"), TEXT("E(message)()()end()")},
	{"data without colon", TEXT("data\n\n"), TEXT("E(message)()()end()")},
	{"two empty lines of data", TEXT("data\ndata\n\n"), TEXT("E(message)(\n)()end()")},
	{"empty lines around", TEXT("data:\ndata: a\ndata:\n\n"), TEXT("E(message)(\na\n)()end()")},
	{"two events", TEXT("data: a\n\ndata: b\n\n"), TEXT("E(message)(a)()E(message)(b)()end()")},
	{"many blank lines between", TEXT("\n\ndata: a\n\n\n\ndata: b\n\n"),
		TEXT("E(message)(a)()E(message)(b)()end()")},
	{"NUL in data", TEXT("data: a\0b\n\n"), TEXT("E(message)(a\0b)()end()")},
	{"data of one long line",
		TEXT("data: 0123456789012345678901234567890123456789012345678901234567890123456789"
		     "0123456789012345678901234567890123456789012345678901234567890123456789\n\n"),
		TEXT("E(message)(0123456789012345678901234567890123456789012345678901234567890123456789"
		     "0123456789012345678901234567890123456789012345678901234567890123456789)()"
		     "end()")},
	/* names */
	{"unknown field", TEXT("foo: 1\ndata: x\n\n"), TEXT("E(message)(x)()end()")},
	{"unknown field without colon", TEXT("foo\ndata: x\n\n"), TEXT("E(message)(x)()end()")},
	{"only an unknown field", TEXT("foo: 1\n\n"), TEXT("end()")},
	{"names are case-sensitive", TEXT("Data: a\nDATA: b\nEvent: c\nID: 1\n\n"), TEXT("end()")},
	{"a space before the name", TEXT(" data: x\n\n"), TEXT("end()")},
	{"a space after the name", TEXT("data : x\n\n"), TEXT("end()")},
	{"longer than the names", TEXT("datax: a\neventx: b\nidx: 1\nretryx: 1\n\n"),
		TEXT("end()")},
	{"longer than the names, no colon", TEXT("database\nevents\nids\nretrying\n\n"),
		TEXT("end()")},
	{"shorter than the names", TEXT("d\nda\ndat:\neven: a\ni: 1\nretr: 1\n\n"), TEXT("end()")},
	{"a long unknown field", TEXT("unknown-field-that-is-long: data: x\n\n"), TEXT("end()")},
	{"a NUL in a name", TEXT("da\0ta: x\n\n"), TEXT("end()")},
	/* event */
	{"type", TEXT("event: update\ndata: x\n\n"), TEXT("E(update)(x)()end()")},
	{"type after data", TEXT("data: x\nevent: update\n\n"), TEXT("E(update)(x)()end()")},
	{"the last type counts", TEXT("event: long one\nevent: b\ndata: x\n\n"),
		TEXT("E(b)(x)()end()")},
	{"an empty type is message", TEXT("event: a\nevent:\ndata: x\n\n"),
		TEXT("E(message)(x)()end()")},
	{"type without colon", TEXT("event\ndata: x\n\n"), TEXT("E(message)(x)()end()")},
	{"a type is for one event", TEXT("event: a\ndata: x\n\ndata: y\n\n"),
		TEXT("E(a)(x)()E(message)(y)()end()")},
	{"a type without data is forgotten", TEXT("event: a\n\ndata: y\n\n"),
		TEXT("E(message)(y)()end()")},
	/* id */
	{"id", TEXT("id: 1\ndata: x\n\n"), TEXT("E(message)(x)(+1)end(1)")},
	{"id after data", TEXT("data: x\nid: 1\n\n"), TEXT("E(message)(x)(+1)end(1)")},
	{"the last id counts", TEXT("id: 1\nid: 22\ndata: x\n\n"),
		TEXT("E(message)(x)(+22)end(22)")},
	{"an id stays", TEXT("id: 1\ndata: x\n\ndata: y\n\n"),
		TEXT("E(message)(x)(+1)E(message)(y)(1)end(1)")},
	{"an empty id resets", TEXT("id: 1\ndata: x\n\nid\ndata: y\n\n"),
		TEXT("E(message)(x)(+1)E(message)(y)(+)end()")},
	{"an empty id with colon resets", TEXT("id: 1\ndata: x\n\nid:\ndata: y\n\ndata: z\n\n"),
		TEXT("E(message)(x)(+1)E(message)(y)(+)E(message)(z)()end()")},
	{"an id without data counts", TEXT("id: 7\n\n"), TEXT("end(7)")},
	{"an id without data, then data", TEXT("id: 7\n\ndata: x\n\n"),
		TEXT("E(message)(x)(7)end(7)")},
	{"an id with NUL is ignored", TEXT("id: 1\0\ndata: x\n\n"), TEXT("E(message)(x)()end()")},
	{"an id with NUL far in",
		TEXT("id: 123456789abcdef\0"
		     "1\ndata: x\n\n"),
		TEXT("E(message)(x)()end()")},
	{"an id with NUL leaves the one before",
		TEXT("id: 1\nid: 2\0"
		     "3\ndata: x\n\n"),
		TEXT("E(message)(x)(+1)end(1)")},
	{"an id with NUL leaves the last", TEXT("id: 1\n\nid: \0\ndata: x\n\n"),
		TEXT("E(message)(x)(1)end(1)")},
	{"an id keeps its spaces", TEXT("id:  a b \ndata: x\n\n"),
		TEXT("E(message)(x)(+ a b )end( a b )")},
	{"ids change places", TEXT("id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\ndata: c\n\n"),
		TEXT("E(message)(a)(+1)E(message)(b)(+2)E(message)(c)(+3)end(3)")},
	/* retry */
	{"retry", TEXT("retry: 1500\n\n"), TEXT("R(1500)end()")},
	{"retry of zeros", TEXT("retry: 000\nretry:007\n\n"), TEXT("R(0)R(7)end()")},
	{"retry is no number",
		TEXT("retry: 1x\nretry: -1\nretry: +1\nretry: 1.5\nretry: 1e3\nretry:  1\nretry: 1 \n"
		     "retry:\nretry\nretry: \nretry: \xd9\xa1\n\n"),
		TEXT("end()")},
	{"retry saturates",
		TEXT("retry: 18446744073709551615\nretry: 18446744073709551616\n"
		     "retry: 99999999999999999999999999999\n\n"),
		TEXT("R(18446744073709551615)R(18446744073709551615)R(18446744073709551615)"
		     "end()")},
	{"retry inside an event", TEXT("data: a\nretry: 5\ndata: b\n\n"),
		TEXT("R(5)E(message)(a\nb)()end()")},
	/* comments */
	{"comment", TEXT(": hello\n"), TEXT("C( hello)end()")},
	{"empty comment", TEXT(":\n:\n"), TEXT("C()C()end()")},
	{"comment in an event", TEXT("data: a\n:x\ndata: b\n\n"),
		TEXT("C(x)E(message)(a\nb)()end()")},
	{"a comment is no block", TEXT(":x\n\n:data: y\n\n"), TEXT("C(x)C(data: y)end()")},
	/* the end */
	{"a cut event is dropped", TEXT("data: x\n"), TEXT("dropped()")},
	{"a cut line is dropped", TEXT("data: a\n\ndata: x"), TEXT("E(message)(a)()dropped()")},
	{"a cut name is dropped", TEXT("d"), TEXT("dropped()")},
	{"a cut unknown field is dropped", TEXT("unknown field"), TEXT("dropped()")},
	{"an id is dropped with its block", TEXT("id: 1\ndata: x\n\nid: 2\ndata: y\n"),
		TEXT("E(message)(x)(+1)dropped(1)")},
	{"an id without a line end", TEXT("id: 1\n\nid: 2"), TEXT("dropped(1)")},
	{"a cut comment is nothing", TEXT("data: a\n\n: keep"), TEXT("E(message)(a)()end()")},
	{"a comment at the end is nothing", TEXT("data: a\n\n:\n"),
		TEXT("E(message)(a)()C()end()")},
	{"a cut retry was in force", TEXT("retry: 5\n"), TEXT("R(5)dropped()")},
	{"a retry without its line end is none", TEXT("retry: 5"), TEXT("dropped()")},
	/* line ends */
	{"CR", TEXT("data: a\r\rdata: b\r\r"), TEXT("E(message)(a)()E(message)(b)()end()")},
	{"CRLF", TEXT("data: a\r\n\r\ndata: b\r\n\r\n"),
		TEXT("E(message)(a)()E(message)(b)()end()")},
	{"LFCR is two line ends", TEXT("data: a\n\rdata: b\n\r"),
		TEXT("E(message)(a)()E(message)(b)()end()")},
	{"CRCRLF is two line ends", TEXT("data: a\r\r\ndata: b\r\r\n"),
		TEXT("E(message)(a)()E(message)(b)()end()")},
	{"CRLFLF is two line ends", TEXT("data: a\r\n\ndata: b\r\n\n"),
		TEXT("E(message)(a)()E(message)(b)()end()")},
	{"mixed in one event", TEXT("data: a\rdata: b\ndata: c\r\ndata: d\r\n\r"),
		TEXT("E(message)(a\nb\nc\nd)()end()")},
	{"CRLF at once", TEXT("\r\n\r\n\r\n"), TEXT("end()")},
	{"other line ends are none",
		TEXT("data: a\vb\fc\xc2\x85"
		     "d\xe2\x80\xa8"
		     "e\n\n"),
		TEXT("E(message)(a\vb\fc\xc2\x85"
		     "d\xe2\x80\xa8"
		     "e)()end()")},
	/* BOM */
	{"BOM", TEXT(BOM_TEXT "data: x\n\n"), TEXT("E(message)(x)()end()")},
	{"only a BOM", TEXT(BOM_TEXT), TEXT("end()")},
	{"BOM and a line end", TEXT(BOM_TEXT "\n"), TEXT("end()")},
	{"one BOM goes", TEXT(BOM_TEXT BOM_TEXT "data: x\ndata: y\n\n"),
		TEXT("E(message)(y)()end()")},
	{"BOM later is a character", TEXT("\n" BOM_TEXT "data: x\ndata: " BOM_TEXT "y\n\n"),
		TEXT("E(message)(" BOM_TEXT "y)()end()")},
	{"a BOM of two bytes",
		TEXT("\xef\xbb"
		     "data: x\ndata: y\n\n"),
		TEXT("E(message)(y)()end()")},
	{"a BOM of one byte",
		TEXT("\xef"
		     "data: x\n\n"),
		TEXT("end()")},
	{"a BOM and a line end inside", TEXT("\xef\xbb\ndata: y\n\n"),
		TEXT("E(message)(y)()end()")},
	{"a cut BOM", TEXT("\xef\xbb"), TEXT("dropped()")},
	/* UTF-8 */
	{"characters", TEXT("event: \xc3\xa9\nid: \xe2\x82\xac\ndata: \xf0\x9f\x8c\x8d\n\n"),
		TEXT("E(\xc3\xa9)(\xf0\x9f\x8c\x8d)(+\xe2\x82\xac)end(\xe2\x82\xac)")},
	{"ill-formed everywhere", TEXT("event: \xff\nid: \xff\n: \xff\ndata: \xff\ndata: \xfe\n\n"),
		TEXT("C( " R ")E(" R ")(" R "\n" R ")(+" R ")end(" R ")")},
	{"a cut character leaves the line end", TEXT("data: \xe2\x82\ndata: \xf0\x9f\x8c\n\n"),
		TEXT("E(message)(" R "\n" R ")()end()")},
	{"a lead leaves the line end", TEXT("data: \xc3\n\ndata: \xf0\n\n"),
		TEXT("E(message)(" R ")()E(message)(" R ")()end()")},
	{"maximal parts",
		TEXT("data: \xf1\x80\x80\xe1\x80\xc2"
		     "b\x80\n\n"),
		TEXT("E(message)(" R R R "b" R ")()end()")},
	{"surrogates", TEXT("data: \xed\xa0\x80\n\n"), TEXT("E(message)(" R R R ")()end()")},
	{"ill-formed first, then not", TEXT("data: \xff\ndata: \xc3\xa9\ndata: z\n\n"),
		TEXT("E(message)(" R "\n\xc3\xa9\nz)()end()")},
	{"characters in a name", TEXT("\xc3\xa9: x\ndata\xff: y\ndata: z\n\n"),
		TEXT("E(message)(z)()end()")},
	{"a cut character before a colon", TEXT("\xe2\x82:x\ndata: z\n\n"),
		TEXT("E(message)(z)()end()")},
	/* the examples of the standard */
	{"standard: ticker", TEXT("data: YHOO\ndata: +2\ndata: 10\n\n"),
		TEXT("E(message)(YHOO\n+2\n10)()end()")},
	{"standard: four blocks",
		TEXT(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\n"
		     "data:  third event\n"),
		TEXT("C( test stream)E(message)(first event)(+1)E(message)(second event)(+)"
		     "dropped()")},
	{"standard: two events and a half", TEXT("data\n\ndata\ndata\n\ndata:"),
		TEXT("E(message)()()E(message)(\n)()dropped()")},
	{"standard: the space", TEXT("data:test\n\ndata: test\n\n"),
		TEXT("E(message)(test)()E(message)(test)()end()")},
};
#define STREAM_COUNT (sizeof(STREAMS) / sizeof(STREAMS[0]))

/* Feed the first ${first} bytes in pieces of ${piece}, and so the rest; compare what was said. */
static void expect_said(const struct stream *stream, size_t first, size_t piece, unsigned stops)
{
	struct log log;
	struct sse_parser *parser = new_parser(&log, 0);
	size_t at = 0, len, part_end;

	log.stops = stops;
	while (at < stream->bytes.len) {
		part_end = at < first ? first : stream->bytes.len;
		len = part_end - at < piece ? part_end - at : piece;
		assert_int_equal(feed(parser, stream->bytes.data + at, len), SSE_OK);
		at += len;
	}
	say_end(&log, parser);
	sse_parser_free(parser);
	assert_log(&log, stream->said.data, stream->said.len);
}

static void expect_in_all_ways(const struct stream *stream)
{
	size_t i;

	expect_said(stream, 0, SIZE_MAX, 0);
	expect_said(stream, 0, SIZE_MAX, 1);
	expect_said(stream, 0, 1, 0);
	expect_said(stream, 0, 1, 1);
	expect_said(stream, 0, 3, 1);
	for (i = 1; i < stream->bytes.len; i++)
		expect_said(stream, i, SIZE_MAX, (unsigned)i & 1);
}

/* The same stream with other line ends says the same. */
static void expect_with_line_end(const struct stream *stream, const char *line_end)
{
	char *bytes = test_malloc(2 * stream->bytes.len + 1);
	struct stream other = *stream;
	size_t i, len = 0;

	for (i = 0; i < stream->bytes.len; i++) {
		if (stream->bytes.data[i] != '\n') {
			bytes[len++] = stream->bytes.data[i];
		} else {
			memcpy(bytes + len, line_end, strlen(line_end));
			len += strlen(line_end);
		}
	}
	other.bytes = (struct sse_text){bytes, len};
	expect_in_all_ways(&other);
	test_free(bytes);
}

static void test_stream(void **state)
{
	const struct stream *stream = *state;

	expect_in_all_ways(stream);
	if (memchr(stream->bytes.data, '\r', stream->bytes.len) == NULL) {
		expect_with_line_end(stream, "\r\n");
		expect_with_line_end(stream, "\r");
	}
	assert_int_equal(memory_held, 0);
}

/* ---- The cap. ---- */

struct limit {
	const char *name;
	size_t cap;
	struct sse_text bytes;
	enum sse_result result;
	struct sse_text said;
};

static const struct limit LIMITS[] = {
	{"data that just fits", 4, TEXT("data: abcd\n\n"), SSE_OK, TEXT("E(message)(abcd)()end()")},
	{"data one too long", 4, TEXT("data: abcde\n\n"), SSE_TOO_LARGE, TEXT("dropped()")},
	{"data too long without a line end", 4, TEXT("data: abcde"), SSE_TOO_LARGE,
		TEXT("dropped()")},
	{"the LF between counts", 4, TEXT("data: ab\ndata: c\n\n"), SSE_OK,
		TEXT("E(message)(ab\nc)()end()")},
	{"the LF between is too much", 4, TEXT("data: ab\ndata: cd\n\n"), SSE_TOO_LARGE,
		TEXT("dropped()")},
	{"an empty line too many", 4, TEXT("data: abcd\ndata\n\n"), SSE_TOO_LARGE,
		TEXT("dropped()")},
	{"a longer name is no data", 4, TEXT("data: abcd\ndatabase\n\n"), SSE_OK,
		TEXT("E(message)(abcd)()end()")},
	{"data, type and id together", 6, TEXT("event: ab\nid: cd\ndata: ef\n\n"), SSE_OK,
		TEXT("E(ab)(ef)(+cd)end(cd)")},
	{"the type is too much", 5, TEXT("id: cd\ndata: ef\nevent: ab\n\n"), SSE_TOO_LARGE,
		TEXT("dropped()")},
	{"the id is too much", 5, TEXT("data: ef\nevent: ab\nid: cd\n\n"), SSE_TOO_LARGE,
		TEXT("dropped()")},
	{"a replaced type counts once", 4, TEXT("event: abc\nevent: def\ndata: x\n\n"), SSE_OK,
		TEXT("E(def)(x)()end()")},
	{"a replaced id counts once", 4, TEXT("id: abc\nid: def\ndata: x\n\n"), SSE_OK,
		TEXT("E(message)(x)(+def)end(def)")},
	{"the id of an earlier block does not count", 4, TEXT("id: abcd\n\ndata: abcd\n\n"), SSE_OK,
		TEXT("E(message)(abcd)(abcd)end(abcd)")},
	{"each event for itself", 4, TEXT("data: abcd\n\ndata: efgh\n\n"), SSE_OK,
		TEXT("E(message)(abcd)()E(message)(efgh)()end()")},
	{"events before are said", 4, TEXT("data: a\n\ndata: abcde\n\ndata: b\n\n"), SSE_TOO_LARGE,
		TEXT("E(message)(a)()dropped()")},
	{"U+FFFD counts three", 5, TEXT("data: \xff\xff\n\n"), SSE_TOO_LARGE, TEXT("dropped()")},
	{"U+FFFD just fits", 6, TEXT("data: \xff\xff\n\n"), SSE_OK,
		TEXT("E(message)(" R R ")()end()")},
	{"unknown fields are free", 4, TEXT("unknown: 1234567890123\ndata: x\n\n"), SSE_OK,
		TEXT("E(message)(x)()end()")},
	{"a comment counts alone", 4, TEXT("data: abcd\n:1234\n\n"), SSE_OK,
		TEXT("C(1234)E(message)(abcd)()end()")},
	{"a comment too long", 4, TEXT(":12345\n\n"), SSE_TOO_LARGE, TEXT("end()")},
	{"a retry too long", 4, TEXT("retry: 00001\n\n"), SSE_TOO_LARGE, TEXT("dropped()")},
	{"an id with NUL, too long", 4,
		TEXT("id: 1\0"
		     "345\n\n"),
		SSE_TOO_LARGE, TEXT("dropped()")},
};
#define LIMIT_COUNT (sizeof(LIMITS) / sizeof(LIMITS[0]))

static void test_limit(void **state)
{
	const struct limit *limit = *state;
	size_t pieces[] = {SIZE_MAX, 1, 2, 5}, i, at, len;
	enum sse_result result;

	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct log log;
		struct sse_parser *parser = new_parser(&log, limit->cap);

		result = SSE_OK;
		for (at = 0; at < limit->bytes.len && result == SSE_OK; at += len) {
			len = limit->bytes.len - at;
			len = len < pieces[i] ? len : pieces[i];
			result = feed(parser, limit->bytes.data + at, len);
		}
		/* A failure stays until the connection's end, and then is over. */
		if (result == limit->result && result != SSE_OK)
			result = feed(parser, "data: x\n\n", 9);
		assert_int_equal(result, limit->result);
		say_end(&log, parser);
		assert_log(&log, limit->said.data, limit->said.len);
		log.len = 0;
		assert_int_equal(feed(parser, "data: z\n\n", 9), SSE_OK);
		assert_memory_equal(log.text, "E(message)(z)", 13);
		sse_parser_free(parser);
	}
	assert_int_equal(memory_held, 0);
}

/* ---- What no table says. ---- */

static void connections_follow_each_other(void **state)
{
	struct log log;
	struct sse_parser *parser = new_parser(&log, 0);

	(void)state;
	feed(parser, "id: 1\ndata: a\n\nid: 2\ndata: b\ndat", 33);
	say_end(&log, parser);
	assert_said(&log, "E(message)(a)(+1)dropped(1)");
	/* A BOM again; an id to start with; nothing left of the dropped block. */
	log.len = 0;
	feed(parser, BOM_TEXT "a: c\n\ndata: d\n\n", 18);
	assert_said(&log, "E(message)(d)(1)");
	/* An LF after the CR at the end of the connection before is a line of its own. */
	log.len = 0;
	feed(parser, "data: e\r", 8);
	say_end(&log, parser);
	feed(parser, "\ndata: f\n\n", 10);
	say_end(&log, parser);
	assert_said(&log, "dropped(1)E(message)(f)(1)end(1)");
	sse_parser_free(parser);
}

static void an_id_to_start_from(void **state)
{
	struct log log;
	struct sse_parser *parser = new_parser(&log, 0);
	struct sse_text id;

	(void)state;
	assert_int_equal(sse_parser_last_id(parser).len, 0);
	assert_true(sse_parser_set_last_id(parser, "saved", 5));
	assert_false(sse_parser_set_last_id(parser, "a\0b", 3));
	assert_false(sse_parser_set_last_id(parser, "a\n", 2));
	assert_false(sse_parser_set_last_id(parser, "\rb", 2));
	feed(parser, "data: a\n\nid: new\ndata: b\n\n", 26);
	assert_said(&log, "E(message)(a)(saved)E(message)(b)(+new)");
	id = sse_parser_last_id(parser);
	assert_true(sse_parser_set_last_id(parser, id.data, id.len)); /* its own */
	assert_int_equal(sse_parser_last_id(parser).len, 3);
	assert_memory_equal(sse_parser_last_id(parser).data, "new", 3);
	assert_true(sse_parser_set_last_id(parser, NULL, 0));
	assert_int_equal(sse_parser_last_id(parser).len, 0);
	assert_non_null(sse_parser_last_id(parser).data);
	sse_parser_free(parser);
}

/* The id of a block that goes on is not yet the last one; in the event's callback it is. */
struct id_at_event {
	struct sse_parser *parser;
	char id[16];
};

static bool copy_id(void *context, const struct sse_event *event)
{
	struct id_at_event *seen = context;
	struct sse_text id = sse_parser_last_id(seen->parser);

	assert_int_equal(id.len, event->id.len);
	memcpy(seen->id, id.data, id.len);
	seen->id[id.len] = '\0';
	return true;
}

static void the_id_counts_when_its_block_ends(void **state)
{
	struct sse_callbacks callbacks = {.event = copy_id};
	struct id_at_event seen = {NULL, ""};

	(void)state;
	seen.parser = sse_parser_new(&callbacks, &seen, 0);
	feed(seen.parser, "id: 1\ndata: x\n", 14);
	assert_int_equal(sse_parser_last_id(seen.parser).len, 0);
	feed(seen.parser, "\n", 1);
	assert_string_equal(seen.id, "1");
	assert_int_equal(sse_parser_last_id(seen.parser).len, 1);
	sse_parser_free(seen.parser);
}

static void retry_is_said_when_its_line_ends(void **state)
{
	struct log log;
	struct sse_parser *parser = new_parser(&log, 0);

	(void)state;
	feed(parser, "data: x\nretry: 12", 17);
	assert_said(&log, "");
	feed(parser, "\r", 1);
	assert_said(&log, "R(12)");
	sse_parser_free(parser);
}

static void a_lone_cr_dispatches_at_once(void **state)
{
	struct log log;
	struct sse_parser *parser = new_parser(&log, 0);

	(void)state;
	feed(parser, "data: x\r", 8);
	assert_said(&log, "");
	feed(parser, "\r", 1);
	assert_said(&log, "E(message)(x)()");
	/* What follows belongs to that CR if it is an LF, also after feeds of nothing. */
	feed(parser, "", 0);
	feed(parser, "\n", 1);
	feed(parser, "data: y\r\n", 9);
	feed(parser, "\r", 1);
	assert_said(&log, "E(message)(x)()E(message)(y)()");
	say_end(&log, parser);
	assert_said(&log, "E(message)(x)()E(message)(y)()end()");
	sse_parser_free(parser);
}

static void stopping_tells_how_far_it_came(void **state)
{
	const char bytes[] = "data: a\r\n\r\n:c\ndata: b\n\nrest";
	struct log log;
	struct sse_parser *parser = new_parser(&log, 0);
	size_t used;

	(void)state;
	log.stops = 1;
	assert_int_equal(sse_parser_feed(parser, bytes, sizeof(bytes) - 1, &used), SSE_STOP);
	assert_int_equal(used, 11); /* with its LF */
	assert_int_equal(sse_parser_feed(parser, bytes + 11, sizeof(bytes) - 12, &used), SSE_STOP);
	assert_int_equal(used, 3);
	assert_int_equal(sse_parser_feed(parser, bytes + 14, sizeof(bytes) - 15, &used), SSE_STOP);
	assert_int_equal(used, 9);
	assert_said(&log, "E(message)(a)()C(c)E(message)(b)()");
	assert_int_equal(sse_parser_feed(parser, bytes + 23, 4, &used), SSE_OK);
	assert_int_equal(used, 4);
	sse_parser_free(parser);
}

static void nothing_is_asked_for(void **state)
{
	struct sse_callbacks none = {NULL, NULL, NULL};
	struct sse_parser *parser = sse_parser_new(&none, NULL, 16);
	char comment[100] = ":";

	(void)state;
	assert_non_null(parser);
	assert_int_equal(sse_parser_feed(parser, NULL, 0, NULL), SSE_OK);
	assert_int_equal(feed(parser, "retry: 1\nid: 5\ndata: x\n\n:c\n", 27), SSE_OK);
	/* A comment that nobody hears may be longer than the cap. */
	assert_int_equal(feed(parser, comment, sizeof(comment)), SSE_OK);
	assert_int_equal(feed(parser, comment, sizeof(comment)), SSE_OK);
	assert_false(sse_parser_end(parser));
	assert_int_equal(sse_parser_last_id(parser).len, 1);
	sse_parser_free(parser);
	sse_parser_free(NULL);
}

/* Where the texts of an event lie: inside the input or not. */
struct views {
	const char *begin, *end;
	unsigned inside; /* texts of the last event that were */
};

static unsigned is_inside(const struct views *views, struct sse_text text)
{
	return text.data >= views->begin && text.data + text.len <= views->end;
}

static bool on_view(void *context, const struct sse_event *event)
{
	struct views *views = context;

	views->inside = is_inside(views, event->type) + is_inside(views, event->data) +
			is_inside(views, event->id);
	return true;
}

static void whole_lines_are_not_copied(void **state)
{
	char bytes[] = "event: update\nid: 17\ndata: {\"n\":\"\xc3\xa9\"}\n\n";
	struct sse_callbacks callbacks = {.event = on_view};
	struct views views = {bytes, bytes + sizeof(bytes), 0};
	struct sse_parser *parser = sse_parser_new(&callbacks, &views, 0);

	(void)state;
	sse_parser_feed(parser, bytes, sizeof(bytes) - 1, NULL);
	assert_int_equal(views.inside, 3);
	sse_parser_free(parser);
}

/* Feed ${len} bytes of one kind, in pieces. */
static enum sse_result feed_many(struct sse_parser *parser, char byte, size_t len)
{
	char piece[1000];
	enum sse_result result = SSE_OK;
	size_t at;

	memset(piece, byte, sizeof(piece));
	for (at = 0; at < len && result == SSE_OK; at += sizeof(piece))
		result = sse_parser_feed(parser, piece, sizeof(piece), NULL);
	return result;
}

static bool ignore_event(void *context, const struct sse_event *event)
{
	size_t *bytes = context;

	*bytes += event->data.len;
	return true;
}

static bool ignore_comment(void *context, struct sse_text text)
{
	size_t *bytes = context;

	*bytes += text.len;
	return true;
}

static void memory_of_a_huge_event_is_given_back(void **state)
{
	static const char *const HEADS[] = {"data:", "event:", "id:", ":", "data: a\ndata:"};
	struct sse_callbacks callbacks = {ignore_event, ignore_comment, NULL};
	size_t bytes = 0, i;
	struct sse_parser *parser = sse_parser_new(&callbacks, &bytes, 0);

	(void)state;
	for (i = 0; i < sizeof(HEADS) / sizeof(HEADS[0]); i++) {
		feed(parser, HEADS[i], strlen(HEADS[i]));
		assert_int_equal(feed_many(parser, 'x', 8000000), SSE_OK);
		assert_true(memory_held >= 8000000);
		/* Every feed after it ends in the middle of a line: no moment of rest. */
		feed(parser, "\n\ndata", 6);
		feed(parser, ": x\nid: 1\n\nda", 13);
		feed(parser, "ta: x\nid: 2\n\n", 13);
		assert_true(memory_held < 2000000);
	}
	/* One that becomes larger by its repair. */
	feed(parser, "data:", 5);
	assert_int_equal(feed_many(parser, '\xff', 8000000), SSE_OK);
	feed(parser, "\n\n", 2);
	assert_true(memory_held < 2000000);
	sse_parser_free(parser);
	assert_int_equal(memory_held, 0);
}

/* What is left of a block in memory that shrinks is still there. */
static void memory_given_back_is_not_in_use(void **state)
{
	struct log log;
	struct sse_parser *parser = new_parser(&log, 0);

	(void)state;
	parser->block.callbacks.event = NULL; /* not the huge one */
	feed(parser, "data: a\ndata:", 13);
	assert_int_equal(feed_many(parser, 'x', 8000000), SSE_OK);
	feed(parser, "\n\ndata: y\n", 11);
	assert_true(memory_held < 2000000);
	feed(parser, ":\n", 2);
	parser->block.callbacks.event = on_event;
	log.len = 0;
	feed(parser, "data: z\n\n", 9);
	assert_said(&log, "E(message)(y\nz)()");
	sse_parser_free(parser);
}

static void memory_stays_within_the_cap(void **state)
{
	static const char *const HEADS[] = {"data:", "event:", "id:", "retry:", ":"};
	struct sse_callbacks callbacks = {ignore_event, ignore_comment, NULL};
	size_t bytes = 0, i;

	(void)state;
	for (i = 0; i < sizeof(HEADS) / sizeof(HEADS[0]); i++) {
		struct sse_parser *parser = sse_parser_new(&callbacks, &bytes, 1000000);

		feed(parser, HEADS[i], strlen(HEADS[i]));
		assert_int_equal(feed_many(parser, 'x', 2000000), SSE_TOO_LARGE);
		assert_true(memory_held < 1100000);
		sse_parser_end(parser);
		assert_true(memory_held < 600000);
		sse_parser_free(parser);
	}
}

static void unheard_lines_take_no_memory(void **state)
{
	struct sse_callbacks callbacks = {.event = ignore_event};
	size_t bytes = 0;
	struct sse_parser *parser = sse_parser_new(&callbacks, &bytes, 100);

	(void)state;
	feed(parser, "unknown: ", 9);
	assert_int_equal(feed_many(parser, 'x', 1000000), SSE_OK);
	feed(parser, "\n:", 2);
	assert_int_equal(feed_many(parser, 'x', 1000000), SSE_OK);
	assert_true(memory_held < 2000);
	sse_parser_free(parser);
}

/* The last id is the one that was said last. */
static void expect_last_id(const struct sse_parser *parser, const struct log *log)
{
	struct sse_text id = sse_parser_last_id(parser);

	if (log->len < 4 || log->text[log->len - 1] != ')')
		return;
	if (log->text[log->len - 2] == '2')
		assert_int_equal(id.len, 2);
	else if (log->text[log->len - 2] == '1')
		assert_int_equal(id.len, 1);
	else
		return;
	assert_int_equal(id.data[0], log->text[log->len - 2]);
}

/* Refuse the first allocation, then only the second, and so on, until none is left to refuse. */
static void memory_that_is_not_there(void **state)
{
	const char bytes[] =
		"id: 1\ndata: \xff\ndata: b\nevent: \xff\n:\xff\n\nid: 22\ndata: cc\n\nda";
	char long_id[200];
	enum sse_result result = SSE_NO_MEMORY;
	size_t granted, piece, at, len;
	struct sse_parser *parser;
	struct log log;

	(void)state;
	for (granted = 0; granted < 3; granted++) {
		memory_until = granted;
		assert_null(sse_parser_new(&CALLBACKS, &log, 0));
	}
	memory_until = SIZE_MAX;
	for (piece = 1; piece < sizeof(bytes); piece += 6) {
		for (granted = 0; granted < 50; granted++) {
			parser = new_parser(&log, 0);
			memory_until = granted;
			result = SSE_OK;
			for (at = 0; at < sizeof(bytes) - 1 && result == SSE_OK; at += len) {
				len = sizeof(bytes) - 1 - at;
				len = len < piece ? len : piece;
				result = feed(parser, bytes + at, len);
			}
			if (result != SSE_OK) {
				assert_int_equal(result, SSE_NO_MEMORY);
				assert_int_equal(feed(parser, "\n", 1), SSE_NO_MEMORY);
			}
			memory_until = SIZE_MAX;
			/* What was said stays true: short ids are not lost. */
			expect_last_id(parser, &log);
			sse_parser_end(parser);
			log.len = 0;
			assert_int_equal(feed(parser, "data: z\n\n", 9), SSE_OK);
			assert_memory_equal(log.text, "E(message)(z)", 13);
			sse_parser_free(parser);
			if (result == SSE_OK)
				break;
		}
		assert_int_equal(result, SSE_OK);
		assert_true(granted > 0);
	}
	memset(long_id, '1', sizeof(long_id));
	parser = new_parser(&log, 0);
	memory_until = 0;
	assert_false(sse_parser_set_last_id(parser, long_id, sizeof(long_id)));
	memory_until = SIZE_MAX;
	sse_parser_free(parser);
	assert_int_equal(memory_held, 0);
}

/* A line of each length, torn at each place, over the blocks and windows of the search. */
static void lines_of_all_lengths(void **state)
{
	char bytes[2300];
	struct log log;
	size_t len, cut;

	(void)state;
	for (len = 0; len < 2200; len += 1 + len / 50) {
		memcpy(bytes, "data: ", 6);
		memset(bytes + 6, 'x', len);
		memcpy(bytes + 6 + len, "\r\n\r\n", 4);
		for (cut = 0; cut < len + 10; cut += 1 + len / 20) {
			struct sse_parser *parser = new_parser(&log, 0);

			feed(parser, bytes, cut);
			feed(parser, bytes + cut, len + 10 - cut);
			assert_int_equal(log.len, sizeof("E(message)()()") - 1 + len);
			sse_parser_free(parser);
		}
	}
}

static const struct CMUnitTest OTHERS[] = {
	cmocka_unit_test(connections_follow_each_other),
	cmocka_unit_test(an_id_to_start_from),
	cmocka_unit_test(the_id_counts_when_its_block_ends),
	cmocka_unit_test(retry_is_said_when_its_line_ends),
	cmocka_unit_test(a_lone_cr_dispatches_at_once),
	cmocka_unit_test(stopping_tells_how_far_it_came),
	cmocka_unit_test(nothing_is_asked_for),
	cmocka_unit_test(whole_lines_are_not_copied),
	cmocka_unit_test(memory_of_a_huge_event_is_given_back),
	cmocka_unit_test(memory_given_back_is_not_in_use),
	cmocka_unit_test(memory_stays_within_the_cap),
	cmocka_unit_test(unheard_lines_take_no_memory),
	cmocka_unit_test(memory_that_is_not_there),
	cmocka_unit_test(lines_of_all_lengths),
};
#define OTHER_COUNT (sizeof(OTHERS) / sizeof(OTHERS[0]))

static struct CMUnitTest row(const char *name, CMUnitTestFunction function, const void *state)
{
	return (struct CMUnitTest){
		.name = name, .test_func = function, .initial_state = (void *)(uintptr_t)state};
}

int main(void)
{
	struct CMUnitTest tests[OTHER_COUNT + STREAM_COUNT + LIMIT_COUNT];
	size_t i, count = 0;

	for (i = 0; i < STREAM_COUNT; i++)
		tests[count++] = row(STREAMS[i].name, test_stream, &STREAMS[i]);
	for (i = 0; i < LIMIT_COUNT; i++)
		tests[count++] = row(LIMITS[i].name, test_limit, &LIMITS[i]);
	memcpy(tests + count, OTHERS, sizeof(OTHERS));
	return cmocka_run_group_tests_name("sse_parser", tests, NULL, NULL);
}
