/* SPDX-License-Identifier: MIT */
/*
 * For --check: whether the lines of a stream are as the standard has them.  A parser takes what it
 * can and passes over the rest without a word; this is about the rest.
 */
#ifndef CHECK_LINES_H
#define CHECK_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* The most of a line, or of a name in it, that is kept to be shown. */
#define CHECK_LINES_SHOWN 60

/* The first of its kind, as it came, and how many there are. */
struct check_sample {
	uint64_t count;
	char text[CHECK_LINES_SHOWN];
	size_t len;
};

struct check_lines {
	bool bom;
	int64_t retry;		       /* ms, the last that the stream named; -1: none */
	struct check_sample not_utf8;  /* lines with bytes that are not UTF-8 */
	struct check_sample no_field;  /* lines that are no field and no comment */
	struct check_sample no_data;   /* types of events that are never seen, for want of data */
	struct check_sample bad_id;    /* ids with a NUL, which count for nothing */
	struct check_sample bad_retry; /* values of retry that are not digits */

	/* Where in the stream we are. */
	bool started, after_cr;
	bool in_block, has_data;
	struct check_sample type; /* of this block */
	struct buf line;	  /* the line so far, or the start of a long one */
	bool cut;		  /* it is longer than what is kept */
};

/* check_lines_init(lines) / check_lines_free(lines): at the start of a stream. */
void check_lines_init(struct check_lines *lines);
void check_lines_free(struct check_lines *lines);

/* check_lines_feed(lines, data, len): the next bytes, torn anywhere. */
void check_lines_feed(struct check_lines *lines, const char *data, size_t len);

/* check_lines_within(lines): did the bytes so far end within a block or comment? */
bool check_lines_within(const struct check_lines *lines);

#endif
