/* SPDX-License-Identifier: MIT */
/*
 * Takes records, each ended by a line feed or a NUL, out of a growing run of bytes.  Pure: the
 * caller adds to ${bytes}, and takes records out of it.
 */
#ifndef SPLIT_H
#define SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "sse.h"

struct split {
	struct buf bytes; /* the caller adds; used up to ${used} */
	char end;	  /* LF or NUL */
	bool blanks;	  /* none is skipped; the caller may set it */
	size_t used;
	size_t searched; /* bytes after ${used} without an end */
	uint64_t line;	 /* records taken, blank ones too */
	bool dropping;	 /* up to the next end, see split_drop() */
};

/* split_init(split, end, cap): no record may be longer than ${cap}. */
void split_init(struct split *split, char end, size_t cap);

/* split_free(split): release the memory. */
void split_free(struct split *split);

/*
 * split_next(split, ended, record):
 * Take the next record, without its end; for lines, also without a CR before it.  With ${ended},
 * the remaining bytes are the last record.  Blank lines (blanks and tabs) and empty records are
 * counted and, without ${blanks}, skipped.  False if no complete record is left.  ${record} is valid until
 * split_compact(), or until bytes are added.
 */
bool split_next(struct split *split, bool ended, struct sse_text *record);

/* split_is_blank(record): is it empty, or nothing but blanks and tabs? */
bool split_is_blank(struct sse_text record);

/* split_drop(split): skip the record that begins, even if it is incomplete; count it. */
void split_drop(struct split *split);

/* split_compact(split): reuse the room of the records that were taken. */
void split_compact(struct split *split);

#endif
