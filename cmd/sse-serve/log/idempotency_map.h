/* SPDX-License-Identifier: MIT */
/*
 * Idempotency keys in memory, for the log in memory: the newest IDEMPOTENCY_MAP_MAX keys that are
 * not older than the window.
 */
#ifndef IDEMPOTENCY_MAP_H
#define IDEMPOTENCY_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store.h"

/* The most keys that are kept: at most some 20 MB. */
#define IDEMPOTENCY_MAP_MAX 65536

struct idempotency_map;

/* idempotency_map_new(window): ${window} in ms.  NULL without memory. */
struct idempotency_map *idempotency_map_new(int64_t window);

/* idempotency_map_free(keys): takes NULL. */
void idempotency_map_free(struct idempotency_map *keys);

/*
 * idempotency_map_find(keys, append, now): is the key of ${append}, whose event has its topic,
 * known?  If so, fill in the position and time of the first event with it, and whether this one is
 * a duplicate or a conflict.
 */
bool idempotency_map_find(struct idempotency_map *keys, struct store_append *append, int64_t now);

/* idempotency_map_add(keys, append): remember its key.  Return 0, or -1 without memory. */
int idempotency_map_add(struct idempotency_map *keys, const struct store_append *append);

/* idempotency_map_undo(keys, position): forget the keys of events after ${position}. */
void idempotency_map_undo(struct idempotency_map *keys, uint64_t position);

/*
 * idempotency_map_sweep(keys, now): drop the keys that are too old, and the oldest if there are too
 * many.
 */
void idempotency_map_sweep(struct idempotency_map *keys, int64_t now);

#endif
