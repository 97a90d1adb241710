/* SPDX-License-Identifier: MIT */
/*
 * The registry of topics that have or had events.  A topic is registered by its first event, or at
 * the start.  It is forgotten when nothing is left of it, so a thread may keep a pointer to a topic
 * only while it holds the topic (topics_hold(), or a set).  A stream may wait for a topic that is
 * not registered; it keeps the name.
 */
#ifndef TOPIC_H
#define TOPIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "topic_name.h"
#include "topic_state.h"

struct topics;

/* topics_new(): an empty registry, or NULL without memory. */
struct topics *topics_new(void);

/*
 * topics_set_limit(topics, limit): set how many topics there may be, without TOPIC_SYSTEM; 0, as in
 * a new registry: no limit.  Call it before threads use the registry.  topics_add() ignores the
 * limit.
 * topics_limit(topics): the limit.  topics_known(topics): how many topics there are, without
 * TOPIC_SYSTEM and those of topics_add_own().  topics_room(topics): how many more are allowed.  Any
 * thread.
 */
void topics_set_limit(struct topics *topics, uint32_t limit);
uint32_t topics_limit(const struct topics *topics);
uint32_t topics_known(struct topics *topics);
uint32_t topics_room(struct topics *topics);

/*
 * topics_find(topics, name): the topic, or NULL if it is not registered.  Any thread; but if topics
 * may be forgotten, threads other than the log thread may only check whether the result is NULL.
 */
struct topic *topics_find(struct topics *topics, const char *name);

/*
 * topics_add(topics, name):
 * Register a topic (the name is copied) or find it.  NULL without memory.  Log thread only.
 */
struct topic *topics_add(struct topics *topics, const char *name);

/*
 * topics_add_own(topics, name):
 * Register a topic that is there from the start, which is never forgotten and does not count for the
 * limit.  Return 0, or -1 without memory.  Call it once for a name, before threads use the registry.
 */
int topics_add_own(struct topics *topics, const char *name);

/*
 * topics_keep(topics, topic):
 * Give it the next row, if it has none.  Return 0, or -1 without memory.  Log thread only.
 */
int topics_keep(struct topics *topics, struct topic *topic);

/* topics_of_row(topics, row): the topic that has this row, or NULL.  Any thread. */
struct topic *topics_of_row(struct topics *topics, uint32_t row);

/* topics_kept(topics): how many have a row: the largest row.  Any thread. */
uint32_t topics_kept(struct topics *topics);

/*
 * topics_get(topics, number): the topic of that number, or NULL if there is none.  Only while no
 * topic can be forgotten.
 */
struct topic *topics_get(struct topics *topics, uint32_t number);

/*
 * topics_hold(topics, number), topics_hold_named(topics, name):
 * The same as topics_get() and topics_find(), but the topic is not forgotten before topic_drop().
 * Any thread.
 */
struct topic *topics_hold(struct topics *topics, uint32_t number);
struct topic *topics_hold_named(struct topics *topics, const char *name);

/*
 * topics_hold_from(topics, from, found, max):
 * Fill ${found} with the topics whose names are not before ${from}, in the order of their bytes, at
 * most ${max}, each held.  Return how many there are.  The time grows with that number, and with the
 * logarithm of how many topics are registered.  Any thread.
 */
size_t topics_hold_from(struct topics *topics, const char *from, struct topic **found, size_t max);

/* topic_drop(topic): end a hold.  Any thread. */
void topic_drop(struct topic *topic);

/*
 * topics_forget(topics, oldest):
 * Look at some topics, in turn, and forget those of which nothing is left: no event was ever
 * stored, nobody holds the topic, and it has no entry in the window from ${oldest} on.  Only
 * topic->published could show that the topic was there.  The time of a call grows with the number
 * of topics registered since the last call.  Log thread only, and not while it uses topics that it
 * registered.
 */
void topics_forget(struct topics *topics, uint64_t oldest);

/*
 * topics_forget_new(topics, topic):
 * Forget a topic at once that was registered for an event which is not taken after all, unless it
 * has an event, or is held.  As topics_forget().
 */
void topics_forget_new(struct topics *topics, struct topic *topic);

/* topics_count(topics): the numbers of all topics are below it.  Any thread. */
uint32_t topics_count(struct topics *topics);

/* topics_free(topics): takes NULL. */
void topics_free(struct topics *topics);

/* Some topics: in a list, and as bits by their number.  All zero is the empty set. */
struct topic_set {
	struct topic **topics; /* owned; in the order in which they were added */
	uint32_t count, capacity;
	uint64_t *bits; /* owned; topics below number ${words} * 64 have a bit */
	uint32_t words;
};

/*
 * topic_set_add(set, topic):
 * Add the topic, which the set then holds.  The caller holds the topic, has announced an entry of
 * it, or knows otherwise that it cannot be forgotten now.  Return 0, also if the set has it
 * already; -1 without memory.
 */
int topic_set_add(struct topic_set *set, struct topic *topic);

/* topic_set_has(set, topic) */
static inline bool topic_set_has(const struct topic_set *set, const struct topic *topic)
{
	return topic->number / 64 < set->words &&
	       (set->bits[topic->number / 64] >> topic->number % 64 & 1) != 0;
}

/* topic_set_removed(set): the newest position of these topics that is gone from the log. */
uint64_t topic_set_removed(const struct topic_set *set);

/* topic_set_lost(set): the newest topic_lost() of them. */
uint64_t topic_set_lost(const struct topic_set *set);

/* topic_set_free(set): release its memory and its topics; the set is empty after that. */
void topic_set_free(struct topic_set *set);

#endif
