/* SPDX-License-Identifier: MIT */
/*
 * What a stream asks for: topics and patterns, of all event types or some, and the form.  It never
 * changes.  The channels of the loops and the chunks of the replay thread share it.
 */
#ifndef SELECTION_H
#define SELECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "log/event_types.h"
#include "log/form.h"
#include "log/topic.h"

struct selection {
	const char **patterns;	  /* sorted, each once */
	size_t count;		  /* at least 1 */
	bool wildcards;		  /* one of them has a wildcard */
	struct event_types types; /* sorted, each once */
	enum form form;
	bool polls;	 /* it is of polls, see selection_make_poll() */
	const char *key; /* the same text for the same selection */
	_Atomic unsigned references;
};

/*
 * selection_new(patterns, count, types, form):
 * A selection of ${count} checked patterns and of ${types}, which are copied.  The caller holds it.
 * NULL without memory.
 */
struct selection *selection_new(
	const char *const *patterns, size_t count, const struct event_types *types, enum form form);

/*
 * selection_make_poll(selection): before it is shared: it is of polls (poll.h), which share nothing
 * with streams that want the same.
 */
void selection_make_poll(struct selection *selection);

/* Room for the key of one topic. */
#define SELECTION_KEY (TOPIC_NAME_MAX + 3)

/*
 * selection_key(name, form, polls, key): the key of the selection of only this topic, of all types,
 * by streams or by polls.
 */
void selection_key(const char *name, enum form form, bool polls, char key[SELECTION_KEY]);

/* selection_hold(selection): hold it once more; return it.  Any thread. */
struct selection *selection_hold(struct selection *selection);

/* selection_drop(selection): release it; the last holder frees it.  Any thread.  Takes NULL. */
void selection_drop(struct selection *selection);

/* selection_matches(selection, name): is the topic of that name wanted? */
bool selection_matches(const struct selection *selection, const char *name);

/*
 * selection_topics(selection, topics, set):
 * Add the registered topics that are wanted to the set.  Return 0, or -1 without memory.
 */
int selection_topics(
	const struct selection *selection, struct topics *topics, struct topic_set *set);

/*
 * selection_end(selection, topics):
 * The position of the event that closed the last of the topics, if all are named and closed; 0 if
 * more events may come.  Any thread.
 */
uint64_t selection_end(const struct selection *selection, struct topics *topics);

#endif
