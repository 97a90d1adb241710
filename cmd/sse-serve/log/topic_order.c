/* SPDX-License-Identifier: MIT */
/* Topics in the order of their names; see topic_order.h. */
#include <stdlib.h>
#include <string.h>

#include "topic_order.h"
#include "topic_state.h"

/* The topics of a block: moving half of them is cheaper than finding the place. */
#define BLOCK 128

/* The block that has the name, or would have it: the last that does not begin after it. */
static uint32_t find_block(const struct topic_order *order, const char *name)
{
	uint32_t low = 0, high = order->count;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (strcmp(order->blocks[middle].first, name) <= 0)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* The place in the block of the first name that is not before ${name}. */
static uint32_t find_place(const struct topic_block *block, const char *name)
{
	uint32_t low = 0, high = block->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (strcmp(block->topics[middle]->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct topic *topic_order_find(const struct topic_order *order, const char *name)
{
	struct topic *topic;

	if (topic_order_from(order, name, &topic, 1) == 0 || strcmp(topic->name, name) != 0)
		return NULL;
	return topic;
}

size_t topic_order_from(
	const struct topic_order *order, const char *from, struct topic **topics, size_t max)
{
	uint32_t number = find_block(order, from);
	uint32_t place = order->count > 0 ? find_place(&order->blocks[number], from) : 0;
	size_t found = 0;

	for (; number < order->count && found < max; number++, place = 0) {
		const struct topic_block *block = &order->blocks[number];
		size_t some = block->count - place;

		some = some < max - found ? some : max - found;
		memcpy(topics + found, block->topics + place, some * sizeof(*topics));
		found += some;
	}
	return found;
}

static int grow(struct topic_order *order)
{
	uint32_t capacity = order->capacity ? order->capacity * 2 : 4;
	struct topic_block *grown = realloc(order->blocks, capacity * sizeof(*grown));

	if (grown == NULL)
		return -1;
	order->blocks = grown;
	order->capacity = capacity;
	return 0;
}

/* Put an empty block at ${number}.  Return 0, or -1 without memory. */
static int add_block(struct topic_order *order, uint32_t number)
{
	struct topic_block *block;
	struct topic **topics;

	if (order->count == order->capacity && grow(order) != 0)
		return -1;
	topics = malloc(BLOCK * sizeof(struct topic *));
	if (topics == NULL)
		return -1;
	block = order->blocks + number;
	memmove(block + 1, block, (order->count - number) * sizeof(*block));
	*block = (struct topic_block){.topics = topics};
	order->count++;
	return 0;
}

static void remove_block(struct topic_order *order, uint32_t number)
{
	struct topic_block *block = order->blocks + number;

	free(block->topics);
	order->count--;
	memmove(block, block + 1, (order->count - number) * sizeof(*block));
}

/* Add ${count} topics to a block at ${place}. */
static void insert(
	struct topic_block *block, uint32_t place, struct topic *const *topics, uint32_t count)
{
	memmove(block->topics + place + count, block->topics + place,
		(block->count - place) * sizeof(struct topic *));
	memcpy(block->topics + place, topics, count * sizeof(struct topic *));
	block->count += count;
	block->first = block->topics[0]->name;
}

/*
 * Make room in a full block, for a topic at ${place}: half of it goes into a block of its own, or
 * only the last, so that names that are added in order fill their blocks.
 */
static int split(struct topic_order *order, uint32_t number, uint32_t place)
{
	uint32_t kept = place == BLOCK ? BLOCK - 1 : BLOCK / 2;
	struct topic_block *block;

	if (add_block(order, number + 1) != 0)
		return -1;
	block = order->blocks + number;
	insert(block + 1, 0, block->topics + kept, BLOCK - kept);
	block->count = kept;
	return 0;
}

int topic_order_add(struct topic_order *order, struct topic *topic)
{
	uint32_t number = find_block(order, topic->name), place;
	struct topic_block *block;

	if (order->count == 0 && add_block(order, 0) != 0)
		return -1;
	place = find_place(&order->blocks[number], topic->name);
	if (order->blocks[number].count == BLOCK && split(order, number, place) != 0)
		return -1;
	block = order->blocks + number;
	if (place > block->count) {
		place -= block->count;
		block++;
	}
	insert(block, place, &topic, 1);
	return 0;
}

/* Move the topics of the block after ${number} into it, if both together fill half a block. */
static void join(struct topic_order *order, uint32_t number)
{
	struct topic_block *block, *next;

	if (number + 1 >= order->count)
		return;
	block = order->blocks + number;
	next = block + 1;
	if (block->count + next->count > BLOCK / 2)
		return;
	insert(block, block->count, next->topics, next->count);
	remove_block(order, number + 1);
}

void topic_order_remove(struct topic_order *order, const struct topic *topic)
{
	uint32_t number = find_block(order, topic->name);
	struct topic_block *block = order->blocks + number;
	uint32_t place = find_place(block, topic->name);

	block->count--;
	memmove(block->topics + place, block->topics + place + 1,
		(block->count - place) * sizeof(struct topic *));
	if (block->count == 0) {
		remove_block(order, number);
		return;
	}
	block->first = block->topics[0]->name;
	join(order, number);
	if (number > 0)
		join(order, number - 1);
}

void topic_order_free(struct topic_order *order)
{
	for (uint32_t i = 0; i < order->count; i++)
		free(order->blocks[i].topics);
	free(order->blocks);
	*order = (struct topic_order){0};
}
