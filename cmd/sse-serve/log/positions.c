/* SPDX-License-Identifier: MIT */
/* A list of positions; see positions.h. */
#include <stdlib.h>

#include "positions.h"

bool positions_add(struct positions *positions, uint64_t position)
{
	if (positions->count == positions->capacity) {
		size_t capacity = positions->capacity ? positions->capacity * 2 : 64;
		uint64_t *grown = realloc(positions->all, capacity * sizeof(*grown));

		if (grown == NULL)
			return false;
		positions->all = grown;
		positions->capacity = capacity;
	}
	positions->all[positions->count++] = position;
	return true;
}

static int compare(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

void positions_order(struct positions *positions)
{
	if (positions->count > 1)
		qsort(positions->all, positions->count, sizeof(*positions->all), compare);
}

size_t positions_after(const struct positions *positions, uint64_t after)
{
	size_t low = 0, high = positions->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (positions->all[middle] > after)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

bool positions_have(const struct positions *positions, uint64_t position)
{
	size_t after = positions_after(positions, position);

	return after > 0 && positions->all[after - 1] == position;
}

void positions_free(struct positions *positions)
{
	free(positions->all);
	*positions = (struct positions){0};
}
