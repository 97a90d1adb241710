/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing what sse-tail prints: libFuzzer's entry and, with -DFUZZ_STANDALONE, a driver of its own,
 *
 *     fuzz_tail_output SECONDS [SEED]
 *
 * that mutates event streams, the same ones in the same order for the same seed.  The first byte
 * chooses options, the second the width of a terminal, the rest is a stream.  For each event of it,
 * and for what filters with pointers and presets make of it:
 * 1. in a terminal pretty, data, sse and a template hold nothing that could steer it: no control
 *    but line ends (and tabs, where the data stands as it is), our own colours, and valid UTF-8;
 * 2. pretty's lines are no wider than the terminal, and but for line ends, indents and ellipses
 *    they are what they are in a terminal of endless width;
 * 3. a line of JSON is JSON, in a terminal too, and decodes to the event; with --nest it embeds
 *    the value that came;
 * 4. what sse writes is, parsed again, the same events.
 */
#include <fcntl.h>
#include <locale.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "client_run.h"
#include "filter.h"
#include "json.h"
#include "output.h"
#include "parts/must.h"
#include "parts/mutate.h"
#include "sse.h"
#include "terminal.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CAP ((size_t)64 << 20)
#define EVENTS_MAX 64
#define ORIGIN "http://localhost:8000"

/* --- the events of a stream ------------------------------------------------------------------- */

/* An event with memory of its own. */
struct kept {
	char *type, *data, *id;
	struct sse_event event;
};

struct events {
	struct kept list[EVENTS_MAX];
	size_t count;
};

/* A copy of exactly this size, so that a sanitizer sees a read too far. */
static char *copy_of(struct sse_text text)
{
	char *copy = malloc(text.len > 0 ? text.len : 1);

	if (copy == NULL)
		abort();
	if (text.len > 0)
		memcpy(copy, text.data, text.len);
	return copy;
}

static bool keep(void *context, const struct sse_event *event)
{
	struct events *events = context;
	struct kept *kept = &events->list[events->count];

	*kept = (struct kept){
		copy_of(event->type), copy_of(event->data), copy_of(event->id), *event};
	kept->event.type.data = kept->type;
	kept->event.data.data = kept->data;
	kept->event.id.data = kept->id;
	return ++events->count < EVENTS_MAX;
}

static void read_stream(struct events *events, const char *bytes, size_t len)
{
	const struct sse_callbacks callbacks = {.event = keep};
	struct sse_parser *parser = sse_parser_new(&callbacks, events, 0);

	if (parser == NULL)
		abort();
	events->count = 0;
	(void)sse_parser_feed(parser, bytes, len, NULL);
	sse_parser_free(parser);
}

static void forget(struct events *events)
{
	for (size_t i = 0; i < events->count; i++) {
		free(events->list[i].type);
		free(events->list[i].data);
		free(events->list[i].id);
	}
	events->count = 0;
}

