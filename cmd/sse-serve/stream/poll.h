/* SPDX-License-Identifier: MIT */
/*
 * Polls: streams that wait for the next event, and end with what has come by then, or when they have
 * waited long enough.
 *
 * A poll is a subscriber like any other, and while it waits it is LIVE: it costs what a silent stream
 * costs.  Polls have channels of their own.  A pass that has something for one makes its polls
 * READY, so each catches up to the loop's boundary, and ends there (catch_up.c).
 *
 * The answer of a list has a length in its head.  So it is one chunk of the log: the head says how
 * long that is, and up to which position it reaches.
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
 * Begin a list with the events that the replay has: what comes before them is kept to be sent
 * first.  If events are gone, answer that, and close the poll.
 */
void poll_answer(struct subscriber *subscriber, const struct replay *replay);

/*
 * poll_write_end(subscriber, id, out):
 * Append the end of a list; if it was not begun, the answer that there is nothing up to the position
 * ${id}.  False without memory.
 */
bool poll_write_end(struct subscriber *subscriber, const char *id, struct buf *out);

#endif
