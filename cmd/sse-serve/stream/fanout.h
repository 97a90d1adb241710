/* SPDX-License-Identifier: MIT */
/*
 * The fan-out of one loop: takes new entries of the window in order and sends them to the
 * subscribers of their channels, one send per subscriber and pass.
 *
 * The boundary is the entry up to which the loop has taken the window.  A pass moves it to the
 * head and then works through the channels that have something new, in slices, so that a large
 * fan-out does not hold up what else the loop does.
 */
#ifndef FANOUT_H
#define FANOUT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/counter.h"
#include "base/mailbox.h"
#include "log/topic.h"
#include "log/window.h"
#include "selection.h"
#include "subscriber.h"

#define FANOUT_WHEEL 16 /* silent streams are looked at this many times in their interval */

/* The channels that want one topic. */
struct wanted {
	struct channel **channels;
	uint32_t count, room;
};

struct identity;
struct limits;
struct replayer;

/* What the fan-outs of all loops share.  Filled in before they start, then constant. */
struct fanouts {
	struct window *window;
	struct topics *topics;
	const struct identity *identity; /* of the log: the ids that streams are given */
	struct limits *limits;
	struct replayer *replayer;
	uint32_t heartbeat;	/* ms of silence before a comment is sent */
	uint32_t stall_timeout; /* ms for which a stream may take nothing at all */
	struct mailbox *teller; /* woken when a name joins or leaves, or somebody reads $sys: of the
				   loop that tells of it */
	struct fanout **all;	/* each loop's */
	unsigned count;
	_Atomic int system_readers; /* channels for $sys */
};

struct fanout {
	struct fanouts *shared;
	struct mailbox *mailbox;
	int epoll;
	unsigned reader;       /* this loop's number in the window */
	uint32_t now;	       /* the loop's clock, ms; set by the loop */
	size_t streams;	       /* open ones */
	_Atomic size_t placed; /* with those that are on their way; the other loops look at it */
	bool ended;

	_Atomic uint64_t delivered; /* events that a socket took whole */
	_Atomic uint64_t behind;    /* streams that have not had all that there is for them */

	uint64_t boundary; /* entries before it were taken */
	uint64_t position; /* of the last stored event before it */

	/*
	 * Guards what follows while it changes, which is when a stream opens or ends or a topic
	 * comes up, and while another thread counts; a leaf.  The loop itself reads without it.
	 */
	pthread_mutex_t census;
	struct channel *channels;
	struct channel *many;	 /* of them those whose selection is more than one name */
	void *by_key;		 /* tsearch tree of the channels */
	struct wanted *by_topic; /* [topic number] below room: the channels that want it */
	uint32_t topics, room;	 /* topics below that number were given to their channels */

	struct channel *touched; /* those that the pass has still to serve */
	struct subscriber *ready, *ready_last;
	struct subscriber *closed; /* freed at the end of the loop's turn */

	struct subscriber *wheel[FANOUT_WHEEL];
	uint32_t wheel_slot, wheel_due;
};

/* fanout_init(fanout, shared, mailbox, epoll, reader, now): start at the window's head. */
void fanout_init(struct fanout *fanout, struct fanouts *shared, struct mailbox *mailbox, int epoll,
	unsigned reader, uint32_t now);

/*
 * fanout_place(shared):
 * The loop that the next stream should go to, where it counts as placed from now on: the one
 * that has the fewest.  Any thread.
 */
struct fanout *fanout_place(const struct fanouts *shared);

/* fanout_unplace(fanout): it did not get there.  Any thread. */
void fanout_unplace(struct fanout *fanout);

/*
 * fanout_join(fanout, subscriber, selection):
 * Put it into its channel.  Return 0, or -1 without memory.
 */
int fanout_join(struct fanout *fanout, struct subscriber *subscriber, struct selection *selection);

/* fanout_leave(fanout, subscriber): take it out of its channel and the wheel. */
void fanout_leave(struct fanout *fanout, struct subscriber *subscriber);

/* fanout_count(shared, topic): the streams that want the topic of that name.  Any thread. */
uint64_t fanout_count(const struct fanouts *shared, const char *topic);

/*
 * fanout_census(shared, streams, count):
 * Fill ${streams}, by the topics' numbers below ${count}, with how many streams want them.  Any
 * thread.
 */
void fanout_census(const struct fanouts *shared, uint32_t *streams, uint32_t count);

/* fanout_work(fanout): a slice of what there is to do.  True if there is more. */
bool fanout_work(struct fanout *fanout);

/* fanout_tick(fanout): look after silent streams.  Return the ms until the next look. */
uint32_t fanout_tick(struct fanout *fanout);

/* fanout_bury(fanout): free what was closed; when no event of epoll can name it any more. */
void fanout_bury(struct fanout *fanout);

/* fanout_close(fanout): end all streams. */
void fanout_close(struct fanout *fanout);

/* fanout_free(fanout): when no thread looks at it any more. */
void fanout_free(struct fanout *fanout);

#endif
