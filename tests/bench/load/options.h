/* SPDX-License-Identifier: MIT */
/* The options of load; the table is in options.c. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "option.h"

/* The longest --header, in bytes. */
#define HEADER_MAX 1500

struct options {
	const struct mode *mode;
	int64_t port;
	struct option_list publish; /* paths, one phase each */
	const char *stream;
	const char *type; /* of what is posted */
	const char *answer;
	const char *last_event_id;
	struct option_list headers; /* see options_header() */
	struct option_list pids;
	int64_t streams, stalled, publishers;
	int64_t events, warm, rate, time, size;
	int64_t repeat, cpu;
	bool lockstep, catch_up, tls;
};

/*
 * options_parse(options, argc, argv, error): as option_parse(), and what the options must be
 * together.
 */
enum option_result options_parse(
	struct options *options, int argc, char **argv, struct error *error);

/*
 * options_header(options, index):
 * The line that --header adds to the head of a request on connection ${index}, with a line end if it
 * is not empty.
 */
struct header {
	const char *line, *end;
};
struct header options_header(const struct options *options, size_t index);

/* The longest path of a stream; what is longer is cut off. */
#define OPTIONS_PATH 1000

/*
 * options_stream(options, number, path):
 * The path of the ${number}th stream, by --stream; ${path} is room for it.
 */
const char *options_stream(const struct options *options, size_t number, char path[OPTIONS_PATH]);

/* options_free(options): release the lists. */
void options_free(struct options *options);

#endif
