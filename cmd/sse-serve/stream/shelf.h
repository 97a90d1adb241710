/* SPDX-License-Identifier: MIT */
/*
 * What begins with its name, in the order of the names.  A shelf does not own what stands in it;
 * an empty one is all zeros, and its ->items are released with free().
 */
#ifndef SHELF_H
#define SHELF_H

#include <stddef.h>

struct named {
	const char *name;
};

struct shelf {
	struct named **items;
	size_t count, capacity;
};

/* shelf_find(shelf, name): the one with this name, or NULL. */
struct named *shelf_find(const struct shelf *shelf, const char *name);

/* shelf_put(shelf, one): put it in; its name is not there yet.  Return 0, or -1 without memory. */
int shelf_put(struct shelf *shelf, struct named *one);

/* shelf_take(shelf, one): take it out; it is there. */
void shelf_take(struct shelf *shelf, const struct named *one);

/*
 * shelf_new_named(size, name): memory of ${size} bytes, which begins with a copy of the name and
 * is zero after that.  NULL without memory.  free() it.
 */
void *shelf_new_named(size_t size, const char *name);

#endif
