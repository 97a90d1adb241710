/* SPDX-License-Identifier: MIT */
/*
 * The herald tells who joined and who left: it makes ephemeral events of what changed in the
 * roster. One loop has it, and only one publish of many changes is under way at a time; so readers
 * are told in the order in which it happened, and a flood of changes becomes a few large batches.
 */
#ifndef HERALD_H
#define HERALD_H

#include <stdbool.h>
#include <stdint.h>

#include "log/commit.h"
#include "roster.h"

struct herald;

/* herald_new(roster, commit, mailbox): of the loop that has this mailbox.  NULL without memory. */
struct herald *herald_new(struct roster *roster, struct commit *commit, struct mailbox *mailbox);

/* herald_free(herald): when nothing is under way.  Takes NULL. */
void herald_free(struct herald *herald);

/* herald_run(herald, now): tell what there is.  Return the ms until the next call, or -1. */
int herald_run(struct herald *herald, uint32_t now);

/* herald_busy(herald): are events under way? */
bool herald_busy(const struct herald *herald);

#endif
