/* SPDX-License-Identifier: MIT */
/*
 * The roster: the names that streams gave with ?as=, by topic.  A name is present in a topic from
 * its first open stream until it has had none for the grace; then it has left.  All loops share the
 * roster under one lock, which sending never takes.
 *
 * The herald (herald.h) asks for one change after the other and announces it.  A name is in the
 * list of changes at most once, so the list does not grow however often names come and go, and a
 * client that gets all changes knows the names that are present.
 */
#ifndef ROSTER_H
#define ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "log/topic.h"

/* The longest name, in bytes. */
#define ROSTER_NAME_MAX 64

struct roster;

/* One stream's place in the topics that it names. */
struct roster_stay;

/* A name has joined a topic, or left it. */
struct roster_change {
	char topic[TOPIC_NAME_MAX + 1];
	char name[ROSTER_NAME_MAX + 1];
	bool joined;
	uint32_t count; /* names in the topic after this change, as announced */
};

/*
 * roster_new(max, grace):
 * For at most ${max} names, each counted once for each topic it is in, also while it is leaving;
 * ${grace} is in ms, and none is given while more than seven eighths of ${max} are taken.  NULL
 * without memory.
 */
struct roster *roster_new(int64_t max, uint32_t grace);

/* roster_free(roster): when all stays have ended.  Takes NULL. */
void roster_free(struct roster *roster);

/*
 * roster_reserve(roster, topics, count, name, full):
 * Reserve a place for a stream that will be opened; its name is not present yet.  NULL if there
 * would be too many names (*${full}), or without memory.  Any thread.
 */
struct roster_stay *roster_reserve(struct roster *roster, const char *const *topics, size_t count,
	const char *name, bool *full);

/*
 * roster_enter(stay): the stream is open.
 * roster_leave(stay, now): the stream has ended, or was not opened; takes the stay.  ${now} is in
 * ms on the loops' clock.
 * Both return true if the herald must be woken.  Any thread.
 */
bool roster_enter(struct roster_stay *stay);
bool roster_leave(struct roster_stay *stay, uint32_t now);

/*
 * roster_wait(roster, now):
 * The ms until roster_change() may have a change; -1 for not before the herald is woken.
 */
int roster_wait(struct roster *roster, uint32_t now);

/* roster_change(roster, now, change): get the next change.  False if no change waits. */
bool roster_change(struct roster *roster, uint32_t now, struct roster_change *change);

/*
 * roster_names(roster, topic, names, count):
 * Append the names that are present in the topic to ${names}, in the order of their bytes, each
 * ended by a NUL.  Return 0, or -1 without memory.  Any thread.
 */
int roster_names(struct roster *roster, const char *topic, struct buf *names, size_t *count);

/* roster_count(roster): the number of names that count for the limit.  Any thread. */
int64_t roster_count(struct roster *roster);

#endif
