/* SPDX-License-Identifier: MIT */
/*
 * Records out of a growing run of bytes: what ends with a line feed, or with NUL.  Pure: bytes are
 * added to ${bytes}, records are taken out of it.
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
	size_t used;
	size_t searched; /* bytes behind ${used} that hold no end */
	uint64_t line;	 /* records taken, blank ones too */
	bool dropping;	 /* up to the next end, see split_drop() */
};

/* split_init(split, end, cap): no record may be longer than ${cap}. */
void split_init(struct split *split, char end, size_t cap);

/* split_free(split): release the memory. */
void split_free(struct split *split);

/*
 * split_next(split, ended, record):
 * Take the next record, without its end; at the end of lines a CR is left out too.  With ${ended}
 * what is left is the last record.  Blank lines (blanks and tabs), and empty records, are counted
 * and passed over.  False if there is none, or none that is whole.  ${record} is valid until
 * split_compact(), or bytes are added.
 */
bool split_next(struct split *split, bool ended, struct sse_text *record);

/* split_drop(split): pass over the record that begins, of which any part may be there; count it. */
void split_drop(struct split *split);

/* split_compact(split): make room where records were. */
void split_compact(struct split *split);

#endif
