/* SPDX-License-Identifier: MIT */
/*
 * Polls: streams that wait for the next event, and end with what has come by then, or when they
 * have waited long enough.
 *
 * A poll is a subscriber like any other.  While it waits it is LIVE, and costs as much as a silent
 * stream.  Polls have channels of their own.  A pass with an event for such a channel makes its
 * polls READY, so each catches up to the loop's boundary and ends there (catch_up.c).
 *
 * The answer to a poll for a list has its length in the head, so it is a single chunk of the log:
 * the head has the length of the chunk, and the position up to which it reaches.
 */
#ifndef POLL_H
#define POLL_H

#include <stdbool.h>

#include "buf.h"
#include "deadlines.h"
#include "replay.h"
#include "subscriber.h"

/* Room for the head of a list, or for a whole answer without one. */
#define POLL_HEAD 4096

/* poll_of_deadline(deadline): the poll that it is the deadline of. */
struct subscriber *poll_of_deadline(struct deadline *deadline);

/* poll_end_wait(subscriber): it has waited long enough, and its deadline is forgotten. */
void poll_end_wait(struct subscriber *subscriber);

/* poll_is_over(subscriber): was poll_end_wait() called? */
bool poll_is_over(const struct subscriber *subscriber);

/* poll_begin(subscriber): it gets something, and ends after what there is now. */
void poll_begin(struct subscriber *subscriber);

/*
 * poll_answer(subscriber, replay):
 * Answer with a list of the events that the replay has: the head, which goes before them, is kept
 * as pending.  If events are gone, answer that instead, and close the poll.
 */
void poll_answer(struct subscriber *subscriber, const struct replay *replay);

/*
 * poll_write_end(subscriber, id, out):
 * Append the end of a list; if it was not begun, the answer that there is nothing up to the
 * position ${id}.  False without memory.
 */
bool poll_write_end(struct subscriber *subscriber, const char *id, struct buf *out);

#endif
