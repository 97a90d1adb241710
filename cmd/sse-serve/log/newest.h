/* SPDX-License-Identifier: MIT */
/* The largest positions of many: which they are is not known before all are seen. */
#ifndef NEWEST_H
#define NEWEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A heap with the smallest on top. */
struct newest {
	uint64_t *positions; /* owned */
	size_t count, capacity;
	size_t wanted;
};

/* newest_init(newest, wanted): look for the ${wanted} largest, at least 1; they are all different. */
void newest_init(struct newest *newest, size_t wanted);

/*
 * newest_floor(newest):
 * Only positions after it are among the largest so far: 0 until there are as many as are wanted.
 */
uint64_t newest_floor(const struct newest *newest);

/* newest_add(newest, position): a position after the floor.  False without memory. */
bool newest_add(struct newest *newest, uint64_t position);

/* newest_free(newest): free what it holds. */
void newest_free(struct newest *newest);

#endif
