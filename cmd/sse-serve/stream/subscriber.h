/* SPDX-License-Identifier: MIT */
/*
 * Subscribers: the sockets of open streams, and how each gets the events not yet sent to it.  All
 * on the thread of one loop.
 *
 * LIVE     everything before the loop's boundary was sent; the fan-out (fanout.h) continues there
 * READY    is behind, and its socket accepts data: it is in the list of subscribers to serve
 * WAITING  is behind, and its socket is full: epoll tells when it accepts data again
 * READING  the replay thread reads a chunk for it
 *
 * Resuming, `since` and reading slowly are the same case: the subscriber is behind.  It is served
 * from the window if the window reaches back far enough, otherwise from the log, one chunk at a
 * time.  A chunk that the socket does not accept is dropped and read again later, so a slow reader
 * holds no memory.
 */
#ifndef SUBSCRIBER_H
#define SUBSCRIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/mailbox.h"
#include "channel.h"
#include "frames.h"
#include "limits.h"
#include "presence.h"
#include "selection.h"

/* A subscriber with a name. */
struct named_subscriber {
	struct subscriber subscriber; /* first */
	struct presence_lease *lease;
};

/* Where a new stream starts. */
struct start {
	enum { START_NOW, START_AFTER, START_UNKNOWN, START_SINCE } kind;
	uint64_t after; /* START_AFTER: a position of this log */
	int64_t since;	/* START_SINCE: ms since 1970; 0 for all */
	char *unknown;	/* START_UNKNOWN: the id that is not of this log; owned */
};

#define OPENING_HEAD 1024

/* A stream that will be opened, on its way to the loop that will serve it. */
struct opening {
	struct message message;		/* first */
	struct fanout *fanout;		/* see channel_place() */
	int fd;				/* non-blocking; owned */
	struct selection *selection;	/* held */
	struct presence_lease *lease;	/* see presence.h; NULL: without a name; owned */
	struct limits_address *address; /* see limits.h */
	struct start start;
	size_t head_len;
	char head[OPENING_HEAD]; /* of the HTTP answer */
};

/*
 * subscriber_open(opening):
 * Send the head and where the stream starts, and serve the stream from now on.  Takes the opening,
 * which was allocated, and all that it owns; on failure, the socket is closed.
 */
void subscriber_open(struct opening *opening);

/* opening_free(opening): call it instead of subscriber_open(). */
void opening_free(struct opening *opening);

/* subscriber_serve(subscriber): the subscriber is READY: bring it nearer to the boundary. */
void subscriber_serve(struct subscriber *subscriber);

/* subscriber_make_ready(subscriber): put it into the ready list. */
void subscriber_make_ready(struct subscriber *subscriber);

/*
 * subscriber_behind(subscriber, cursor, entry):
 * The subscriber is behind.  It had all events up to the position ${cursor}, and all entries before
 * ${entry} (TOPIC_NO_ENTRY if that is not known).  It becomes READY.
 */
void subscriber_behind(struct subscriber *subscriber, uint64_t cursor, uint64_t entry);

/*
 * subscriber_send(subscriber, frames):
 * Send the frames, which follow what it had.  True if its socket took them all.  Otherwise it is
 * WAITING, and will go on where its socket stopped, or it is closed.  Events that the socket took
 * whole are counted as delivered.
 */
bool subscriber_send(struct subscriber *subscriber, const struct frames *frames);

/*
 * subscriber_write(subscriber, data, len):
 * Send bytes that are not events.  The bytes that its socket took, 0 if it is full, or -1 if the
 * subscriber is closed.
 */
ssize_t subscriber_write(struct subscriber *subscriber, const char *data, size_t len);

/*
 * subscriber_look(subscriber, margin):
 * Send a comment if it is LIVE and will have been silent for --heartbeat in ${margin} ms; close
 * it if it has taken nothing for --stall-timeout.
 */
void subscriber_look(struct subscriber *subscriber, uint32_t margin);

/* subscriber_close(subscriber): close the socket; the memory is freed when nothing refers to it. */
void subscriber_close(struct subscriber *subscriber);

#endif
