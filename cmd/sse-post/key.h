/* SPDX-License-Identifier: MIT */
/*
 * Idempotency keys: what makes an event that is sent again the same event.  A key is 1 to
 * EVENT_KEY_MAX bytes of printable ASCII.
 */
#ifndef KEY_H
#define KEY_H

#include <stdint.h>

#include "buf.h"
#include "error.h"
#include "event.h"
#include "options.h"
#include "sse.h"
#include "uuid.h"

/* Where keys come from.  One thread. */
struct key_maker {
	const struct options *options;
	struct uuid_source uuids;
	struct buf text;   /* what is being made */
	struct buf source; /* the id of the last event that was keyed by its id, */
	uint64_t repeated; /* and how many had that one in a row */
};

/* key_maker_init(maker, options) / key_maker_free(maker). */
void key_maker_init(struct key_maker *maker, const struct options *options);
void key_maker_free(struct key_maker *maker);

/*
 * key_make(maker, event, own, id, group, error):
 * Give ${event}, which is about to be added to ${group} with data and line, its key: by the
 * options --at-most-once (none), --idempotency-key, --idempotency-key-from; else ${own}, the key
 * that it came with; else made of ${id}, its id at its source; else a new UUID.  (A text of length
 * 0 is none.)  EX_DATAERR if there is no key where the options say, or one that is too long.
 */
int key_make(struct key_maker *maker, struct event *event, struct sse_text own, struct sse_text id,
	struct group *group, struct error *error);

/*
 * key_encode(text, len, out): what is not printable ASCII, and %, becomes %XX; so that any text can
 * be a key, and two texts never the same.
 */
bool key_encode(const char *text, size_t len, struct buf *out);

/* key_fault(key): NULL if it can be a key as it is, or the end of a sentence: "is empty". */
const char *key_fault(const char *key);

#endif
