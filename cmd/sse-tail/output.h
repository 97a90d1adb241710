/* SPDX-License-Identifier: MIT */
/*
 * What sse-tail writes to the standard output.  A format is one row of output_formats[] and a
 * function that appends one event to a buffer; the buffer is written after each piece of the
 * stream, so no event waits for a later piece.  It is also written whenever it has become large, so
 * that writing an event needs little more memory than reading it.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "envelope.h"
#include "error.h"
#include "sse.h"
#include "terminal.h"

/* Which time is shown with an event. */
enum output_stamp { STAMP_ISO, STAMP_UNIX, STAMP_DELTA, STAMP_NONE };
extern const char *const output_stamp_words[]; /* for all but the last */

struct output_options {
	int format;	      /* index in output_formats[]; -1: by the kind of output */
	const char *template; /* of -F; NULL: none */
	int colour;	      /* enum terminal_colour */
	int wrap;	      /* enum terminal_wrap */
	int stamp;	      /* enum output_stamp */
	bool topics;	      /* events are of several topics: show each one's */
	bool nest;	      /* json: JSON data is nested, not quoted */
	bool join, nul;	      /* what ends an event: nothing, a NUL, else a line end */
};

struct output;

struct output_format {
	const char *name; /* the word for -o; NULL ends the table */
	const char *help;
	/* Append one event; false on failure.  Called in turn, from one thread. */
	bool (*event)(struct output *output, const struct sse_event *event, const char *origin);
	bool (*comment)(struct output *output, struct sse_text text); /* NULL: not shown */
	/* Append the last id, if a reader of the output has another; NULL: not shown. */
	bool (*position)(struct output *output, struct sse_text id);
	bool dated; /* the time is always shown */
	bool raw;   /* the bytes of the stream are written, event is NULL */
	bool alone; /* nothing tells events apart: a gap event is not for this format */
};

#define OUTPUT_FORMATS_MAX 8
extern const struct output_format output_formats[];

/* output_format_find(name): the index of the format of this name; -1 if there is none. */
int output_format_find(const char *name);

/*
 * output_shows_time(options): does the format that will be used show the time of an event?
 */
bool output_shows_time(const struct output_options *options);

/* Read the fields, do not write them, but for bytes and count. */
struct output {
	const struct output_options *options;
	const struct output_format *format;
	int fd;
	int64_t end;   /* when to give up a write that blocks */
	bool terminal; /* text from outside must be escaped */
	bool colour;
	struct buf bytes;		 /* the bytes to write; it drains by itself */
	struct buf scratch;		 /* for the formats' own use */
	struct buf last_id;		 /* sse: the id that a reader of the output has now */
	uint64_t count;			 /* events that were appended */
	const struct envelope *envelope; /* what else is known of an event */
	struct output_moment {
		int64_t published; /* ms since 1970; ENVELOPE_NO_TIME */
		int64_t came;	   /* ms of clock_now_ms(); 0: none did */
	} before;		   /* STAMP_DELTA: of the last event */
	size_t whole; /* the length of the complete events; the rest is being appended */
	bool broken;  /* ${error} says why no more can be written */
	struct error error;
};

/*
 * output_init(output, options, end):
 * Write to the standard output, until the moment ${end} of clock_now_ms() at the latest.  Format -1
 * means the first format, which is for people, if the output is a terminal, else the second.
 * output_free() writes nothing; it takes a struct that is all zero.
 */
void output_init(struct output *output, const struct output_options *options, int64_t end);
void output_free(struct output *output);

/*
 * output_about(output, envelope):
 * ${envelope}, which the caller keeps, says more of each event that is appended from now on; NULL:
 * nothing does, as at the start.
 */
void output_about(struct output *output, const struct envelope *envelope);

/*
 * output_event(output, event, origin, error) / output_comment(output, text, error):
 * Append one event, or a comment if the format shows such.  Return 0, or -1: EX_OSERR without
 * memory, else as output_piece().
 */
int output_event(struct output *output, const struct sse_event *event, const char *origin,
	struct error *error);
int output_comment(struct output *output, struct sse_text text, struct error *error);

/* output_position(output, id, error): the last id is now ${id}, even if its event was not shown. */
int output_position(struct output *output, struct sse_text id, struct error *error);

/*
 * output_piece(output, data, len, error):
 * After a piece of the stream, append its bytes if the format is raw, and write the whole buffer,
 * however long the reader takes.  Return 0, or -1: EX_IOERR if a write fails, 128 + SIGPIPE and an
 * empty text if the reader has closed the pipe, 128+n on a signal, status 0 if the time is up.
 */
int output_piece(struct output *output, const char *data, size_t len, struct error *error);

/*
 * output_end(output):
 * After everything was written, end a line in a terminal that has no end yet.  Return whether there
 * was one.
 */
bool output_end(struct output *output);

/* --- for the formats ------------------------------------------------------------------------- */

/* Append a text from outside, with its lines; escaped if the output is a terminal. */
bool output_text(struct output *output, struct sse_text text);

/* Append what ends an event. */
bool output_terminator(struct output *output);

/*
 * Append the time in this style to ${out}: when the event was published if its envelope says so,
 * else the current time.  With STAMP_NONE it is the time of day, after the date if that is another
 * day's.
 */
bool output_time(struct output *output, enum output_stamp stamp, struct buf *out);

/*
 * output_template_check(template, error): is it valid?  EX_USAGE.
 * output_template_has(template, letter): does it show this part?
 */
int output_template_check(const char *template, struct error *error);
bool output_template_has(const char *template, char letter);

/*
 * output_json_members(event, origin, nest, out):
 * Append an event as the format json writes it, without the end: more members may follow, and a }.
 */
bool output_json_members(
	const struct sse_event *event, const char *origin, bool nest, struct buf *out);

/* The formats' functions; each file of them stands by itself. */
bool output_pretty(struct output *output, const struct sse_event *event, const char *origin);
bool output_pretty_comment(struct output *output, struct sse_text text);
bool output_json(struct output *output, const struct sse_event *event, const char *origin);
bool output_json_comment(struct output *output, struct sse_text text);
bool output_data(struct output *output, const struct sse_event *event, const char *origin);
bool output_sse(struct output *output, const struct sse_event *event, const char *origin);
bool output_sse_comment(struct output *output, struct sse_text text);
bool output_sse_position(struct output *output, struct sse_text id);
bool output_template(struct output *output, const struct sse_event *event, const char *origin);

#endif
