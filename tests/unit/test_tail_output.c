/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-tail/output*.c: each format byte by byte, NULs and the terminal's dangers too.
 */
#include <fcntl.h>
#include <locale.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "client_run.h"
#include "output.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ORIGIN "http://localhost:8000"
#define TEXT(text)                                                                                 \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

/* What is printed of an event, in a terminal or not. */
struct row {
	struct output_options options;
	const char *format;
	bool terminal;
	struct sse_event event;
	struct sse_text want;
};

static void open_output(struct output *output, struct output_options *options, const char *format)
{
	options->format = output_format_find(format);
	assert_true(options->format >= 0);
	output_init(output, options, CLIENT_NEVER);
}

static void assert_bytes(const struct output *output, struct sse_text want, const char *format)
{
	const struct buf *bytes = &output->bytes;

	if (bytes->len == want.len &&
		(want.len == 0 || memcmp(bytes->data, want.data, want.len) == 0))
		return;
	fail_msg("%s: %zu bytes instead of %zu:\n'%.*s' instead of\n'%.*s'", format, bytes->len,
		want.len, (int)bytes->len, bytes->data, (int)want.len, want.data);
}

static void assert_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct output_options options = rows[i].options;
		struct error error = {0};
		struct output output;

		if (options.stamp == STAMP_ISO)
			options.stamp = STAMP_NONE;
		open_output(&output, &options, rows[i].format);
		output.terminal = rows[i].terminal;
		assert_int_equal(output_event(&output, &rows[i].event, ORIGIN, &error), 0);
		assert_bytes(&output, rows[i].want, rows[i].format);
		output_free(&output);
	}
}

/* --- json ------------------------------------------------------------------------------------- */

