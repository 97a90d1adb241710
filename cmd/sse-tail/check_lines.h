/* SPDX-License-Identifier: MIT */
/*
 * For --check: do the lines of a stream follow the standard?  A parser silently ignores the lines
 * that do not; this module reports them.
 */
#ifndef CHECK_LINES_H
#define CHECK_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "sse.h"

/* The most bytes of a line, or of a name in it, that are kept for display. */
#define CHECK_LINES_SHOWN 60

/* The first of its kind, unescaped, and how many there are. */
struct check_sample {
	uint64_t count;
	char text[CHECK_LINES_SHOWN];
	size_t len;
};

struct check_lines {
	bool json; /* JSON lines, not those of an event stream; the caller sets it */
	bool bom;
	int64_t retry;		      /* ms, the last that the stream named; -1: none */
	struct check_sample not_utf8; /* lines with bytes that are not UTF-8 */
	struct check_sample not_json; /* lines that should be JSON, see check_lines_event() */
	struct check_sample no_field; /* lines that are neither a field nor a comment */
	struct check_sample no_data;  /* types of events that lack data, and are never dispatched */
	struct check_sample bad_id;   /* ids with a NUL, which are ignored */
	struct check_sample bad_retry; /* values of retry that are not digits */

	/* The state within the stream. */
	bool started, after_cr;
	bool in_block, has_data;
	struct check_sample type; /* of this block */
	struct buf line;	  /* the line so far, or the start of a long one */
	bool cut;		  /* it is longer than the kept part */
};

/* check_lines_init(lines) / check_lines_free(lines): at the start of a stream. */
void check_lines_init(struct check_lines *lines);
void check_lines_free(struct check_lines *lines);

/* check_lines_feed(lines, data, len): take the next bytes, split anywhere. */
void check_lines_feed(struct check_lines *lines, const char *data, size_t len);

/* check_lines_event(lines, data): of JSON lines, an event came, which is a whole line. */
void check_lines_event(struct check_lines *lines, struct sse_text data);

/* check_lines_within(lines): did the bytes so far end within a block or comment? */
bool check_lines_within(const struct check_lines *lines);

#endif
