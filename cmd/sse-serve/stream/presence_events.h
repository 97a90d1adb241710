/* SPDX-License-Identifier: MIT */
/*
 * The herald announces the names that joined and left: it publishes the changes of the roster as
 * ephemeral events.  One loop has it, and only one publish of many changes is under way at a time.
 * So readers learn of changes in the order in which they happened, and a flood of changes becomes a
 * few large batches.
 */
#ifndef HERALD_H
#define HERALD_H

#include <stdbool.h>
#include <stdint.h>

#include "log/log_thread.h"
#include "presence.h"

struct herald;

/* herald_new(roster, commit, mailbox): for the loop that has this mailbox.  NULL without memory. */
struct herald *herald_new(struct roster *roster, struct commit *commit, struct mailbox *mailbox);

/* herald_free(herald): when no event is under way.  Takes NULL. */
void herald_free(struct herald *herald);

/* herald_run(herald, now): publish the changes.  Return the ms until the next call, or -1. */
int herald_run(struct herald *herald, uint32_t now);

/* herald_busy(herald): are events under way? */
bool herald_busy(const struct herald *herald);

#endif
