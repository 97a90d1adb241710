/* SPDX-License-Identifier: MIT */
/* A list of positions of the log, which is in order once it is complete. */
#ifndef POSITIONS_H
#define POSITIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero is the empty list. */
struct positions {
	uint64_t *all; /* owned */
	size_t count, capacity;
};

/* positions_add(positions, position): at the end.  False without memory. */
bool positions_add(struct positions *positions, uint64_t position);

/* positions_order(positions): put the oldest first. */
void positions_order(struct positions *positions);

/* positions_after(positions, after): the number of the first that is after it; they are in order. */
size_t positions_after(const struct positions *positions, uint64_t after);

/* positions_have(positions, position): is it one of them?  They are in order. */
bool positions_have(const struct positions *positions, uint64_t position);

/* positions_free(positions): the list is empty after that. */
void positions_free(struct positions *positions);

#endif