static bool same(struct sse_text a, struct sse_text b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* --- what must hold of text in a terminal ----------------------------------------------------- */

/* Take one character of valid UTF-8 off *${text}. */
static uint32_t take_character(const char **text)
{
	const unsigned char *p = (const unsigned char *)*text;
	unsigned more = p[0] < 0x80 ? 0 : p[0] < 0xe0 ? 1 : p[0] < 0xf0 ? 2 : 3;
	uint32_t code = more == 0 ? p[0] : p[0] & (0x3fu >> more);

	*text += 1 + more;
	while (more-- > 0)
		code = code * 64 + (*++p & 0x3f);
	return code;
}

/* The length of a colour sequence: ESC [, digits and semicolons, m. */
static size_t colour_at(const char *p, const char *end)
{
	const char *q = p + 2;

	if (end - p < 3 || p[0] != '\033' || p[1] != '[')
		return 0;
	while (q < end && ((*q >= '0' && *q <= '9') || *q == ';'))
		q++;
	return q < end && *q == 'm' ? (size_t)(q + 1 - p) : 0;
}

static bool is_bidi(uint32_t code)
{
	return code == 0x61c || code == 0x200e || code == 0x200f ||
	       (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

static void check_harmless(const struct buf *out, bool colour, const char *controls)
{
	const char *p = out->data, *end = p + out->len;

	if (out->len == 0)
		return;
	MUST(sse_utf8_valid(out->data, out->len) == out->len);
	while (p < end) {
		size_t skipped = colour ? colour_at(p, end) : 0;
		uint32_t code;

		if (skipped > 0) {
			p += skipped;
			continue;
		}
		code = take_character(&p);
		MUST(code >= 0x20 || (code != 0 && strchr(controls, (int)code) != NULL));
		MUST(code < 0x7f || code >= 0xa0);
		MUST(!is_bidi(code) && code != 0x2028 && code != 0x2029);
	}
}

/* The columns of the line at *${p}, which is moved behind its line end. */
static unsigned take_line(const char **p, const char *end)
{
	unsigned wide = 0;

	while (*p < end && **p != '\n') {
		size_t skipped = colour_at(*p, end);
		int count;

		if (skipped > 0) {
			*p += skipped;
			continue;
		}
		count = wcwidth((wchar_t)take_character(p));
		wide += count < 0 ? 1 : (unsigned)count;
	}
	*p += *p < end;
	return wide;
}

static void check_width(const struct buf *out, unsigned width)
{
	const char *p = out->data, *end = p + out->len;

	while (p < end)
		MUST(take_line(&p, end) <= width);
}

/* Step over spaces and line ends, and count them. */
struct gap {
	size_t spaces, line_ends;
};

static const char *skip_gap(const char *p, const char *end, struct gap *gap)
{
	*gap = (struct gap){0};
	for (; p < end && (*p == ' ' || *p == '\n'); p++) {
		gap->spaces += *p == ' ';
		gap->line_ends += *p == '\n';
	}
	return p;
}

/* The wrapped text is the whole one, with line ends and indents in between. */
static void check_wrapped(const struct buf *wrapped, const struct buf *whole)
{
	const char *p = whole->data, *p_end = p + whole->len;
	const char *q = wrapped->data, *q_end = q + wrapped->len;

	while (p < p_end || q < q_end) {
		struct gap came, made;

		p = skip_gap(p, p_end, &came);
		q = skip_gap(q, q_end, &made);
		MUST(made.spaces >= came.spaces && made.line_ends >= came.line_ends);
		MUST(made.line_ends > came.line_ends || made.spaces == came.spaces);
		MUST((p == p_end) == (q == q_end));
		MUST(p == p_end || *p++ == *q++);
	}
}

/* Put the text of a line, and its colours, apart; return its end. */
static const char *take_apart(const char *p, const char *end, struct buf *text, struct buf *colours)
{
	text->len = colours->len = 0;
	while (p < end && *p != '\n') {
		size_t len = colour_at(p, end);

		MUST(len > 0 ? buf_add(colours, p, len) : buf_add_byte(text, *p));
		p += len > 0 ? len : 1;
	}
	return p < end ? p + 1 : p;
}

/* Each cut line is the whole one, or its beginning and an ellipsis; no colour is lost. */
static void check_cut(const struct buf *cut, const struct buf *whole)
{
	static const char ellipsis[] = "\xe2\x80\xa6";
	const char *p = whole->data, *p_end = p + whole->len;
	const char *q = cut->data, *q_end = q + cut->len;
	struct buf text[2], colours[2];

	for (int i = 0; i < 2; i++) {
		buf_init(&text[i], CAP);
		buf_init(&colours[i], CAP);
	}
	while (p < p_end || q < q_end) {
		size_t len;

		p = take_apart(p, p_end, &text[0], &colours[0]);
		q = take_apart(q, q_end, &text[1], &colours[1]);
		MUST(colours[0].len == colours[1].len);
		MUST(colours[0].len == 0 ||
			memcmp(colours[0].data, colours[1].data, colours[0].len) == 0);
		len = text[1].len;
		if (len != text[0].len ||
			(len > 0 && memcmp(text[0].data, text[1].data, len) != 0)) {
			MUST(len >= 3 && memcmp(text[1].data + len - 3, ellipsis, 3) == 0);
			MUST(len - 3 < text[0].len);
			MUST(memcmp(text[0].data, text[1].data, len - 3) == 0);
		}
	}
	for (int i = 0; i < 2; i++) {
		buf_free(&text[i]);
		buf_free(&colours[i]);
	}
}

/* --- an output whose terminal is of any width ------------------------------------------------- */

/* The two ends of a terminal; -1 where there is none to be had. */
static int outer = -1, inner = -1;

static void open_terminal(void)
{
	const char *name;

	if (outer >= 0)
		return;
	outer = posix_openpt(O_RDWR | O_NOCTTY);
	if (outer < 0 || grantpt(outer) != 0 || unlockpt(outer) != 0)
		return;
	name = ptsname(outer);
	inner = name != NULL ? open(name, O_RDWR | O_NOCTTY) : -1;
}

static void start(struct output *output, struct output_options *options, const char *format,
	bool terminal, unsigned width)
{
	struct winsize size = {.ws_row = 24, .ws_col = (unsigned short)width};

	options->format = output_format_find(format);
	MUST(options->format >= 0);
	output_init(output, options, CLIENT_NEVER);
	output->terminal = terminal;
	output->fd = inner;
	if (inner >= 0)
		ioctl(outer, TIOCSWINSZ, &size);
}

static void print(struct output *output, const struct sse_event *event)
{
	struct error error = {0};

	output->bytes.len = 0;
	MUST(output_event(output, event, ORIGIN, &error) == 0);
}

/* --- the formats ------------------------------------------------------------------------------ */

static void check_pretty(const struct sse_event *event, bool colour, int wrap, unsigned width)
{
	/* With the first event no time has passed: both prints show the same. */
	struct output_options options = {.colour = colour ? TERMINAL_ALWAYS : TERMINAL_NEVER,
		.wrap = wrap,
		.stamp = STAMP_DELTA};
	struct output_options left = options;
	struct output output, whole;

	/* The width decides what goes on one line, also where lines are left as they are. */
	left.wrap = TERMINAL_LEAVE;
	start(&whole, &left, "pretty", true, width);
	print(&whole, event);
	check_harmless(&whole.bytes, colour, "\n");
	start(&output, &options, "pretty", true, width);
	print(&output, event);
	check_harmless(&output.bytes, colour, "\n");
	MUST(output.bytes.len > 0 && output.bytes.data[output.bytes.len - 1] == '\n');
	if (wrap != TERMINAL_LEAVE && width >= 2 && inner >= 0)
		check_width(&output.bytes, width);
	if (wrap == TERMINAL_CUT)
		check_cut(&output.bytes, &whole.bytes);
	else
		check_wrapped(&output.bytes, &whole.bytes);
	output_free(&output);
	output_free(&whole);
}

static struct json_text member(struct json_text object, const char *name)
{
	struct json_text key, value, found = {NULL, 0};
	size_t cursor = 0;

	while (json_member(object, &cursor, &key, &value)) {
		if (!json_string_is(key, name, strlen(name)))
			continue;
		MUST(found.text == NULL);
		found = value;
	}
	MUST(found.text != NULL);
	return found;
}

static void check_member(struct json_text line, const char *name, struct sse_text want)
{
	struct json_text value = member(line, name);

	MUST(json_kind(value) == JSON_STRING);
	MUST(json_string_is(value, want.len > 0 ? want.data : "", want.len));
}

/* With --nest: the value as it came, or the text; in a terminal escapes may stand for characters.
 */
static void check_nested(struct json_text line, struct sse_text data, bool terminal)
{
	struct json_text value = member(line, "data"), came;
	struct json_error error;
	struct buf compact;

	if (!json_check(data.data, data.len, &came, &error) || json_kind(came) == JSON_STRING) {
		check_member(line, "data", data);
		return;
	}
	MUST(json_kind(value) == json_kind(came));
	buf_init(&compact, CAP);
	MUST(json_compact(came, &compact));
	if (!terminal)
		MUST(same((struct sse_text){value.text, value.len},
			(struct sse_text){compact.data, compact.len}));
	buf_free(&compact);
}

static void check_json(const struct sse_event *event, bool nest, bool terminal, int stamp)
{
	struct output_options options = {.nest = nest, .stamp = stamp};
	struct json_text line;
	struct json_error error;
	struct output output;

	start(&output, &options, "json", terminal, 80);
	print(&output, event);
	MUST(memchr(output.bytes.data, '\n', output.bytes.len) ==
		output.bytes.data + output.bytes.len - 1);
	/* A value that is nested as deep as may be is too deep within the line. */
	if (json_check(output.bytes.data, output.bytes.len, &line, &error)) {
		check_member(line, "event", event->type);
		check_member(line, "id", event->id);
		check_member(line, "origin", (struct sse_text){ORIGIN, strlen(ORIGIN)});
		if (nest)
			check_nested(line, event->data, terminal);
		else
			check_member(line, "data", event->data);
	} else {
		MUST(nest && strstr(error.what, "nested") != NULL);
	}
	if (terminal)
		check_harmless(&output.bytes, false, "\n");
	output_free(&output);
}

/* What the data is for a reader of a stream: CR and CRLF are line ends like LF. */
static void with_line_feeds(struct sse_text data, struct buf *out)
{
	for (size_t i = 0; i < data.len; i++) {
		if (data.data[i] == '\r' && i + 1 < data.len && data.data[i + 1] == '\n')
			continue;
		MUST(buf_add_byte(out, data.data[i] == '\r' ? '\n' : data.data[i]));
	}
}

/* The data need not have come by a stream. */
static void check_sse(const struct kept *list, size_t count)
{
	struct output_options options = {.stamp = STAMP_NONE};
	struct output output;
	struct error error = {0};
	static struct events again;

	start(&output, &options, "sse", false, 80);
	for (size_t i = 0; i < count; i++)
		MUST(output_event(&output, &list[i].event, ORIGIN, &error) == 0);
	read_stream(&again, output.bytes.data, output.bytes.len);
	MUST(again.count == count);
	for (size_t i = 0; i < count; i++) {
		struct buf data;

		buf_init(&data, CAP);
		with_line_feeds(list[i].event.data, &data);
		MUST(same(again.list[i].event.type, list[i].event.type));
		MUST(same(again.list[i].event.id, list[i].event.id));
		MUST(same(again.list[i].event.data, (struct sse_text){data.data, data.len}));
		buf_free(&data);
	}
	forget(&again);
	output_free(&output);
}

static void check_terminal_texts(const struct sse_event *event, bool join)
{
	static const char *const templates[] = {"%e %i %d %D %o %n %t %% \\n\\t\\\\", "%d", "%D"};
	struct output_options options = {.stamp = STAMP_NONE, .join = join};
	struct output output;

	start(&output, &options, "data", true, 80);
	print(&output, event);
	check_harmless(&output.bytes, false, "\n\t");
	output_free(&output);
	start(&output, &options, "sse", true, 80);
	print(&output, event);
	check_harmless(&output.bytes, false, "\n\t");
	output_free(&output);
	for (size_t i = 0; i < COUNT(templates); i++) {
		options.template = templates[i];
		start(&output, &options, "template", true, 80);
		print(&output, event);
		check_harmless(&output.bytes, false, "\n\t");
		output_free(&output);
	}
}

/* What a filter makes of the events is as harmless as they are. */
static void check_filtered(const struct events *events, int preset)
{
	const char *pointers[] = {"/a", "e:/a/0", "/choices/0/delta/content", "gap:/reason", ""};
	const struct filter_options options = {
		.preset = preset, .pointers = {pointers, preset < 0 ? COUNT(pointers) : 0}};
	struct error error = {0};
	struct filter filter;

	MUST(filter_open(&filter, &options, &error) == 0);
	for (size_t i = 0; i < events->count; i++) {
		struct kept wanted = {0};
		enum filter_result result =
			filter_event(&filter, &events->list[i].event, &wanted.event, &error);

		if (result != FILTER_SHOW && result != FILTER_LAST)
			continue;
		MUST(sse_utf8_valid(wanted.event.data.data, wanted.event.data.len) ==
			wanted.event.data.len);
		check_sse(&wanted, 1);
		check_json(&wanted.event, false, false, STAMP_NONE);
		check_terminal_texts(&wanted.event, true);
		check_pretty(&wanted.event, true, TERMINAL_WRAP, 40);
	}
	filter_close(&filter);
}

/* Return whether there was an event. */
static bool check_input(const unsigned char *data, size_t len)
{
	static struct events events;
	unsigned flags, width;
	char *stream;

	must_input(data, len);
	if (len < 2)
		return false;
	open_terminal();
	setlocale(LC_CTYPE, "C.UTF-8");
	flags = data[0];
	width = 1 + data[1] % 200;
	stream = copy_of((struct sse_text){(const char *)data + 2, len - 2});
	read_stream(&events, stream, len - 2);
	free(stream);
	for (size_t i = 0; i < events.count; i++) {
		const struct sse_event *event = &events.list[i].event;

		check_pretty(event, flags & 1, (int)(flags >> 1) % 3, width);
		check_json(event, flags & 8, flags & 16, (int)(flags >> 5) % 4);
		check_terminal_texts(event, flags & 1);
	}
	check_sse(events.list, events.count);
	check_filtered(&events, (int)(flags >> 6) % 4 - 1);
	len = events.count;
	forget(&events);
	return len > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	(void)check_input(data, len);
	return 0;
}

#ifdef FUZZ_STANDALONE

static const struct sse_text seeds[] = {
	MUTATE_SEED("0(event: update\nid: a:1\ndata: {\"a\":[1.50,\"x y z\"],\"b\":null}\n\n"),
	MUTATE_SEED("1\x14"
		    "data: a long line of text that has to be wrapped somewhere\ndata:\tb\n\n"),
	MUTATE_SEED("2\x20"
		    "data: \033[31mred\033]0;title\007\x7f \xc2\x9b \xe2\x80\xae \xff\n\n"),
	MUTATE_SEED(
		"3\x28"
		"data: \xe4\xb8\xad\xe6\x96\x87 e\xcc\x81 \xf0\x9f\x98\x80 wide\n\nid\ndata\n\n"),
	MUTATE_SEED("@Pdata: {\"choices\":[{\"delta\":{\"content\":\"a\\r\\nb\\u0000\"}}]}\n\n"),
	MUTATE_SEED(
		"8Pevent: content_block_delta\ndata: {\"delta\":{\"text\":\"\\u001b[2J\"}}\n\n"),
	MUTATE_SEED("\xc0Pdata: {\"message\":{\"content\":\"\\u009b\"},\"done\":true}\n\n"),
	MUTATE_SEED("\x18Pevent: gap\ndata: {\"reason\":\"expired\",\"after\":\"a:1\"}\n\n"),
	MUTATE_SEED(
		"\x09\x0a"
		"event: e\ndata: {\"a\":[\"\\u202e\xe2\x80\xae\",{\"k\":{\"l\":[[[\"deep deep\"]]]}}]}\n\n"),
};

/* What makes or breaks an event, and what steers a terminal. */
static const char *const pieces[] = {"\n", "\r", "\r\n", "\n\n",
	"data:", "data: ", "event: ", "event: e\n", "id: ", "id\n", ": ", "retry: 1\n", "{", "}",
	"[", "]", ",", ":", "\"", "\\", "\\u0000", "\\u001b", "\\n", "\\r\\n", "\\ud83d",
	"{\"a\":", "\"a\"", "1.50", "null", " ", "  ", "                    ", "\t", "\033",
	"\033[", "\033[0m", "\033[1;36m", "m", "\007", "\x7f", "\xc2\x9b", "\xc2\x85",
	"\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x80\xa8", "\xd8\x9c", "\xef\xbb\xbf", "\xe4\xb8\xad",
	"\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87", "e\xcc\x81", "\xf0\x9f\x98\x80",
	"\xe2\x80\xa6", "\xff", "\xed\xa0\x80", "\xc3", "[[[[[[[[[[[[[[[[[[[[",
	"]]]]]]]]]]]]]]]]]]]]", "word word word word", "0123456789abcdef"};

static void other_options(struct random *random, unsigned char *stream, size_t len)
{
	if (len > 1) {
		size_t at = (size_t)random_below(random, 2);

		stream[at] = (unsigned char)random_below(random, 256);
	}
}

static const enum mutation mutations[] = {MUTATE_BYTE, MUTATE_OWN, MUTATE_CUT, MUTATE_REPEAT,
	MUTATE_OTHER, MUTATE_PIECE, MUTATE_PIECE, MUTATE_PIECE, MUTATE_PIECE};

static const struct mutate fuzzer = {
	.program = "fuzz_tail_output",
	.inputs = "streams",
	.taken = "with an event",
	.seeds = seeds,
	.seed_count = COUNT(seeds),
	.pieces = pieces,
	.piece_count = COUNT(pieces),
	.mutations = mutations,
	.mutation_count = COUNT(mutations),
	.max = 2048,
	.rounds = 4,
	.kept = 400,
	.own = other_options,
	.check = check_input,
};

int main(int argc, char **argv)
{
	return mutate_main(&fuzzer, argc, argv);
}

#endif
