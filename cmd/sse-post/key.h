/* SPDX-License-Identifier: MIT */
/*
 * Idempotency keys: by its key, the server recognises an event that is sent again.  A key is 1 to
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
	struct buf text;   /* the key being made */
	struct buf source; /* the id of the last event keyed by its id, */
	uint64_t repeated; /* and how many events in a row had it */
};

/* key_maker_init(maker, options) / key_maker_free(maker). */
void key_maker_init(struct key_maker *maker, const struct options *options);
void key_maker_free(struct key_maker *maker);

/*
 * key_make(maker, event, own, id, group, error):
 * Give ${event}, which is about to be added to ${group} with data and line, its key: by the
 * options --at-most-once (none), --idempotency-key, --idempotency-key-from; else ${own}, the key in
 * its record; else a key made from ${id}, its id at its source; else a new UUID.  (A text of length
 * 0 counts as missing.)  EX_DATAERR if the key is missing where the options say it is, or too long.
 */
int key_make(struct key_maker *maker, struct event *event, struct sse_text own, struct sse_text id,
	struct group *group, struct error *error);

/*
 * key_encode(text, len, out): write each byte that is not printable ASCII, and %, as %XX, so that
 * any text can be a key, and different texts make different keys.
 */
bool key_encode(const char *text, size_t len, struct buf *out);

/* key_fault(key): NULL if it is a valid key, or the end of a sentence: "is empty". */
const char *key_fault(const char *key);

#endif
