/* SPDX-License-Identifier: MIT */
/* Applies the limit of --max-topics: which events may register their topics.  Log thread only. */
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

#endif
