/* SPDX-License-Identifier: MIT */
/*
 * How a stream that is behind gets the events that it lacks, until it is LIVE.
 *
 * Resuming, `since`, `last` and reading slowly are the same case.  The stream is served from the
 * window if the window reaches back far enough, otherwise from the log, one chunk at a time.  A
 * chunk that the socket does not accept is dropped and read again later, so a slow reader holds no
 * memory.
 */
#ifndef CATCH_UP_H
#define CATCH_UP_H

#include "channel.h"
#include "start.h"

/*
 * catch_up_start(subscriber, start):
 * The subscriber is new, with the cursor that the start asks for.  Takes ${start->unknown}.
 */
void catch_up_start(struct subscriber *subscriber, struct start *start);

/*
 * catch_up_serve(subscriber):
 * The subscriber was taken from the ready list.  If it is READY, bring it nearer to the boundary.
 */
void catch_up_serve(struct subscriber *subscriber);

/*
 * catch_up_anew(channel): events were deleted, up to channel->erased.  The channel's streams of
 * present values that have had everything up to there get a gap and all values again.  Sets
 * channel->erased to 0.
 */
void catch_up_anew(struct channel *channel);

/*
 * catch_up_finish(subscriber):
 * The wait of a poll is over: it ends with the events that are stored.  It ends now if it is LIVE
 * and no pass is about to serve its channel, otherwise as soon as it has caught up.
 */
void catch_up_finish(struct subscriber *subscriber);

#endif
