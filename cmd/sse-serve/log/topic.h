/* SPDX-License-Identifier: MIT */
/*
 * Topics: their grammar, and the registry of those that have or had events.  A topic is
 * registered by its first event and stays for the life of the process, so a pointer to one may
 * be kept.  A stream may wait for a topic that is not registered yet; it keeps the name.
 */
#ifndef TOPIC_H
#define TOPIC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

/* The longest name of a topic, in bytes. */
#define TOPIC_NAME_MAX 200

/*
 * The server's own topic, the one name outside the grammar: no client publishes to it, no pattern
 * matches it, and its events are never stored.
 */
#define TOPIC_SYSTEM "$sys"

/* No entry of the window: see window.h. */
#define TOPIC_NO_ENTRY UINT64_MAX

struct topic {
	uint32_t number; /* dense, from 0, in the order of registration */
	/*
	 * Its row in the log's database: dense, from 1, in the order of the first stored event; 0
	 * as long as it has had only ephemeral events.  Written by the log thread.
	 */
	_Atomic uint32_t row;
	const char *name;
	/*
	 * The position of the newest event of this topic that was removed from the log; 0 if none
	 * was.  Written by the log thread.
	 */
	_Atomic uint64_t removed;
	/* The newest entry of this topic in the window.  Written by the log thread. */
	_Atomic uint64_t newest_entry;
	/* Events published to it since the start, stored or not.  Written by the log thread. */
	_Atomic uint64_t published;
};

struct topics;

/*
 * topic_name_check(name, len, error):
 * Is this a topic's name: segments of A-Z a-z 0-9 . _ ~ - joined by single slashes, none of them
 * ".", "..", "event" or "presence"?  Return 0, or -1 with the reason (EX_USAGE).
 */
int topic_name_check(const char *name, size_t len, struct error *error);

/*
 * topic_pattern_check(pattern, len, error):
 * Is this a topic's name, or a pattern: a name in which `*` stands for one whole segment, and `**`
 * as the last segment for one or more?  Return 0, or -1 with the reason (EX_USAGE).
 */
int topic_pattern_check(const char *pattern, size_t len, struct error *error);

/* topic_is_system(name): is it TOPIC_SYSTEM? */
bool topic_is_system(const char *name);

/* topic_matches(pattern, name): both were checked, or are TOPIC_SYSTEM. */
bool topic_matches(const char *pattern, const char *name);

/* topic_is_pattern(pattern): does it hold a wildcard? */
bool topic_is_pattern(const char *pattern);

/* topics_new(): an empty registry, or NULL without memory. */
struct topics *topics_new(void);

/* topics_find(topics, name): the topic, or NULL if it is not registered.  Any thread. */
struct topic *topics_find(struct topics *topics, const char *name);

/*
 * topics_add(topics, name):
 * Register a topic (the name is copied) or find it.  NULL without memory.  Log thread only.
 */
struct topic *topics_add(struct topics *topics, const char *name);

/*
 * topics_keep(topics, topic):
 * Give it the next row, if it has none.  Return 0, or -1 without memory.  Log thread only.
 */
int topics_keep(struct topics *topics, struct topic *topic);

/* topics_of_row(topics, row): the topic that has this row, or NULL.  Any thread. */
struct topic *topics_of_row(struct topics *topics, uint32_t row);

/* topics_kept(topics): how many have a row: the largest row.  Any thread. */
uint32_t topics_kept(struct topics *topics);

/* topics_get(topics, number): the topic of that number, or NULL if there is none.  Any thread. */
struct topic *topics_get(struct topics *topics, uint32_t number);

/* topics_count(topics): how many are registered; their numbers are below it.  Any thread. */
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

/* topic_set_add(set, topic): return 0, also if it is in the set; -1 without memory. */
int topic_set_add(struct topic_set *set, struct topic *topic);

/* topic_set_has(set, topic) */
static inline bool topic_set_has(const struct topic_set *set, const struct topic *topic)
{
	return topic->number / 64 < set->words &&
	       (set->bits[topic->number / 64] >> topic->number % 64 & 1) != 0;
}

/* topic_set_removed(set): the newest position of these topics that was removed from the log. */
uint64_t topic_set_removed(const struct topic_set *set);

/* topic_set_free(set): release its memory; the set is empty after that. */
void topic_set_free(struct topic_set *set);

#endif
