/* SPDX-License-Identifier: MIT */
/*
 * Presence events announce the names that joined and left: the changes of presence.h, published as
 * ephemeral events.  One loop has it, and only one publish of many changes is under way at a time.
 * So readers learn of changes in the order in which they happened, and a flood of changes becomes a
 * few large batches.
 */
#ifndef PRESENCE_EVENTS_H
#define PRESENCE_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "log/log_thread.h"
#include "presence.h"

struct presence_events;

/*
 * presence_events_new(presence, log_thread, mailbox): for the loop that has this mailbox.  NULL
 * without memory.
 */
struct presence_events *presence_events_new(
	struct presence *presence, struct log_thread *log_thread, struct mailbox *mailbox);

/* presence_events_free(presence_events): when no event is under way.  Takes NULL. */
void presence_events_free(struct presence_events *presence_events);

/*
 * presence_events_run(presence_events, now): publish the changes.  Return the ms until the next
 * call, or -1.
 */
int presence_events_run(struct presence_events *presence_events, uint32_t now);

/* presence_events_busy(presence_events): are events under way? */
bool presence_events_busy(const struct presence_events *presence_events);

#endif
