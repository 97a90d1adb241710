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

#include <stdbool.h>
#include <stdint.h>

#include "mailbox.h"
#include "server.h"
#include "subscriber.h"

#define FANOUT_WHEEL 16 /* heartbeats are looked at this many times in their interval */

struct fanout {
	struct server *server;
	struct mailbox *mailbox;
	int epoll;
	unsigned reader; /* this loop's number in the window */
	uint32_t now;	 /* the loop's clock, ms; set by the loop */
	size_t streams;	 /* open ones */

	uint64_t boundary; /* entries before it were taken */
	uint64_t position; /* of the last stored event before it */

	struct channel *channels;
	void *by_name;		   /* tsearch tree of the channels */
	struct channel **by_topic; /* [topic number] below room; NULL where nobody waits */
	uint32_t topics, room;	   /* topics below that number were given to their channels */

	struct channel *touched; /* those that the pass has still to serve */
	struct subscriber *ready, *ready_last;
	struct subscriber *closed; /* freed at the end of the loop's turn */

	struct subscriber *wheel[FANOUT_WHEEL];
	uint32_t wheel_slot, wheel_due;
};

/* fanout_init(fanout, server, mailbox, epoll, reader, now): start at the window's head. */
void fanout_init(struct fanout *fanout, struct server *server, struct mailbox *mailbox, int epoll,
	unsigned reader, uint32_t now);

/* fanout_join(fanout, subscriber, topic): put it into its channel.  Return 0, or -1 (memory). */
int fanout_join(struct fanout *fanout, struct subscriber *subscriber, const char *topic);

/* fanout_leave(fanout, subscriber): take it out of its channel and the wheel. */
void fanout_leave(struct fanout *fanout, struct subscriber *subscriber);

/* fanout_work(fanout): a slice of what there is to do.  True if there is more. */
bool fanout_work(struct fanout *fanout);

/* fanout_tick(fanout): send heartbeats that are due.  Return the ms until the next look. */
uint32_t fanout_tick(struct fanout *fanout);

/* fanout_bury(fanout): free what was closed; when no event of epoll can name it any more. */
void fanout_bury(struct fanout *fanout);

/* fanout_close(fanout): end all streams. */
void fanout_close(struct fanout *fanout);

#endif
