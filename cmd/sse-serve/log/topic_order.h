/* SPDX-License-Identifier: MIT */
/*
 * The topics of the registry in the order of their names, byte by byte: sorted blocks of pointers,
 * in one sorted list.  Finding, adding and removing take time that grows with the logarithm of the
 * number of topics, but for moving pointers: those of a block, and at times those to the blocks.
 * The caller locks.
 */
#ifndef TOPIC_ORDER_H
#define TOPIC_ORDER_H

#include <stddef.h>
#include <stdint.h>

struct topic;

/* Some topics that follow each other. */
struct topic_block {
	const char *first;     /* the name of the first: a search looks at these only */
	struct topic **topics; /* owned */
	uint32_t count;	       /* at least 1 */
};

/* All zero: no topics. */
struct topic_order {
	struct topic_block *blocks; /* owned */
	uint32_t count, capacity;
};

/* topic_order_find(order, name): the topic of that name, or NULL. */
struct topic *topic_order_find(const struct topic_order *order, const char *name);

/*
 * topic_order_from(order, from, topics, max):
 * Fill ${topics} with the first topics whose names are not before ${from}, at most ${max}.  Return
 * how many there are.
 */
size_t topic_order_from(
	const struct topic_order *order, const char *from, struct topic **topics, size_t max);

/*
 * topic_order_add(order, topic):
 * Add a topic, whose name no other has and which lives as long as it is here.  Return 0, or -1
 * without memory.
 */
int topic_order_add(struct topic_order *order, struct topic *topic);

/* topic_order_remove(order, topic): take it out; it is there. */
void topic_order_remove(struct topic_order *order, const struct topic *topic);

/* topic_order_free(order): release its memory, but no topic; it is empty after that. */
void topic_order_free(struct topic_order *order);

#endif
