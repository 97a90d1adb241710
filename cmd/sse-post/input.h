/* SPDX-License-Identifier: MIT */
/*
 * Where sse-post's events come from: the operands, --data, or the lines of the standard input.
 * One thread; a struct input is at one place (its buffers are handed out).
 */
#ifndef INPUT_H
#define INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "error.h"
#include "options.h"

/* The most that one event may hold, and so the longest line. */
#define INPUT_MAX ((size_t)64 << 20)

struct input_item {
	const char *data; /* valid until the next call; not NUL-terminated */
	size_t len;
	bool json;     /* sent as application/json, else as text/plain */
	uint64_t line; /* its number, counted from 1; 0 if it is the only one */
};

struct input {
	const struct options *options;
	int64_t until; /* --timeout, a moment of client_now() */
	bool lines;    /* each line is an event */
	bool file;     /* of a regular file, which never makes wait */
	bool ended;
	struct buf bytes; /* what was read; used up to ${used} */
	size_t used;
	size_t searched; /* bytes behind ${used} that hold no line end */
	uint64_t line;	 /* lines taken */
	uint64_t events; /* events taken */
};

/*
 * input_open(input, options, until, error):
 * Decide where the events come from, and read what is at hand: EX_USAGE if there is nothing,
 * EX_NOINPUT if the file of --data cannot be read.  input_close() frees, also after a failure.
 */
int input_open(
	struct input *input, const struct options *options, int64_t until, struct error *error);
void input_close(struct input *input);

/*
 * input_next(input, item, error):
 * Take the next event, waiting until there is one.  A line is complete with its LF (a CR before
 * it is not part of it) or at the end of input; blank lines are left out.  Return 1, 0 at the end,
 * or -1: EX_DATAERR (not UTF-8, not JSON where JSON is wanted, too long), EX_TEMPFAIL when time is
 * up, 128+n on a signal.
 */
int input_next(struct input *input, struct input_item *item, struct error *error);

/*
 * input_count_rest(input):
 * Count the events that are still to be taken into input->events, so far as this takes no
 * time: all of a regular file, of a pipe what is there.  Return whether that was all.
 */
bool input_count_rest(struct input *input);

#endif
