/* SPDX-License-Identifier: MIT */
/*
 * The event that closes its topic: the last one that is stored of it, for ever.  A store asks here
 * when it is an append's turn, after it has looked for the append's key; store_deliver() closes the
 * topic for all to see.  Log thread, but for closing_is_type(), closing_type(),
 * closing_init() and closing_make().
 */
#ifndef CLOSING_H
#define CLOSING_H

#include <stdbool.h>

#include "store.h"

#define CLOSING_TYPE "closed"
#define CLOSING_DATA "{}"

/* closing_is_type(type): is it the type of such events, which others cannot have? */
bool closing_is_type(struct sse_text type);

/* closing_init(append, topic): the event that closes the topic of that name, without a key. */
void closing_init(struct store_append *append, const char *topic);

/* closing_type(): that type. */
struct sse_text closing_type(void);

/*
 * closing_make(event, topic): what is said in place of the event that closed the topic, which is gone
 * from the log: so when it was, and what its data was, is not known.  Any thread.
 */
void closing_make(struct event *event, struct topic *topic);

/*
 * closing_meets(append):
 * Is the append's topic, which was found, closed, also by an append before it that is under way?
 * What the server itself says, unstored, does not mind.
 */
bool closing_meets(const struct store_append *append);

/*
 * closing_settle(append):
 * closing_meets() and the key of the append is not known.  To close what is closed is a duplicate:
 * then fill in the first position, and return true.  False: the append must be refused.
 */
bool closing_settle(struct store_append *append);

/* closing_note(append): it has its position: if it closes its topic, the next must know. */
void closing_note(const struct store_append *append);

/* closing_undo(group): the group is refused, or could not be stored. */
void closing_undo(const struct store_group *group);

#endif
