/* SPDX-License-Identifier: MIT */
/*
 * How a stream that is behind gets the events that it lacks, until it is LIVE.
 *
 * Resuming, `since` and reading slowly are the same case.  The stream is served from the window if
 * the window reaches back far enough, otherwise from the log, one chunk at a time.  A chunk that
 * the socket does not accept is dropped and read again later, so a slow reader holds no memory.
 */
#ifndef CATCH_UP_H
#define CATCH_UP_H

#include <stdint.h>

#include "channel.h"

/* Where a new stream starts. */
struct start {
	enum { START_NOW, START_AFTER, START_UNKNOWN, START_SINCE } kind;
	uint64_t after; /* START_AFTER: a position of this log */
	int64_t since;	/* START_SINCE: ms since 1970; 0 for all */
	char *unknown;	/* START_UNKNOWN: the id that is not of this log; owned */
};

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

#endif
