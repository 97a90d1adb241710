/* SPDX-License-Identifier: MIT */
/*
 * Idempotency keys in memory, for the log in memory: the newest KEYMAP_MAX keys that are not older
 * than the window.
 */
#ifndef KEYMAP_H
#define KEYMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store.h"

/* The most keys that are kept: at most some 20 MB. */
#define KEYMAP_MAX 65536

struct keymap;

/* keymap_new(window): ${window} in ms.  NULL without memory. */
struct keymap *keymap_new(int64_t window);

/* keymap_free(keys): takes NULL. */
void keymap_free(struct keymap *keys);

/*
 * keymap_find(keys, append, now): is the key of ${append}, whose event has its topic, known?  If
 * so, fill in the position and time of the first event with it, and whether this one is a duplicate
 * or a conflict.
 */
bool keymap_find(struct keymap *keys, struct store_append *append, int64_t now);

/* keymap_add(keys, append): remember its key.  Return 0, or -1 without memory. */
int keymap_add(struct keymap *keys, const struct store_append *append);

/* keymap_undo(keys, position): forget the keys of events after ${position}. */
void keymap_undo(struct keymap *keys, uint64_t position);

/* keymap_sweep(keys, now): drop the keys that are too old, and the oldest if there are too many. */
void keymap_sweep(struct keymap *keys, int64_t now);

#endif
