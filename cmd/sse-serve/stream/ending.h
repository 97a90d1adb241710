/* SPDX-License-Identifier: MIT */
/*
 * Streams that end by themselves, because all their topics are named and closed.  The last event of
 * such a stream is the one that closed the last of its topics.  A reader that started after a
 * closing gets an event of the same type that is made for it; a reader that asked for other types
 * gets it at the end of its stream.  All on the loop's thread.
 */
#ifndef ENDING_H
#define ENDING_H

#include <stdbool.h>

#include "channel.h"
#include "replay.h"

/*
 * ending_pass(fanout, channel):
 * Call it when a pass has served the channel.  If the pass has reached the channel's last event,
 * the subscribers that are LIVE are at their end: they become READY, and catch_up_serve() ends
 * them.
 */
void ending_pass(const struct fanout *fanout, struct channel *channel);

/*
 * ending_note(subscriber, replay):
 * While it caught up, its socket took all that the replay had for it, at least one event.
 */
void ending_note(struct subscriber *subscriber, const struct replay *replay);

/*
 * ending_is_due(subscriber, position):
 * The subscriber has had all wanted events up to its cursor and up to ${position}.  Can no further
 * event follow?
 */
bool ending_is_due(const struct subscriber *subscriber, uint64_t position);

/*
 * ending_add_past(subscriber, position, out):
 * It begins after , without an id of its own: add that topics were closed before that, unless
 * all were, since ending_tell() tells that.  False without memory.
 */
bool ending_add_past(const struct subscriber *subscriber, uint64_t position, struct buf *out);

/*
 * ending_tell(subscriber):
 * Send a closing of each topic, unless the subscriber has had the closing of the last one.  If it
 * has not, it started after that or wants no such events, and so has had none of them.  False if it
 * must wait for its socket, or is closed.
 */
bool ending_tell(struct subscriber *subscriber);

#endif