static void json_is_a_line_that_holds_any_event(void **state)
{
	static const struct row rows[] = {
		{.format = "json",
			.event = {TEXT("update"), TEXT("{\"a\":1}"), TEXT("a:1"), true},
			.want = TEXT(
				"{\"event\":\"update\",\"data\":\"{\\\"a\\\":1}\",\"id\":\"a:1\","
				"\"origin\":\"" ORIGIN "\"}\n")},
		{.format = "json",
			.event = {TEXT("a\0b"), TEXT("c\0\nd\r\t\x7f\xe2\x80\xa8\""), TEXT(""),
				false},
			.want = TEXT("{\"event\":\"a\\u0000b\",\"data\":\"c\\u0000\\nd\\r\\t\\u007f"
				     "\\u2028\\\"\",\"id\":\"\",\"origin\":\"" ORIGIN "\"}\n")},
		/* In a terminal a character is shown as JSON writes it: it is the same text. */
		{.format = "json",
			.terminal = true,
			.event = {TEXT("\xc2\x9b"), TEXT("\xe2\x80\xae\xef\xbb\xbf"), TEXT("\033"),
				false},
			.want = TEXT("{\"event\":\"\\u009b\",\"data\":\"\\u202e\\ufeff\",\"id\":"
				     "\"\\u001b\",\"origin\":\"" ORIGIN "\"}\n")},
		{.format = "json",
			.event = {TEXT("\xc2\x9b"), TEXT("\xe2\x80\xae"), TEXT(""), false},
			.want = TEXT(
				"{\"event\":\"\xc2\x9b\",\"data\":\"\xe2\x80\xae\",\"id\":\"\","
				"\"origin\":\"" ORIGIN "\"}\n")},
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
}

static void nest_embeds_what_is_json_but_for_strings(void **state)
{
	static const struct {
		const char *data, *want;
	} rows[] = {
		{"{ \"a\" : 1.10 }", "{\"a\":1.10}"},
		{"[\n1 ]", "[1]"},
		{"123456789012345678901234567890", "123456789012345678901234567890"},
		{"null", "null"},
		{"\"text\"", "\"\\\"text\\\"\""},
		{"{\"a\":", "\"{\\\"a\\\":\""},
		{"", "\"\""},
		{"1 2", "\"1 2\""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char want[200];
		struct row row = {.options = {.nest = true},
			.format = "json",
			.event = {
				TEXT("e"), {rows[i].data, strlen(rows[i].data)}, TEXT(""), false}};

		snprintf(want, sizeof(want),
			"{\"event\":\"e\",\"data\":%s,\"id\":\"\",\"origin\":\"" ORIGIN "\"}\n",
			rows[i].want);
		row.want = (struct sse_text){want, strlen(want)};
		assert_rows(&row, 1);
	}
}

/* --- data, and what ends an event ------------------------------------------------------------- */

static void data_is_the_data_and_what_ends_an_event_can_be_chosen(void **state)
{
	static const struct row rows[] = {
		{.format = "data",
			.event = {TEXT("e"), TEXT("a\n\nb"), TEXT(""), false},
			.want = TEXT("a\n\nb\n")},
		{.format = "data",
			.event = {TEXT("e"), TEXT(""), TEXT(""), false},
			.want = TEXT("\n")},
		{.format = "data",
			.event = {TEXT("e"), TEXT("\0a\0"), TEXT(""), false},
			.want = TEXT("\0a\0\n")},
		{.options = {.nul = true},
			.format = "data",
			.event = {TEXT("e"), TEXT("a\nb"), TEXT(""), false},
			.want = TEXT("a\nb\0")},
		{.options = {.join = true},
			.format = "data",
			.event = {TEXT("e"), TEXT(" a"), TEXT(""), false},
			.want = TEXT(" a")},
		{.options = {.nul = true},
			.format = "json",
			.event = {TEXT("e"), TEXT("a"), TEXT(""), false},
			.want = TEXT(
				"{\"event\":\"e\",\"data\":\"a\",\"id\":\"\",\"origin\":\"" ORIGIN
				"\"}\0")},
		{.format = "data",
			.terminal = true,
			.event = {TEXT("e"), TEXT("a\033[2J\r\n\tb\0\x7f\xc2\x9b\xe2\x80\xae"),
				TEXT(""), false},
			.want = TEXT("a\\u001b[2J\\r\n\tb\\u0000\\u007f\\u009b\\u202e\n")},
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
}

/* --- sse -------------------------------------------------------------------------------------- */

static void sse_writes_the_id_where_it_changes(void **state)
{
	static const struct sse_event events[] = {
		{TEXT("message"), TEXT("1"), TEXT(""), false},
		{TEXT("message"), TEXT("2"), TEXT("a"), true},
		{TEXT("message"), TEXT("3"), TEXT("a"), false},
		{TEXT("update"), TEXT("4\n5"), TEXT("a"), true},
		{TEXT("update"), TEXT(""), TEXT(""), true},
		{TEXT("\0"), TEXT("\0"), TEXT("b"), true},
		/* Out of JSON text comes what no stream could bring. */
		{TEXT("message"), TEXT("x\ry\r\nid: z\n\nevent: w"), TEXT("b"), false},
	};
	static const struct sse_text want = TEXT("data: 1\n\n"
						 "data: 2\nid: a\n\n"
						 "data: 3\n\n"
						 "event: update\ndata: 4\ndata: 5\n\n"
						 "event: update\ndata: \nid: \n\n"
						 "event: \0\ndata: \0\nid: b\n\n"
						 "data: x\ndata: y\ndata: id: z\ndata: \n"
						 "data: event: w\n\n");
	struct output_options options = {.stamp = STAMP_NONE};
	struct error error = {0};
	struct output output;

	(void)state;
	open_output(&output, &options, "sse");
	for (size_t i = 0; i < COUNT(events); i++)
		assert_int_equal(output_event(&output, &events[i], ORIGIN, &error), 0);
	assert_bytes(&output, want, "sse");
	output_free(&output);
}

/* --- pretty ----------------------------------------------------------------------------------- */

/* Print an event with --time=delta, whose first time is known. */
static void assert_pretty(struct sse_event event, int colour, struct sse_text want)
{
	struct output_options options = {.stamp = STAMP_DELTA, .colour = colour};
	struct error error = {0};
	struct output output;

	open_output(&output, &options, "pretty");
	assert_int_equal(output_event(&output, &event, ORIGIN, &error), 0);
	assert_bytes(&output, want, "pretty");
	output_free(&output);
}

/* Twenty bytes. */
#define WORDS "words, more of them "

static void pretty_is_one_line_where_the_data_fits(void **state)
{
	(void)state;
	assert_pretty((struct sse_event){TEXT("update"), TEXT("{ \"b\": 1.0, \"a\":[1, 2,3] }"),
			      TEXT("x:1"), true},
		TERMINAL_NEVER,
		(struct sse_text)TEXT("0.000 update x:1  {\"b\": 1.0, \"a\": [1,2,3]}\n"));
	assert_pretty((struct sse_event){TEXT("message"), TEXT("some text"), TEXT("x:1"), false},
		TERMINAL_NEVER, (struct sse_text)TEXT("0.000 message  some text\n"));
	assert_pretty((struct sse_event){TEXT("message"), TEXT(""), TEXT(""), true}, TERMINAL_NEVER,
		(struct sse_text)TEXT("0.000 message\n"));
}

static void pretty_has_the_data_below_where_it_does_not_fit(void **state)
{
	(void)state;
	/* An id that this event did not bring is not its own. */
	assert_pretty((struct sse_event){TEXT("message"), TEXT("a\nb"), TEXT("x:1"), false},
		TERMINAL_NEVER, (struct sse_text)TEXT("0.000 message\n  a\n  b\n"));
	/* 80 columns are room for 65 after "0.000 message  "; and for 78 below. */
	assert_pretty((struct sse_event){TEXT("message"), TEXT(WORDS WORDS WORDS "12345"), TEXT(""),
			      false},
		TERMINAL_NEVER,
		(struct sse_text)TEXT("0.000 message  " WORDS WORDS WORDS "12345\n"));
	assert_pretty((struct sse_event){TEXT("message"), TEXT(WORDS WORDS WORDS "123456"),
			      TEXT(""), false},
		TERMINAL_NEVER,
		(struct sse_text)TEXT("0.000 message\n  " WORDS WORDS WORDS "123456\n"));
	assert_pretty((struct sse_event){TEXT("message"), TEXT("[1,\"" WORDS WORDS WORDS "\"]"),
			      TEXT(""), false},
		TERMINAL_NEVER,
		(struct sse_text)TEXT("0.000 message\n  [1,\"" WORDS WORDS WORDS "\"]\n"));
	assert_pretty((struct sse_event){TEXT("message"),
			      TEXT("{\"t\":\"" WORDS WORDS WORDS "\", \"at\": [48.2, 16.4]}"),
			      TEXT(""), false},
		TERMINAL_NEVER,
		(struct sse_text)TEXT("0.000 message\n  {\n    \"t\": \"" WORDS WORDS WORDS
				      "\",\n    \"at\": [48.2,16.4]\n  }\n"));
}

/* What an envelope says is shown: the topic only if there are several, and instead of the id. */
static void pretty_shows_what_the_envelope_says(void **state)
{
	static const struct sse_event event = {
		TEXT("message"), TEXT("{\"n\":1}"), TEXT("x:1"), true};
	struct envelope envelope = {
		.topic = TEXT("chat/lobby"), .subject = TEXT(""), .time = INT64_C(1764533261509)};
	struct output_options options = {.stamp = STAMP_ISO};
	struct error error = {0};
	struct output output;

	(void)state;
	for (int many = 0; many < 2; many++) {
		options.topics = many;
		open_output(&output, &options, "pretty");
		output_about(&output, &envelope);
		assert_int_equal(output_event(&output, &event, ORIGIN, &error), 0);
		assert_int_equal(output_comment(&output, (struct sse_text)TEXT("x"), &error), 0);
		/* The envelope tells nothing of a comment. */
		assert_null(
			memmem(output.bytes.data + 30, output.bytes.len - 30, "2025-11-30", 10));
		output.bytes.len =
			(size_t)((char *)memchr(output.bytes.data, '\n', output.bytes.len) + 1 -
				 output.bytes.data);
		assert_bytes(&output,
			many ? (struct sse_text)TEXT("2025-11-30T20:07:41.509Z chat/lobby message  "
						     "{\"n\": 1}\n")
			     : (struct sse_text)TEXT("2025-11-30T20:07:41.509Z message x:1  "
						     "{\"n\": 1}\n"),
			"pretty");
		output_free(&output);
	}
	envelope.subject = (struct sse_text)TEXT("web-1");
	open_output(&output, &options, "pretty");
	output_about(&output, &envelope);
	assert_int_equal(output_event(&output, &event, ORIGIN, &error), 0);
	assert_bytes(&output,
		(struct sse_text)TEXT("2025-11-30T20:07:41.509Z chat/lobby message web-1  "
				      "{\"n\": 1}\n"),
		"pretty");
	output_free(&output);
}

static void pretty_obeys_nothing_of_the_stream(void **state)
{
	(void)state;
	assert_pretty((struct sse_event){TEXT("\033[1m\0"), TEXT("\033]0;t\007\n\t\x7f\0"),
			      TEXT("\xe2\x80\xae"), true},
		TERMINAL_NEVER,
		(struct sse_text)TEXT("0.000 \\u001b[1m\\u0000 \\u202e\n  \\u001b]0;t\\u0007\n"
				      "  \\t\\u007f\\u0000\n"));
	assert_pretty(
		(struct sse_event){TEXT("m"), TEXT("[\"\xc2\x9b\\u001b\x7f\"]"), TEXT(""), false},
		TERMINAL_NEVER, (struct sse_text)TEXT("0.000 m  [\"\\u009b\\u001b\\u007f\"]\n"));
	assert_pretty(
		(struct sse_event){TEXT("gap"),
			TEXT("{\"reason\":\"\\u001b[2J\",\"after\":\"\\u202e\"}"), TEXT(""), false},
		TERMINAL_NEVER,
		(struct sse_text)TEXT("0.000 events are missing here: those after \\u202e are gone "
				      "(\\u001b[2J)\n"));
}

static void pretty_colours_end_where_they_began(void **state)
{
	(void)state;
	assert_pretty(
		(struct sse_event){TEXT("e"), TEXT("{\"a\":[1,true,\"s\"]}"), TEXT("i"), true},
		TERMINAL_ALWAYS,
		(struct sse_text)TEXT("\033[2m0.000\033[0m \033[1;36me\033[0m \033[2mi\033[0m"
				      "  {\033[36m\"a\"\033[0m: [\033[33m1\033[0m,"
				      "\033[35mtrue\033[0m,\033[32m\"s\"\033[0m]}\n"));
}

/* --- template --------------------------------------------------------------------------------- */

static void a_template_is_filled_word_by_word(void **state)
{
	static const struct row rows[] = {
		{.options = {.template = "%e|%i|%d|%D|%o|%n|%%|\\n\\t\\\\\\0."},
			.format = "template",
			.event = {TEXT("a\0b"), TEXT("x \"y\""), TEXT("1"), false},
			.want = TEXT("a\0b|1|x \"y\"|\"x \\\"y\\\"\"|" ORIGIN "|1|%|\n\t\\\0.\n")},
		{.options = {.template = "%D", .join = true},
			.format = "template",
			.event = {TEXT("a"), TEXT("{ \"k\" : 1.0 }"), TEXT(""), false},
			.want = TEXT("{\"k\":1.0}")},
		{.options = {.template = "", .nul = true},
			.format = "template",
			.event = {TEXT("a"), TEXT("b"), TEXT(""), false},
			.want = TEXT("\0")},
		/* What the user writes steers the terminal, what the stream brings does not. */
		{.options = {.template = "\\e[1m%e%d\\e[0m"},
			.format = "template",
			.terminal = true,
			.event = {TEXT("\033[2J"), TEXT("\033[3J\n"), TEXT(""), false},
			.want = TEXT("\033[1m\\u001b[2J\\u001b[3J\n\033[0m\n")},
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
}

static void a_template_that_makes_no_sense_is_refused(void **state)
{
	static const char *const good[] = {"", "%%", "x", "%e%i%d%D%o%t%T%n", "\\\\%d\\e\\0\\r"};
	static const char *const wrong[] = {"%", "%q", "a%", "\\", "\\x", "%d\\", "% d", "%-e"};
	struct error error = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_int_equal(output_template_check(good[i], &error), 0);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		if (output_template_check(wrong[i], &error) != -1)
			fail_msg("'%s' is taken", wrong[i]);
		assert_int_equal(error.status, EX_USAGE);
	}
}

/* --- times ------------------------------------------------------------------------------------ */

static void assert_stamp(const char *format, int stamp, const char *before, const char *like)
{
	static const struct sse_event event = {TEXT("e"), TEXT("d"), TEXT(""), false};
	struct output_options options = {.stamp = stamp, .template = "%t"};
	struct error error = {0};
	struct output output;
	size_t skipped = strlen(before);

	open_output(&output, &options, format);
	assert_int_equal(output_event(&output, &event, ORIGIN, &error), 0);
	assert_true(output.bytes.len >= skipped + strlen(like));
	assert_memory_equal(output.bytes.data, before, skipped);
	for (size_t i = 0; like[i] != '\0'; i++) {
		char c = output.bytes.data[skipped + i];

		if (like[i] == '9' ? c < '0' || c > '9' : c != like[i])
			fail_msg("%s: '%.*s' is not like '%s'", format, (int)output.bytes.len,
				output.bytes.data, like);
	}
	output_free(&output);
}

static void a_time_is_before_the_data_or_a_member(void **state)
{
	(void)state;
	assert_stamp("data", STAMP_ISO, "", "9999-99-99T99:99:99.999Z d\n");
	assert_stamp("data", STAMP_UNIX, "", "9999999999.999 d\n");
	assert_stamp("data", STAMP_DELTA, "", "0.000 d\n");
	assert_stamp("template", STAMP_ISO, "", "9999-99-99T99:99:99.999Z\n");
	assert_stamp("template", STAMP_NONE, "", "99:99:99\n");
	assert_stamp("pretty", STAMP_NONE, "", "99:99:99 e  d\n");
	assert_stamp("pretty", STAMP_ISO, "", "9999-99-99T99:99:99.999Z e  d\n");
	assert_stamp("json", STAMP_UNIX,
		"{\"event\":\"e\",\"data\":\"d\",\"id\":\"\",\"origin\":\"" ORIGIN "\",\"time\":",
		"9999999999.999}\n");
	assert_stamp("json", STAMP_ISO,
		"{\"event\":\"e\",\"data\":\"d\",\"id\":\"\",\"origin\":\"" ORIGIN "\",\"time\":\"",
		"9999-99-99T99:99:99.999Z\"}\n");
}

/* Print an event that was published at this time, in a format with the time alone. */
static void assert_published(struct output *output, int64_t time, const char *want)
{
	static const struct sse_event event = {TEXT("e"), TEXT("d"), TEXT(""), false};
	const struct envelope envelope = {.time = time};
	struct error error = {0};

	output->bytes.len = 0;
	output_about(output, &envelope);
	assert_int_equal(output_event(output, &event, ORIGIN, &error), 0);
	assert_bytes(output, (struct sse_text){want, strlen(want)}, "template");
	output_about(output, NULL);
}

static void a_time_is_that_of_publishing_where_it_is_known(void **state)
{
	const int64_t at = INT64_C(1764533261509);
	struct output_options options = {.template = "%t"};
	struct output output;

	(void)state;
	setenv("TZ", "UTC", 1);
	options.stamp = STAMP_UNIX;
	open_output(&output, &options, "template");
	assert_published(&output, at, "1764533261.509\n");
	output_free(&output);
	/* Another day's time of day says nothing without the date. */
	options.stamp = STAMP_NONE;
	open_output(&output, &options, "template");
	assert_published(&output, at, "2025-11-30 20:07:41\n");
	output_free(&output);
	/* From event to event, as they were published; they may be older than those before. */
	options.stamp = STAMP_DELTA;
	open_output(&output, &options, "template");
	assert_published(&output, at, "0.000\n");
	assert_published(&output, at + 61500, "61.500\n");
	assert_published(&output, at + 61000, "-0.500\n");
	output_free(&output);
}

/* --- comments --------------------------------------------------------------------------------- */

static void comments_are_shown_by_the_formats_that_can(void **state)
{
	static const struct {
		const char *format;
		bool terminal;
		struct sse_text text, want;
	} rows[] = {
		{"json", false, TEXT(" a\0\"b"), TEXT("{\"comment\":\" a\\u0000\\\"b\"}\n")},
		{"json", true, TEXT("\xc2\x9b"), TEXT("{\"comment\":\"\\u009b\"}\n")},
		{"sse", false, TEXT(" a"), TEXT(": a\n\n")},
		{"sse", true, TEXT(" \033"), TEXT(": \\u001b\n\n")},
		{"data", false, TEXT("a"), TEXT("")},
		{"template", false, TEXT("a"), TEXT("")},
		{"raw", false, TEXT("a"), TEXT("")},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct output_options options = {.stamp = STAMP_NONE, .template = "x"};
		struct error error = {0};
		struct output output;

		open_output(&output, &options, rows[i].format);
		output.terminal = rows[i].terminal;
		assert_int_equal(output_comment(&output, rows[i].text, &error), 0);
		assert_bytes(&output, rows[i].want, rows[i].format);
		output_free(&output);
	}
}

/* --- writing ---------------------------------------------------------------------------------- */

static void what_waits_is_written_with_its_piece_and_half_an_event_never(void **state)
{
	static const struct sse_event event = {TEXT("e"), TEXT("some data"), TEXT(""), false};
	struct output_options options = {.stamp = STAMP_NONE};
	struct error error = {0};
	struct output output;
	char bytes[64];
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	open_output(&output, &options, "data");
	output.fd = ends[1];
	assert_int_equal(output_event(&output, &event, ORIGIN, &error), 0);
	assert_int_equal(output_piece(&output, "ignored", 7, &error), 0);
	assert_int_equal(read(ends[0], bytes, sizeof(bytes)), 10);
	assert_memory_equal(bytes, "some data\n", 10);
	assert_int_equal(output.bytes.len, 0);
	/* No room for all of it: nothing of it stays. */
	buf_free(&output.bytes);
	buf_init(&output.bytes, 12);
	assert_int_equal(output_event(&output, &event, ORIGIN, &error), 0);
	assert_int_equal(output_event(&output, &event, ORIGIN, &error), -1);
	assert_int_equal(error.status, EX_OSERR);
	assert_int_equal(output.bytes.len, 10);
	/* Nobody reads any more. */
	close(ends[0]);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(output_piece(&output, "", 0, &error), -1);
	assert_int_equal(error.status, 128 + SIGPIPE);
	assert_string_equal(error.text, "");
	close(ends[1]);
	output_free(&output);
}

static void raw_writes_the_pieces_alone(void **state)
{
	static const struct sse_event event = {TEXT("e"), TEXT("some data"), TEXT(""), false};
	struct output_options options = {.stamp = STAMP_NONE};
	struct error error = {0};
	struct output output;
	char bytes[64];
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	open_output(&output, &options, "raw");
	output.fd = ends[1];
	assert_int_equal(output_event(&output, &event, ORIGIN, &error), 0);
	assert_int_equal(output_piece(&output, "data:\0\xff\n", 8, &error), 0);
	assert_int_equal(read(ends[0], bytes, sizeof(bytes)), 8);
	assert_memory_equal(bytes, "data:\0\xff\n", 8);
	close(ends[0]);
	close(ends[1]);
	output_free(&output);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_a_line_that_holds_any_event),
		cmocka_unit_test(nest_embeds_what_is_json_but_for_strings),
		cmocka_unit_test(data_is_the_data_and_what_ends_an_event_can_be_chosen),
		cmocka_unit_test(sse_writes_the_id_where_it_changes),
		cmocka_unit_test(pretty_is_one_line_where_the_data_fits),
		cmocka_unit_test(pretty_has_the_data_below_where_it_does_not_fit),
		cmocka_unit_test(pretty_shows_what_the_envelope_says),
		cmocka_unit_test(pretty_obeys_nothing_of_the_stream),
		cmocka_unit_test(pretty_colours_end_where_they_began),
		cmocka_unit_test(a_template_is_filled_word_by_word),
		cmocka_unit_test(a_template_that_makes_no_sense_is_refused),
		cmocka_unit_test(a_time_is_before_the_data_or_a_member),
		cmocka_unit_test(a_time_is_that_of_publishing_where_it_is_known),
		cmocka_unit_test(comments_are_shown_by_the_formats_that_can),
		cmocka_unit_test(what_waits_is_written_with_its_piece_and_half_an_event_never),
		cmocka_unit_test(raw_writes_the_pieces_alone),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
