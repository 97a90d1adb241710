/* SPDX-License-Identifier: MIT */
/*
 * The names that streams gave with ?as=, by topic.  A name is present in a topic from
 * its first open stream until it has had none for the grace; then it has left.  All loops share the
 * names under one lock, which sending never takes.  Streams of other nodes count, too: see
 * presence_nodes.h.
 *
 * presence_events.h asks for one change after the other and announces it.  A name is in the
 * list of changes at most once, so the list does not grow however often names come and go, and a
 * client that gets all changes knows the names that are present.
 */
#ifndef PRESENCE_H
#define PRESENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/name.h"
#include "buf.h"
#include "log/topic_name.h"

struct presence;

/* One stream's place in the topics that it names. */
struct presence_lease;

/* A name has joined a topic, or left it. */
struct presence_change {
	char topic[TOPIC_NAME_MAX + 1];
	char name[NAME_MAX_BYTES + 1];
	bool joined;
	uint32_t count; /* names in the topic after this change, as announced */
};

/*
 * presence_new(max, grace):
 * For at most ${max} names, each counted once for each topic it is in, also while it is leaving;
 * ${grace} is in ms, and none is given while more than seven eighths of ${max} are taken.  NULL
 * without memory.
 */
struct presence *presence_new(int64_t max, uint32_t grace);

/* presence_set_max(presence, max): from now on, that many may be present.  Any thread. */
void presence_set_max(struct presence *presence, int64_t max);

/* presence_free(presence): when all leases have ended.  Takes NULL. */
void presence_free(struct presence *presence);

/*
 * presence_reserve(presence, topics, count, name, full):
 * Reserve a place for a stream that will be opened; its name is not present yet.  NULL if there
 * would be too many names (*${full}), or without memory.  Any thread.
 */
struct presence_lease *presence_reserve(struct presence *presence, const char *const *topics,
	size_t count, const char *name, bool *full);

/*
 * presence_enter(lease): the stream is open.
 * presence_leave(lease, now): the stream has ended, or was not opened; takes the lease.  ${now} is
 * in ms on the loops' clock. Both return true if presence_events_run() must be called.  Any thread.
 */
bool presence_enter(struct presence_lease *lease);
bool presence_leave(struct presence_lease *lease, uint32_t now);

/*
 * presence_forgo(lease, name):
 * The client of this stream, which is open, was present as ${name} before, and is no longer: in the
 * topics of the lease that name leaves without the grace, at once or with its last stream.  As
 * presence_enter().
 */
bool presence_forgo(struct presence_lease *lease, const char *name);

/*
 * presence_wait(presence, now):
 * The ms until presence_change() may have a change; -1 for not before presence_events_run() is
 * called.
 */
int presence_wait(struct presence *presence, uint32_t now);

/* presence_change(presence, now, change): get the next change.  False if no change waits. */
bool presence_change(struct presence *presence, uint32_t now, struct presence_change *change);

/*
 * presence_names(presence, topic, names, count):
 * Append the names that are present in the topic to ${names}, in the order of their bytes, each
 * ended by a NUL.  Return 0, or -1 without memory.  Any thread.
 */
int presence_names(struct presence *presence, const char *topic, struct buf *names, size_t *count);

/*
 * presence_several(presence, topic, visit, context):
 * Call ${visit} for each name in the topic that more than one stream has, with how many; of each
 * other node's streams one is known.  Under the lock: ${visit} calls nothing of this file.  False as
 * soon as ${visit} returns false.  Any thread.
 */
bool presence_several(struct presence *presence, const char *topic,
	bool (*visit)(void *context, const char *name, uint32_t streams), void *context);

/* presence_count(presence): the number of names that count for the limit.  Any thread. */
int64_t presence_count(struct presence *presence);

#endif
