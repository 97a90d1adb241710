/* SPDX-License-Identifier: MIT */
/*
 * Who is where: the names that streams gave with ?as=, by topic.  A name is present in a topic from
 * its first open stream on until it has had none for the grace; then it has left.  Shared by all
 * loops behind one lock, which is no part of sending.
 *
 * What changed is told by the herald (herald.h), which asks for one change after the other.  A
 * name stands among the changed at most once, so however names flap, nothing grows, and who is
 * told all changes has the names that are present.
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
	uint32_t count; /* names of the topic after it, as it was told */
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
 * A place for a stream that is to be opened; nobody is present by it yet.  NULL if that would be
 * too many names (*${full}), or without memory.  Any thread.
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
 * The ms until roster_change() may have something, -1 for not before somebody is woken.
 */
int roster_wait(struct roster *roster, uint32_t now);

/* roster_change(roster, now, change): the next change.  False if there is none. */
bool roster_change(struct roster *roster, uint32_t now, struct roster_change *change);

/*
 * roster_names(roster, topic, names, count):
 * Append the names that are present in the topic to ${names}, in the order of their bytes, each
 * ended by a NUL.  Return 0, or -1 without memory.  Any thread.
 */
int roster_names(struct roster *roster, const char *topic, struct buf *names, size_t *count);

/* roster_count(roster): of names, as they are counted for the limit.  Any thread. */
int64_t roster_count(struct roster *roster);

#endif
