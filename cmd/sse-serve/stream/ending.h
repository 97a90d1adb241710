/* SPDX-License-Identifier: MIT */
/*
 * Streams that end by themselves: all topics of the channel are named, and closed.  The last event
 * of such a stream is the one that closed the last of its topics.  A reader that began after a closing
 * is told by an event of the same type; so is one that wants no such events, at its end.  All on the
 * loop's thread.
 */
#ifndef ENDING_H
#define ENDING_H

#include <stdbool.h>

#include "channel.h"
#include "replay.h"

/*
 * ending_pass(fanout, channel):
 * A pass has served the channel.  If it came to the channel's last event, those that are LIVE are at
 * their end: they become READY, and catch_up_serve() ends them.
 */
void ending_pass(const struct fanout *fanout, struct channel *channel);

/*
 * ending_note(subscriber, replay):
 * While it caught up, its socket took all that the replay had for it, at least one event.
 */
void ending_note(struct subscriber *subscriber, const struct replay *replay);

/*
 * ending_is_due(subscriber, position):
 * It has had all wanted events up to ${position}, and its cursor: is nothing left that may come?
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
 * Send what closed each topic, if it has not had what closed the last one: then it began after that,
 * or wants no such events, and has had none.  False if that must wait for its socket,
 * or it is closed.
 */
bool ending_tell(struct subscriber *subscriber);

#endif
