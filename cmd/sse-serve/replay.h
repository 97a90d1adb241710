/* SPDX-License-Identifier: MIT */
/*
 * A chunk of the log for one subscriber: read and encoded on the replay thread, with the gap
 * event where events are gone.
 */
#ifndef REPLAY_H
#define REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "server.h"
#include "worker.h"

struct subscriber;

/* Where a frame of the chunk ends, and how far it brings its reader. */
struct replay_mark {
	size_t end;
	uint64_t position;
	bool event; /* not a gap or a start, which cannot be made again */
};

struct replay {
	struct job job; /* first */
	struct server *server;
	struct subscriber *subscriber;

	/* What is asked for. */
	char *topic; /* owned: the channel may go before the replay does */
	uint64_t after, upto;
	uint64_t partial; /* the first event must be this one; 0: any */
	bool from_time;	  /* instead of ${after}: from ${since} on, and say where that is */
	int64_t since;
	char *unknown; /* instead of ${after}: from this id, which is not of this log; owned */

	/* What came of it. */
	bool failed;	  /* the log could not be read, or the partial event is gone */
	uint64_t reached; /* the position that the whole chunk brings its reader to */
	struct buf frames;
	struct replay_mark *marks; /* owned */
	size_t count;
};

/* replay_new(server, subscriber, topic): a replay to be filled in; NULL without memory. */
struct replay *replay_new(struct server *server, struct subscriber *subscriber, const char *topic);

/* replay_free(replay) */
void replay_free(struct replay *replay);

#endif
