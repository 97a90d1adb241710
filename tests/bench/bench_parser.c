/* SPDX-License-Identifier: MIT */
/*
 * How fast the parser is: bytes per second of CPU time, next to the least that any reader of lines
 * must do, a memchr() from line end to line end over the same bytes in the same process.
 *
 *     bench_parser                 print a table of all streams
 *     bench_parser --rate NAME     print the parser's bytes per CPU second, nothing else
 *     bench_parser --bytes NAME    write the bytes of that stream (for the comparison with npm's)
 *
 * The bytes come from a window that stays in the cache and is fed again and again in pieces of
 * 16 KiB, as a reader's buffer would be.  Rounds of the two are interleaved, and the median of
 * their ratios counts.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sse.h"

#define WINDOW ((size_t)1 << 20)
#define PIECE ((size_t)16 << 10)
#define ROUNDS 25
#define ROUND_SECONDS 0.03

/* A kind of stream: how its events look, and the least ratio that is asked of SSE2 and the rest. */
struct stream {
	const char *name;
	const char *help;
	size_t event;	     /* bytes of one event with its blank line */
	const char *format;  /* of its head; %zu is the number of the event */
	const char *filling; /* repeated until the event has its size */
	const char *tail;
	double least, least_portable;
};

static const struct stream STREAMS[] = {
	{"small", "60 bytes, with type and id", 60, "event: update\nid: %08zu\ndata: {\"name\":\"",
		"Ada Lovelace ", "\"}\n\n", 0.7, 0.5},
	{"llm", "180 bytes, as of language models", 180,
		"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":%zu,"
		"\"delta\":{\"type\":\"text_delta\",\"text\":\"",
		"the words of a model ", "\"}}\n\n", 0.7, 0.5},
	{"large", "64 KiB on one line", 65536, "id: %zu\ndata: ",
		"{\"key\":\"value\",\"list\":[1,2,3,4,5,6,7,8]},", "\n\n", 0.40, 0.0},
	{"utf8", "180 bytes, Greek and emoji", 180, "id: %zu\ndata: {\"text\":\"",
		"\xce\xba\xce\xb1\xce\xbb\xce\xb7\xce\xbc\xce\xad\xcf\x81\xce\xb1 \xf0\x9f\x8c\x8d ",
		"\"}\n\n", 0.40, 0.20},
	{"greek", "180 bytes, Greek words", 180, "id: %zu\ndata: {\"text\":\"",
		"Η ταχεία αλεπού πηδά πάνω από τον σκύλο. ", "\"}\n\n", 0.40, 0.20},
	{"korean", "180 bytes, Korean words", 180, "id: %zu\ndata: {\"text\":\"",
		"오늘은 하늘이 맑고 바람이 시원합니다. ", "\"}\n\n", 0.40, 0.15},
	{"emoji", "180 bytes, emoji, with joiners", 180, "id: %zu\ndata: {\"text\":\"",
		"🌍🚀✨👩‍💻❤️ ", "\"}\n\n", 0.40, 0.15},
	{"mixed", "180 bytes, ASCII and a little of all", 180, "id: %zu\ndata: {\"text\":\"",
		"Grüße from 서울 to the café at the corner, λόγος and 🌍; ", "\"}\n\n", 0.40, 0.20},
};
#define STREAM_COUNT (sizeof(STREAMS) / sizeof(STREAMS[0]))

struct window {
	char *bytes;
	size_t len;    /* whole events */
	size_t events; /* how many */
};

/* Write event number ${number} of a stream to ${out}. */
static void make_event(const struct stream *stream, size_t number, char *out)
{
	char head[256];
	size_t filling = strlen(stream->filling), tail = strlen(stream->tail), i;
	size_t begin, end = stream->event - tail;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	begin = (size_t)snprintf(head, sizeof(head), stream->format, number);
#pragma GCC diagnostic pop
	memcpy(out, head, begin);
	for (i = 0; begin + i < end; i++) {
		/* What is left has no room for all of the filling: do not cut a character. */
		if (i % filling == 0 && begin + i + filling > end) {
			memset(out + begin + i, '.', end - begin - i);
			break;
		}
		out[begin + i] = stream->filling[i % filling];
	}
	memcpy(out + end, stream->tail, tail);
}

static struct window make_window(const struct stream *stream)
{
	struct window window = {.events = WINDOW / stream->event};
	size_t i;

	window.len = window.events * stream->event;
	window.bytes = malloc(window.len);
	if (window.bytes == NULL) {
		fputs("bench_parser: no memory\n", stderr);
		exit(71);
	}
	for (i = 0; i < window.events; i++)
		make_event(stream, i, window.bytes + i * stream->event);
	return window;
}

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* What a reader does with an event, as little as possible: it was there, and so long was its data.
 */
struct count {
	size_t events;
	size_t bytes;
};

static bool count_event(void *context, const struct sse_event *event)
{
	struct count *count = context;

	count->events++;
	count->bytes += event->data.len;
	return true;
}

