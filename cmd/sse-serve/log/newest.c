/* SPDX-License-Identifier: MIT */
/* The largest positions of many; see newest.h. */
#include <stdlib.h>

#include "newest.h"

void newest_init(struct newest *newest, size_t wanted)
{
	*newest = (struct newest){.wanted = wanted};
}

uint64_t newest_floor(const struct newest *newest)
{
	return newest->count < newest->wanted ? 0 : newest->positions[0];
}

/* Put ${position} into the place ${i}, or above it, where what is smaller moves down. */
static void rise(struct newest *newest, size_t i, uint64_t position)
{
	while (i > 0 && newest->positions[(i - 1) / 2] > position) {
		newest->positions[i] = newest->positions[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	newest->positions[i] = position;
}

/* Put ${position} in the place of the smallest, or below it. */
static void sink(struct newest *newest, uint64_t position)
{
	size_t i = 0, child;

	while ((child = 2 * i + 1) < newest->count) {
		if (child + 1 < newest->count &&
			newest->positions[child + 1] < newest->positions[child])
			child++;
		if (newest->positions[child] >= position)
			break;
		newest->positions[i] = newest->positions[child];
		i = child;
	}
	newest->positions[i] = position;
}

bool newest_add(struct newest *newest, uint64_t position)
{
	if (newest->count == newest->wanted) {
		sink(newest, position);
		return true;
	}
	if (newest->count == newest->capacity) {
		size_t capacity = newest->capacity ? newest->capacity * 2 : 16;
		uint64_t *grown = realloc(newest->positions, capacity * sizeof(*grown));

		if (grown == NULL)
			return false;
		newest->positions = grown;
		newest->capacity = capacity;
	}
	rise(newest, newest->count++, position);
	return true;
}

void newest_free(struct newest *newest)
{
	free(newest->positions);
}
