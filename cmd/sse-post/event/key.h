/* SPDX-License-Identifier: MIT */
/*
 * Idempotency keys: by its key, the server recognises an event that is sent again.  A key is 1 to
 * EVENT_KEY_MAX bytes of printable ASCII.
 */
#ifndef KEY_H
#define KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "error.h"
#include "group.h"
#include "sse.h"
#include "uuid.h"

/* Where keys come from.  One thread. */
struct key_builder {
	const char *fixed, *from; /* of --idempotency-key and --idempotency-key-from, or NULL */
	bool at_most_once;
	struct uuid_source uuids;
	struct buf text;   /* the key being made */
	struct buf source; /* the id of the last event keyed by its id, */
	uint64_t repeated; /* and how many events in a row had it */
};

/*
 * key_builder_init(builder, fixed, from, at_most_once):
 * Make keys as the options --idempotency-key, --idempotency-key-from and --at-most-once say, of
 * which at most one is given; the others are NULL or false.  The strings are borrowed, and ${from}
 * is a valid JSON pointer.  key_builder_free() releases the rest.
 */
void key_builder_init(
	struct key_builder *builder, const char *fixed, const char *from, bool at_most_once);
void key_builder_free(struct key_builder *builder);

/*
 * key_make(builder, event, own, id, group, error):
 * Give ${event}, which is about to be added to ${group} with data and line, its key: by the
 * options --at-most-once (none), --idempotency-key, --idempotency-key-from; else ${own}, the key in
 * its record; else a key made from ${id}, its id at its source; else a new UUID.  (A text of length
 * 0 counts as missing.)  EX_DATAERR if the key is missing where the options say it is, or too long.
 */
int key_make(struct key_builder *builder, struct event *event, struct sse_text own,
	struct sse_text id, struct group *group, struct error *error);

/* key_fault(key): NULL if it is a valid key, or the end of a sentence: "is empty". */
const char *key_fault(const char *key);

#endif
