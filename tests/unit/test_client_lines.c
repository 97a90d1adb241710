/* SPDX-License-Identifier: MIT */
/* Tests of lib/client/lines.c and framing.c: what becomes of JSON lines, torn anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "framing.h"
#include "lines.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define CAP ((size_t)16)

/* What is handed over: "(data)" for an event, "." for a heartbeat. */
struct heard {
	char text[512];
	size_t len;
	const char *stop; /* at an event with this data; NULL: at none */
	bool stop_blank;
	char id[16];
};

static void add(struct heard *heard, const char *text, size_t len)
{
	assert_true(len < sizeof(heard->text) - heard->len);
	memcpy(heard->text + heard->len, text, len);
	heard->len += len;
	heard->text[heard->len] = '\0';
}

static bool on_event(void *context, const struct sse_event *event)
{
	struct heard *heard = context;

	assert_int_equal(event->type.len, 7);
	assert_memory_equal(event->type.data, "message", 7);
	assert_false(event->has_id);
	snprintf(heard->id, sizeof(heard->id), "%.*s", (int)event->id.len, event->id.data);
	add(heard, "(", 1);
	add(heard, event->data.data, event->data.len);
	add(heard, ")", 1);
	return heard->stop == NULL || strlen(heard->stop) != event->data.len ||
	       memcmp(heard->stop, event->data.data, event->data.len) != 0;
}

static bool on_comment(void *context, struct sse_text text)
{
	struct heard *heard = context;

	assert_int_equal(text.len, 0);
	add(heard, ".", 1);
	return !heard->stop_blank;
}

static const struct sse_callbacks callbacks = {.event = on_event, .comment = on_comment};
static const struct sse_text no_id = {"", 0};

/* Feed in pieces of this size, each in memory of exactly that. */
static enum sse_result feed(struct lines *lines, const char *text, size_t len, size_t size)
{
	enum sse_result result = SSE_OK;

	for (size_t at = 0; at < len && result == SSE_OK;) {
		size_t piece = size < len - at ? size : len - at, used;
		char *copy = malloc(piece);

		assert_non_null(copy);
		memcpy(copy, text + at, piece);
		result = lines_feed(lines, copy, piece, no_id, &used);
		free(copy);
		assert_true(result != SSE_OK || used == piece);
		at += used;
	}
	return result;
}

/* --- lines ------------------------------------------------------------------------------------ */

#define TEXT(text) text, sizeof(text) - 1

static const struct row {
	const char *text;
	size_t len;
	const char *want;		   /* before the end */
	const char *dry, *whole, *flushed; /* more at the end; NULL: "!", the line is cut */
} rows[] = {
	{TEXT(""), "", "", "", ""},
	{TEXT("{\"a\":1}\n"), "({\"a\":1})", "", "", ""},
	{TEXT("1\n2\r\n3\n"), "(1)(2)(3)", "", "", ""},
	/* What belongs to the line, and what does not. */
	{TEXT(" [1, 2]\t\n"), "( [1, 2]\t)", "", "", ""},
	{TEXT("a\r\r\nb\rc\n"), "(a\r)(b\rc)", "", "", ""},
	{TEXT("\xef\xbb\xbf{}\n\xef\xbb\xbf{}\n"), "({})(\xef\xbb\xbf{})", "", "", ""},
	{TEXT("\xef\xbb\xbf\n{}\n"), ".({})", "", "", ""},
	{TEXT("\xef\xbb\n"), "(\xef\xbf\xbd)", "", "", ""},
	{TEXT("\x1e{}\n\x1e\x1e[]\n\x1e\n"), "({})([]).", "", "", ""},
	{TEXT("\xef\xbb\xbf\x1e{}\n{\x1e}\n"), "({})({\x1e})", "", "", ""},
	/* Heartbeats. */
	{TEXT("\n\r\n \t\n1\n\n"), "...(1).", "", "", ""},
	/* Text, and what is not UTF-8. */
	{TEXT("data: x\n: y\n"), "(data: x)(: y)", "", "", ""},
	{TEXT("a\xff\xc3\n\xc3\xa9\n"), "(a\xef\xbf\xbd\xef\xbf\xbd)(\xc3\xa9)", "", "", ""},
	/* A last line without an end: complete JSON but for numbers, whose digits may be missing. */
	{TEXT("1\n{\"a\":1}"), "(1)", NULL, "({\"a\":1})", "({\"a\":1})"},
	{TEXT("[1]\r"), "", NULL, "([1])", "([1])"},
	{TEXT("\xef\xbb\xbf\x1e\"s\" "), "", NULL, "(\"s\" )", "(\"s\" )"},
	{TEXT("true"), "", NULL, "(true)", "(true)"},
	{TEXT("12"), "", NULL, NULL, "(12)"},
	{TEXT("-1.5e3"), "", NULL, NULL, "(-1.5e3)"},
	{TEXT("{\"a\":"), "", NULL, NULL, "({\"a\":)"},
	{TEXT("text"), "", NULL, NULL, "(text)"},
	{TEXT("\xc3"), "", NULL, NULL, "(\xef\xbf\xbd)"},
	{TEXT("1\n \t"), "(1)", "", "", ""},
	{TEXT("1\n\r"), "(1)", "", "", ""},
	{TEXT("\x1e"), "", "", "", ""},
	/* Up to the cap. */
	{TEXT("\xff\xff\xff\xff\xff\n"),
		"(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd)", "", "", ""},
	{TEXT("0123456789abcdef\r\n"), "(0123456789abcdef)", "", "", ""},
	{TEXT("\xef\xbb\xbf\x1e"
	      "0123456789abcdef\r\n1\n"),
		"(0123456789abcdef)(1)", "", "", ""},
};

