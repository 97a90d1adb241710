/* SPDX-License-Identifier: MIT */
/*
 * The replay thread's reads for streams that are behind: a chunk of the log, encoded once and
 * shared by all streams that need it, and for each stream the gap event where events were removed.
 */
#ifndef REPLAY_H
#define REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "log/identity.h"
#include "selection.h"
#include "replay_thread.h"
#include "start.h"

struct replayer;
struct store;
struct subscriber;
struct topics;

/* Where an event's frame ends in the chunk, and its position. */
struct replay_mark {
	size_t end;
	uint64_t position;
	bool made; /* in place of one that is gone, see closings.h */
};

/* The events of a selection with after < position <= reached.  Constant once it is read. */
struct replay_chunk {
	_Atomic unsigned references;
	struct replay_thread *replay_thread; /* the thread that its bytes are released to */
	struct selection *selection;	     /* held */
	uint64_t after, reached;
	bool latest;	      /* see struct replay */
	uint64_t removed;     /* the newest event of the selection that was gone when it was read */
	enum removal removal; /* and why */
	uint64_t removed_sum; /* see struct store_query */
	uint64_t erasures;    /* store->erasures before it was read */
	struct buf frames;
	struct replay_mark *marks; /* owned */
	size_t count, capacity;
	size_t held; /* bytes counted by the replay thread */
};

/* One subscriber's need of a chunk. */
struct replay {
	struct job job; /* first */
	struct replayer *replayer;
	struct subscriber *subscriber;

	/* The request. */
	struct selection *selection; /* held */
	uint64_t after;
	uint64_t upto;	  /* how far the log is read; a chunk that is shared may go further */
	uint64_t told;	  /* the removed_sum that it was told of; also out */
	uint64_t partial; /* the first event must be this one; 0: any */
	bool exact;	  /* a shared chunk must not go further than ${upto} */
	bool latest;	  /* of a reader of present values: what is superseded is no gap */
	bool present; /* only the newest event up to ${upto} of each subject; also out: what is gone
			 makes it begin anew, from position 0 */
	uint64_t from; /* present: the position that it began from; 0: without what is cleared */
	struct start start; /* of a new stream that starts neither now nor after a position of the
			       log; otherwise START_AFTER, and ${after} counts */

	/* The result. */
	char lost[IDENTITY_TEXT]; /* it began anew: the id after which something is gone */
	bool failed;		  /* the log could not be read, or the partial event is gone */
	bool gap;		  /* the prefix says that events are gone */
	struct buf prefix; /* to be sent first: where it starts, or a gap; then ${after} is the
			      position that this brings the reader to */
	struct replay_chunk *chunk; /* held */
	size_t first;		    /* the mark of the first event after ${after} */
	size_t offset, end;	    /* where its frame begins, and what is to be sent ends */
	uint32_t events;	    /* in that, from ${first} on */
	uint64_t reached;	    /* the position that it all brings the reader to */
};

/*
 * replayer_new(store, topics, replay_thread):
 * Make chunks of this log on the replay thread ${replay_thread}, and keep the newest for the next
 * stream that needs the same.  NULL without memory.
 */
struct replayer *replayer_new(
	struct store *store, struct topics *topics, struct replay_thread *replay_thread);

/* replayer_free(replayer): when the replay thread has ended.  Takes NULL. */
void replayer_free(struct replayer *replayer);

/*
 * replay_new(replayer, subscriber, selection):
 * A replay to be filled in; NULL without memory.
 */
struct replay *replay_new(
	struct replayer *replayer, struct subscriber *subscriber, struct selection *selection);

/* replay_submit(replay, mailbox): queue the read; the replay returns to its loop's mailbox. */
void replay_submit(struct replay *replay, struct mailbox *mailbox);

/*
 * replay_is_stale(replay): may its chunk hold events that were deleted since it was read?  Any
 * thread.
 */
bool replay_is_stale(const struct replay *replay);

/* replay_last(replay): the position of its last event; it has one. */
static inline uint64_t replay_last(const struct replay *replay)
{
	return replay->chunk->marks[replay->first + replay->events - 1].position;
}

/* replay_free(replay): takes NULL. */
void replay_free(struct replay *replay);

#endif
