/* SPDX-License-Identifier: MIT */
/*
 * Where sse-post's events come from: the operands, --data, a file, or the standard input as
 * lines, envelopes or an event stream.  One thread; a struct input stays at one place.
 */
#ifndef INPUT_H
#define INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "event.h"
#include "maker.h"
#include "options.h"
#include "sniff.h"
#include "split.h"

struct input;

/* A kind of input: how records are taken out of the bytes that were read. */
struct input_kind {
	char end; /* of a record */
	/* take(input, group, max): add the records that are whole, at most up to ${max} events. */
	void (*take)(struct input *input, struct group *group, size_t max);
};

/* Read the fields, do not write them. */
struct input {
	const struct options *options;
	const struct input_kind *kind; /* NULL: there is one event, in ${split.bytes} */
	int fd;
	const char *name;
	bool waits;   /* it is no regular file: there may be nothing to read yet */
	bool ended;   /* nothing more will be read */
	bool held;    /* likewise, though there may be more */
	bool taken;   /* the one event was */
	bool stopped; /* nothing more will be taken, see ${error} */
	struct error error;
	struct split split;
	struct sse_parser *parser;
	struct sniff sniff; /* is it an event stream? */
	struct buf last_id; /* that the parser's events, or blocks without data, had last */
	struct maker maker;
	struct group *group;  /* what the parser's events go to, */
	size_t max;	      /* and how many at most */
	uint64_t events;      /* taken */
	uint64_t skipped;     /* left out by --skip-bad */
	uint64_t line;	      /* of the event that was taken last, or is wrong */
	uint64_t read, total; /* bytes of a regular file, if known */
};

/*
 * input_open(input, options, until, error):
 * Decide where the events come from.  What is one event is read whole, until ${until}.  EX_USAGE if
 * there is nothing, EX_NOINPUT if a file cannot be read.  input_close() frees, also after a
 * failure; it takes a struct of zeros.
 */
int input_open(
	struct input *input, const struct options *options, int64_t until, struct error *error);
void input_close(struct input *input);

/*
 * input_fill(input, group, max, bytes):
 * Add what is there to ${group}, without waiting, until it has ${max} events or more than about
 * ${bytes}.  A record is complete with its end, or at the end of the input.  Return whether all
 * that was there is taken: input_waits() says what comes then.
 *
 * A record that is wrong is told and left out with --skip-bad; otherwise nothing more is taken,
 * input->stopped is set and input->error has its line and what is wrong with it: EX_DATAERR (not
 * UTF-8, not JSON where JSON is wanted, too long, no event stream at all), EX_NOINPUT.
 */
void input_fill(struct input *input, struct group *group, size_t max, size_t bytes);

/*
 * input_hold(input):
 * Read no more, but for one look at whether this is the end; what was read is still to be taken.
 */
void input_hold(struct input *input);

/* input_next_line(input): the number that the next event has at least. */
uint64_t input_next_line(const struct input *input);

/* input_done(input): will there be no further event? */
bool input_done(const struct input *input);

/* input_waits(input): the descriptor that more can be read from, or -1 if there is no more. */
int input_waits(const struct input *input);

/*
 * input_count_rest(input):
 * Count the events that are still to be taken into input->events, so far as this takes no
 * time: all of a regular file, of a pipe what is there.  Return whether that was all.
 */
bool input_count_rest(struct input *input);

#endif
