/* SPDX-License-Identifier: MIT */
/*
 * The source of sse-post's events: the operands, --data, a file, or the standard input as lines,
 * envelopes or an event stream.  One thread; a struct input does not move.
 */
#ifndef INPUT_H
#define INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "event/group.h"
#include "event_builder.h"
#include "options.h"
#include "sniff.h"
#include "split.h"

struct input;

/* A kind of input: how to take records out of the bytes that were read. */
struct input_kind {
	char end; /* of a record */
	/* take(input, group, max): add the complete records, up to ${max} events. */
	void (*take)(struct input *input, struct group *group, size_t max);
};

/* Read the fields, do not write them. */
struct input {
	const struct options *options;
	const struct input_kind *kind; /* NULL: there is one event, in ${split.bytes} */
	int fd;
	const char *name;
	bool waits;   /* it is not a regular file: there may be nothing to read yet */
	bool ended;   /* nothing more will be read */
	bool held;    /* likewise, though there may be more */
	bool taken;   /* the one event was taken */
	bool closed;  /* with --close: what closes the topic was taken */
	bool closing; /* the parser has all bytes: an event that still comes was cut */
	bool stopped; /* nothing more will be taken, see ${error} */
	struct error error;
	struct split split;
	struct sse_parser *parser;
	struct sniff sniff; /* is it an event stream? */
	struct buf last_id; /* of the parser's last event, or block without data */
	struct builder builder;
	struct group *group;  /* the group for the parser's events, */
	size_t max;	      /* and how many at most */
	uint64_t events;      /* taken */
	uint64_t skipped;     /* left out by --skip-bad */
	uint64_t line;	      /* of the last event taken, or of the one that is wrong */
	uint64_t read, total; /* bytes of a regular file, if known */
};

/*
 * input_open(input, options, until, error):
 * Choose the source of the events.  If it is a single event, read all of it, until ${until}.  With
 * --flush there is none.
 * EX_USAGE if there is no source, EX_NOINPUT if a file cannot be read.  input_close() frees, also
 * after a failure; it takes a struct of zeros.
 */
int input_open(
	struct input *input, const struct options *options, int64_t until, struct error *error);
void input_close(struct input *input);

/*
 * input_fill(input, group, max, bytes):
 * Add the events that can be read without waiting to ${group}, until it has ${max} events or more
 * than about ${bytes}.  A record is complete with its end, or at the end of the input.
 * input_waits() says what comes next.
 *
 * With --skip-bad, a record that is not valid is reported and left out.  Otherwise, no more is
 * taken, input->stopped is set, and input->error has its line and the reason: EX_DATAERR (not
 * UTF-8, not JSON where JSON is required, too long, not an event stream, an event that the end of
 * the input cuts), EX_NOINPUT.
 */
void input_fill(struct input *input, struct group *group, size_t max, size_t bytes);

/*
 * input_hold(input):
 * Read no more, except once to find out whether this is the end; bytes already read can still be
 * taken.
 */
void input_hold(struct input *input);

/* input_next_line(input): the lowest line number that the next event can have. */
uint64_t input_next_line(const struct input *input);

/* input_done(input): has the input no more events? */
bool input_done(const struct input *input);

/* input_waits(input): the descriptor to read more from, or -1 at the end. */
int input_waits(const struct input *input);

/*
 * input_count_rest(input):
 * Add the events that were not taken yet to input->events, as far as that needs no waiting: all of
 * a regular file, and what a pipe holds now.  Return whether that was all.
 */
bool input_count_rest(struct input *input);

#endif
