/* SPDX-License-Identifier: MIT */
/*
 * Deadlines, each of which can be given up, and the earliest of which is found at once: a binary
 * heap.  The deadlines are their owners'.  Times are ms on the loop's clock, which wraps around; all
 * deadlines at a time lie within half of its range.
 */
#ifndef DEADLINES_H
#define DEADLINES_H

#include <stdint.h>

struct deadline {
	uint32_t due;
	uint32_t place; /* in the heap, from 1; 0: it is not there */
};

/* Zeroed: none. */
struct deadlines {
	struct deadline **heap;
	uint32_t count, capacity;
};

/* deadlines_add(deadlines, deadline): it is not there yet.  Return 0, or -1 without memory. */
int deadlines_add(struct deadlines *deadlines, struct deadline *deadline);

/* deadlines_remove(deadlines, deadline): take it out, if it is there. */
void deadlines_remove(struct deadlines *deadlines, struct deadline *deadline);

/* deadlines_first(deadlines): the earliest; NULL if there is none. */
struct deadline *deadlines_first(const struct deadlines *deadlines);

/* deadlines_free(deadlines): free what it holds, but not the deadlines. */
void deadlines_free(struct deadlines *deadlines);

#endif
