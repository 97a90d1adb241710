/* SPDX-License-Identifier: MIT */
/* Named things in the order of their names; see shelf.h. */
#include <stdlib.h>
#include <string.h>

#include "shelf.h"

/* Where the name is, or would have to be. */
static size_t place_of(const struct shelf *shelf, const char *name)
{
	size_t low = 0, high = shelf->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(shelf->items[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct named *shelf_find(const struct shelf *shelf, const char *name)
{
	size_t place = place_of(shelf, name);

	if (place == shelf->count || strcmp(shelf->items[place]->name, name) != 0)
		return NULL;
	return shelf->items[place];
}

int shelf_put(struct shelf *shelf, struct named *one)
{
	size_t place = place_of(shelf, one->name);

	if (shelf->count == shelf->capacity) {
		size_t capacity = shelf->capacity ? shelf->capacity * 2 : 4;
		struct named **grown = realloc(shelf->items, capacity * sizeof(struct named *));

		if (grown == NULL)
			return -1;
		shelf->items = grown;
		shelf->capacity = capacity;
	}
	memmove(shelf->items + place + 1, shelf->items + place,
		(shelf->count - place) * sizeof(struct named *));
	shelf->items[place] = one;
	shelf->count++;
	return 0;
}

void shelf_take(struct shelf *shelf, const struct named *one)
{
	size_t place = place_of(shelf, one->name);

	shelf->count--;
	memmove(shelf->items + place, shelf->items + place + 1,
		(shelf->count - place) * sizeof(struct named *));
}

void *shelf_new_named(size_t size, const char *name)
{
	size_t text = strlen(name) + 1;
	struct named *one = calloc(1, size + text);

	if (one != NULL)
		one->name = memcpy((char *)one + size, name, text);
	return one;
}