static void assert_end(const struct row *row, size_t size, bool whole, bool flush)
{
	const char *more = flush ? row->flushed : whole ? row->whole : row->dry;
	char want[512];
	struct heard heard = {0};
	enum sse_result result;
	struct lines lines;
	enum lines_end end;

	lines_init(&lines, &callbacks, &heard, CAP);
	/* The second time begins like the first. */
	for (int again = 0; again < 2; again++) {
		heard.len = 0;
		*heard.text = '\0';
		assert_int_equal(feed(&lines, row->text, row->len, size), SSE_OK);
		end = lines_end(&lines, whole, flush, no_id, &result);
		assert_int_equal(result, SSE_OK);
		snprintf(want, sizeof(want), "%s%s", row->want, more != NULL ? more : "");
		if (strcmp(heard.text, want) != 0)
			fail_msg("row %zu, by %zu: '%s' instead of '%s'", (size_t)(row - rows),
				size, heard.text, want);
		assert_int_equal(end, more == NULL    ? LINES_CUT
				      : *more == '\0' ? LINES_WHOLE
						      : LINES_SHOWN);
	}
	lines_free(&lines);
}

static void lines_torn_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		for (size_t size = 1; size <= rows[i].len + 1; size++) {
			assert_end(&rows[i], size, false, false);
			assert_end(&rows[i], size, true, false);
			assert_end(&rows[i], size, false, true);
			assert_end(&rows[i], size, true, true);
		}
	}
}

static void a_nul_is_a_byte_like_others(void **state)
{
	struct heard heard = {0};
	struct lines lines;

	(void)state;
	lines_init(&lines, &callbacks, &heard, CAP);
	assert_int_equal(feed(&lines, "a\0b\n\0\n", 6, 6), SSE_OK);
	assert_int_equal(heard.len, 8);
	assert_memory_equal(heard.text, "(a\0b)(\0)", 8);
	lines_free(&lines);
}

static void a_line_beyond_the_cap_is_too_large_for_good(void **state)
{
	static const char *const texts[] = {"1\n0123456789abcdefg\n2\n",
		"1\n\xff\xff\xff\xff\xff\xff\n2\n", "1\n0123456789abcdef0123456789abcdef",
		"1\n\x1e\x1e\x1e\x1e\x1e\x1e\x1e\x1e\x1e\x1e\x1e"
		"\x1e\x1e\x1e\x1e\x1e\x1e\x1e\x1e\x1e\x1e\x1e"
		"\x1e\x1e\x1e\x1e\x1e\n"};

	(void)state;
	for (size_t i = 0; i < ROWS(texts); i++) {
		for (size_t size = 1; size <= strlen(texts[i]); size++) {
			struct heard heard = {0};
			enum sse_result result;
			struct lines lines;
			size_t used = 9;

			lines_init(&lines, &callbacks, &heard, CAP);
			assert_int_equal(
				feed(&lines, texts[i], strlen(texts[i]), size), SSE_TOO_LARGE);
			assert_string_equal(heard.text, "(1)");
			assert_int_equal(lines_feed(&lines, "3\n", 2, no_id, &used), SSE_TOO_LARGE);
			assert_int_equal(used, 0);
			assert_int_equal(
				lines_end(&lines, true, true, no_id, &result), LINES_WHOLE);
			assert_int_equal(result, SSE_TOO_LARGE);
			/* The next stream is another one. */
			assert_int_equal(feed(&lines, "4\n", 2, 2), SSE_OK);
			assert_string_equal(heard.text, "(1)(4)");
			lines_free(&lines);
		}
	}
}

static void stopped_it_says_how_far_it_is_and_goes_on(void **state)
{
	static const char text[] = "1\n\n2\r\n3\n4";
	static const struct {
		const char *stop; /* NULL: at a blank line */
		size_t used;
		const char *first, *then;
	} stops[] = {
		{"1", 2, "(1)", ".(2)(3)"},
		{NULL, 3, "(1).", "(2)(3)"},
		{"2", 6, "(1).(2)", "(3)"},
		{"3", 8, "(1).(2)(3)", ""},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(stops); i++) {
		/* Torn at each place before the stop. */
		for (size_t torn = 0; torn < stops[i].used; torn++) {
			struct heard heard = {
				.stop = stops[i].stop, .stop_blank = stops[i].stop == NULL};
			enum sse_result result;
			struct lines lines;
			size_t used, at = stops[i].used;

			lines_init(&lines, &callbacks, &heard, CAP);
			assert_int_equal(feed(&lines, text, torn, torn), SSE_OK);
			assert_int_equal(
				lines_feed(&lines, text + torn, strlen(text) - torn, no_id, &used),
				SSE_STOP);
			assert_int_equal(torn + used, at);
			assert_string_equal(heard.text, stops[i].first);
			heard = (struct heard){0};
			assert_int_equal(
				lines_feed(&lines, text + at, strlen(text) - at, no_id, NULL),
				SSE_OK);
			assert_string_equal(heard.text, stops[i].then);
			assert_int_equal(
				lines_end(&lines, false, true, no_id, &result), LINES_SHOWN);
			lines_free(&lines);
		}
	}
}

