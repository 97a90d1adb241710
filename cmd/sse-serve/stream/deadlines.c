/* SPDX-License-Identifier: MIT */
/* Deadlines in a heap; see deadlines.h.  The children of place n are the places 2n and 2n + 1. */
#include <stdbool.h>
#include <stdlib.h>

#include "deadlines.h"

static bool is_before(const struct deadline *a, const struct deadline *b)
{
	return (int32_t)(a->due - b->due) < 0;
}

static void put(struct deadlines *deadlines, uint32_t place, struct deadline *deadline)
{
	deadlines->heap[place - 1] = deadline;
	deadline->place = place;
}

/* There is a hole at this place, or it holds ${deadline}: put that where it belongs above it. */
static uint32_t rise(struct deadlines *deadlines, uint32_t place, const struct deadline *deadline)
{
	while (place > 1 && is_before(deadline, deadlines->heap[place / 2 - 1])) {
		put(deadlines, place, deadlines->heap[place / 2 - 1]);
		place /= 2;
	}
	return place;
}

static uint32_t sink(struct deadlines *deadlines, uint32_t place, const struct deadline *deadline)
{
	for (;;) {
		uint32_t child = 2 * place;

		if (child < deadlines->count &&
			is_before(deadlines->heap[child], deadlines->heap[child - 1]))
			child++;
		if (child > deadlines->count || !is_before(deadlines->heap[child - 1], deadline))
			return place;
		put(deadlines, place, deadlines->heap[child - 1]);
		place = child;
	}
}

int deadlines_add(struct deadlines *deadlines, struct deadline *deadline)
{
	if (deadlines->count == deadlines->capacity) {
		uint32_t capacity = deadlines->capacity ? deadlines->capacity * 2 : 16;
		struct deadline **grown =
			realloc(deadlines->heap, capacity * sizeof(struct deadline *));

		if (grown == NULL)
			return -1;
		deadlines->heap = grown;
		deadlines->capacity = capacity;
	}
	deadlines->count++;
	put(deadlines, rise(deadlines, deadlines->count, deadline), deadline);
	return 0;
}

void deadlines_remove(struct deadlines *deadlines, struct deadline *deadline)
{
	uint32_t place = deadline->place;
	struct deadline *last;

	if (place == 0)
		return;
	deadline->place = 0;
	last = deadlines->heap[--deadlines->count];
	if (last == deadline)
		return;
	place = rise(deadlines, place, last);
	put(deadlines, sink(deadlines, place, last), last);
}

struct deadline *deadlines_first(const struct deadlines *deadlines)
{
	return deadlines->count > 0 ? deadlines->heap[0] : NULL;
}

void deadlines_free(struct deadlines *deadlines)
{
	free(deadlines->heap);
	*deadlines = (struct deadlines){0};
}
