/* SPDX-License-Identifier: MIT */
/*
 * What sse-tail writes to the standard output.  A format is one row of output_formats[] and a
 * function that appends one event to a buffer; the buffer is written when the piece of the stream
 * that the events came in is done with, so nothing waits for a later one.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "error.h"
#include "sse.h"

struct output;

struct output_format {
	const char *name; /* the word for -o; NULL ends the table */
	const char *help;
	/* Append one event; false if the buffer is full.  Called in turn, from one thread. */
	bool (*event)(struct output *output, const struct sse_event *event, const char *origin);
	bool raw;   /* the bytes of the stream are written, event is NULL */
	bool alone; /* nothing tells events apart: a gap event is not for this format */
};

#define OUTPUT_FORMATS_MAX 8
extern const struct output_format output_formats[];

struct output {
	const struct output_format *format;
	int fd;
	bool colour;
	struct buf bytes; /* what is to be written */
};

/*
 * output_init(output, format, colour):
 * Write to the standard output.  ${format} is an index in the table; -1 means the first, which is
 * for people, if the output is a terminal, else the second.  ${colour} is an enum
 * terminal_colour.  output_free() writes nothing; it takes a struct that is all zero.
 */
void output_init(struct output *output, int format, int colour);
void output_free(struct output *output);

/* output_event(output, event, origin, error): append one event.  Return 0 or -1 (EX_OSERR). */
int output_event(struct output *output, const struct sse_event *event, const char *origin,
	struct error *error);

/*
 * output_piece(output, data, len, error):
 * A piece of the stream is done with: append its bytes if the format wants them, and write all
 * that waits, however long the reader takes.  Return 0, or -1: EX_IOERR if it cannot be written,
 * 128 + SIGPIPE and an empty text if nobody reads any more, 128+n on a signal.
 */
int output_piece(struct output *output, const char *data, size_t len, struct error *error);

/* The formats' functions; each file of them stands by itself. */
bool output_pretty(struct output *output, const struct sse_event *event, const char *origin);
bool output_json(struct output *output, const struct sse_event *event, const char *origin);
bool output_data(struct output *output, const struct sse_event *event, const char *origin);

#endif
