/* SPDX-License-Identifier: MIT */
/*
 * Topics that are new with a group of events: whether they fit into --max-topics, and what becomes of
 * them if the group is refused.  Log thread only.
 */
#ifndef NEW_TOPICS_H
#define NEW_TOPICS_H

#include "error.h"
#include "store.h"
#include "topic.h"

/*
 * new_topics_register(topics, group, error):
 * Register the topics of a group's events, if there is room for all that are new; if not,
 * group->conflicted is the first event whose topic has no room.  Ephemeral events need not stay
 * together: those whose topics do not fit are left out of the group, unless no event would be left.
 * Return 0, or -1: EX_CANTCREAT if there is
 * no room, EX_IOERR without memory.
 */
int new_topics_register(struct topics *topics, struct store_group *group, struct error *error);

/*
 * new_topics_forget(topics, group):
 * Nothing of the group was stored: forget the topics that were registered for it and have nothing
 * else.  Call it when what was stored with the group is in the window.
 */
void new_topics_forget(struct topics *topics, const struct store_group *group);

#endif