static size_t piece_at(const struct window *window, size_t at)
{
	return window->len - at < PIECE ? window->len - at : PIECE;
}

static void parse_window(struct sse_parser *parser, const struct window *window)
{
	size_t at, len;

	for (at = 0; at < window->len; at += len) {
		len = piece_at(window, at);
		if (sse_parser_feed(parser, window->bytes + at, len, NULL) != SSE_OK) {
			fputs("bench_parser: the parser failed\n", stderr);
			exit(70);
		}
	}
}

/* The yardstick: where is the next LF?  Not inlined, so nothing of it can be left out. */
__attribute__((noinline)) static size_t count_lines(const struct window *window)
{
	size_t lines = 0, at, len;
	const char *next, *end;

	for (at = 0; at < window->len; at += len) {
		len = piece_at(window, at);
		next = window->bytes + at;
		end = next + len;
		while ((next = memchr(next, '\n', (size_t)(end - next))) != NULL) {
			lines++;
			if (++next == end)
				break;
		}
	}
	return lines;
}

/* Bytes per CPU second of one round. */
static double parser_rate(const struct window *window)
{
	struct count count = {0, 0};
	struct sse_callbacks callbacks = {.event = count_event};
	struct sse_parser *parser = sse_parser_new(&callbacks, &count, 0);
	double start, seconds;
	size_t windows = 0;

	if (parser == NULL)
		exit(71);
	parse_window(parser, window);
	count.events = 0;
	start = cpu_seconds();
	do {
		parse_window(parser, window);
		windows++;
		seconds = cpu_seconds() - start;
	} while (seconds < ROUND_SECONDS);
	sse_parser_free(parser);
	if (count.events != windows * window->events) {
		fputs("bench_parser: the number of events is wrong\n", stderr);
		exit(70);
	}
	return (double)windows * (double)window->len / seconds;
}

static double memchr_rate(const struct window *window)
{
	size_t lines = count_lines(window), windows = 0;
	double start = cpu_seconds(), seconds;

	do {
		if (count_lines(window) != lines)
			abort();
		windows++;
		seconds = cpu_seconds() - start;
	} while (seconds < ROUND_SECONDS);
	return (double)windows * (double)window->len / seconds;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(values[0]), compare);
	return values[ROUNDS / 2];
}

/*
 * Print a stream's row; return false if its ratio is lower than what is asked for: the median is
 * what counts.  On a machine with other work the rounds lie far apart, and the parser's more than
 * those of memchr(), so the best is printed too: "uneven" says that it alone was good enough.
 */
static bool print_row(const struct stream *stream)
{
	struct window window = make_window(stream);
	double parser[ROUNDS], line[ROUNDS], ratio[ROUNDS], least = stream->least, middle, best;
	int i;

#if !defined(__SSE2__) || defined(SSE_PORTABLE)
	least = stream->least_portable;
#endif
	for (i = 0; i < ROUNDS; i++) {
		line[i] = memchr_rate(&window);
		parser[i] = parser_rate(&window);
		ratio[i] = parser[i] / line[i];
	}
	middle = median(ratio);
	best = ratio[ROUNDS - 1]; /* they are in order now */
	printf("%-6s %7.0f %7.0f %6.2f %6.2f %6.2f  %-6s  %s\n", stream->name, median(parser) / 1e6,
		median(line) / 1e6, middle, best, least,
		middle >= least ? "ok"
		: best >= least ? "uneven"
				: "LOW",
		stream->help);
	fflush(stdout);
	free(window.bytes);
	return middle >= least;
}

static int print_table(void)
{
	bool good = true;
	size_t i;

	printf("%-6s %7s %7s %6s %6s %6s\n", "", "parser", "memchr", "ratio", "best", "least");
	for (i = 0; i < STREAM_COUNT; i++)
		good &= print_row(&STREAMS[i]);
	puts("(millions of bytes per second of CPU time)");
	return good ? 0 : 1;
}

static int print_rate(const struct stream *stream)
{
	struct window window = make_window(stream);
	double rates[ROUNDS];
	int i;

	for (i = 0; i < ROUNDS; i++)
		rates[i] = parser_rate(&window);
	printf("%.0f\n", median(rates));
	free(window.bytes);
	return 0;
}

static int write_bytes(const struct stream *stream)
{
	struct window window = make_window(stream);
	size_t written = fwrite(window.bytes, 1, window.len, stdout);

	free(window.bytes);
	return written == window.len && fflush(stdout) == 0 ? 0 : 74;
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc == 1)
		return print_table();
	for (i = 0; argc == 3 && i < STREAM_COUNT; i++) {
		if (strcmp(argv[2], STREAMS[i].name) != 0)
			continue;
		if (strcmp(argv[1], "--rate") == 0)
			return print_rate(&STREAMS[i]);
		if (strcmp(argv[1], "--bytes") == 0)
			return write_bytes(&STREAMS[i]);
	}
	fputs("usage: bench_parser [--rate NAME | --bytes NAME]\n", stderr);
	return 64;
}