static void callbacks_may_be_left_out(void **state)
{
	static const struct sse_callbacks none = {0};
	enum sse_result result;
	struct lines lines;

	(void)state;
	lines_init(&lines, &none, NULL, CAP);
	assert_int_equal(feed(&lines, "1\n\n[]", 5, 1), SSE_OK);
	assert_int_equal(lines_end(&lines, true, false, no_id, &result), LINES_SHOWN);
	lines_free(&lines);
}

/* --- framing ---------------------------------------------------------------------------------- */

static void the_type_chooses_or_the_user(void **state)
{
	static const struct {
		const char *type;
		bool lines, is, has_ids;
	} types[] = {
		{"text/event-stream", false, true, true},
		{"text/event-stream; charset=utf-8", false, true, true},
		{"application/x-ndjson", false, true, false},
		{"Application/NDJSON;charset=utf-8", false, true, false},
		{"application/jsonl", false, true, false},
		{"application/json-seq", false, true, false},
		{"application/stream+json", false, true, false},
		{"application/json", false, false, false},
		{"application/jsonlx", false, false, false},
		{"text/plain", false, false, false},
		{"", false, false, false},
		{"application/json", true, true, false},
		{"", true, true, false},
		{"text/event-stream", true, true, false},
	};
	struct heard heard = {0};
	struct framing framing;

	(void)state;
	assert_true(framing_open(&framing, &callbacks, &heard, NULL));
	for (size_t i = 0; i < ROWS(types); i++) {
		struct client_answer answer = {.status = 200};

		snprintf(answer.type, sizeof(answer.type), "%s", types[i].type);
		if (framing_begin(&framing, &answer, types[i].lines) != types[i].is)
			fail_msg("row %zu", i);
		if (types[i].is && framing.kind->has_ids != types[i].has_ids)
			fail_msg("row %zu is of the other kind", i);
	}
	framing_free(&framing);
	assert_string_equal(framing_accept(false), "text/event-stream");
	assert_non_null(strstr(framing_accept(true), "application/x-ndjson"));
}

static bool begin(struct framing *framing, const char *type)
{
	struct client_answer answer = {.status = 200};

	snprintf(answer.type, sizeof(answer.type), "%s", type);
	return framing_begin(framing, &answer, false);
}

static void assert_last_id(const struct framing *framing, const char *want)
{
	struct sse_text id = framing_last_id(framing);

	assert_int_equal(id.len, strlen(want));
	assert_memory_equal(id.data, want, id.len);
}

static void the_last_id_outlives_a_stream_of_lines(void **state)
{
	struct heard heard = {0};
	struct framing framing;
	enum sse_result result;
	char id[] = "a:1";

	(void)state;
	assert_true(framing_open(&framing, &callbacks, &heard, id));
	memset(id, 'x', strlen(id));
	assert_true(begin(&framing, "application/jsonl"));
	assert_int_equal(framing_feed(&framing, "1\n{}", 4, NULL), SSE_OK);
	assert_string_equal(heard.id, "a:1");
	assert_int_equal(framing_end(&framing, true, false, &result), LINES_SHOWN);
	assert_last_id(&framing, "a:1");
	assert_true(begin(&framing, "text/event-stream"));
	assert_int_equal(framing_end(&framing, true, false, &result), LINES_WHOLE);
	assert_int_equal(framing_feed(&framing, "id: a:2\n\nid: a:3\nda", 19, NULL), SSE_OK);
	assert_int_equal(framing_end(&framing, true, false, &result), LINES_CUT);
	assert_last_id(&framing, "a:2");
	assert_true(begin(&framing, "application/jsonl"));
	assert_int_equal(framing_feed(&framing, "2\n", 2, NULL), SSE_OK);
	assert_string_equal(heard.id, "a:2");
	assert_string_equal(heard.text, "(1)({})(2)");
	framing_free(&framing);
	assert_false(framing_open(&framing, &callbacks, &heard, "a\nb"));
	framing_free(&framing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_torn_anywhere),
		cmocka_unit_test(a_nul_is_a_byte_like_others),
		cmocka_unit_test(a_line_beyond_the_cap_is_too_large_for_good),
		cmocka_unit_test(stopped_it_says_how_far_it_is_and_goes_on),
		cmocka_unit_test(callbacks_may_be_left_out),
		cmocka_unit_test(the_type_chooses_or_the_user),
		cmocka_unit_test(the_last_id_outlives_a_stream_of_lines),
	};

	return cmocka_run_group_tests_name("lines", tests, NULL, NULL);
}
