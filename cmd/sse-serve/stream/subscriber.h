/* SPDX-License-Identifier: MIT */
/*
 * Subscribers: the sockets of open streams, and how each gets what it has not yet had.  All on
 * the thread of one loop.
 *
 * LIVE     everything before the loop's boundary was sent; the fan-out (fanout.h) goes on from
 * there READY    is behind, and its socket can take more: it is in the list of those to be served
 * WAITING  is behind, and its socket is full: epoll will tell
 * READING  the replay thread reads a chunk for it
 *
 * Resuming, `since` and reading slowly are the same thing: to be behind.  A subscriber that is
 * behind is served from the window if that reaches back far enough, otherwise from the log, one
 * chunk at a time.  A chunk that the socket does not take is dropped and read again, so that a
 * slow reader holds no memory.
 */
#ifndef SUBSCRIBER_H
#define SUBSCRIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mailbox.h"
#include "base/source.h"
#include "limits.h"
#include "log/topic.h"
#include "log/window.h"
#include "roster.h"
#include "selection.h"

struct fanout;

/* The subscribers of one loop that want the same. */
struct channel {
	struct selection *selection; /* held */
	struct topic_set topics;     /* of it, those that have had an event */
	struct window_view view;     /* them, in the form that is wanted */
	struct subscriber **subscribers;
	_Atomic uint32_t count; /* written by the loop */
	uint32_t room;

	bool system; /* for TOPIC_SYSTEM */

	struct channel *next, **back;		/* among all channels */
	struct channel *next_many, **back_many; /* among those that are more than one name */

	/* The pass that is under way, see fanout.c. */
	struct channel *next_touched;
	bool touched;
	uint64_t chunk;		 /* the first entry that is not yet sent to all */
	uint64_t chunk_position; /* the position before it */
	uint32_t turn;		 /* subscribers [0, turn) have still to get the chunk */
};

enum subscriber_state { LIVE, READY, WAITING, READING, CLOSED };

struct subscriber {
	struct source source; /* first: what epoll hands back */
	int fd;
	uint8_t state;
	bool queued;	/* stands in the ready list */
	bool named;	/* it is a struct attendee */
	bool resumed;	/* was not LIVE since it was served from the log, or came with an id: what
			   is ephemeral is left out, as it may be old */
	uint32_t index; /* its place in the channel */
	uint32_t sent;	/* when it last got bytes, ms on the loop's clock */
	struct channel *channel;
	struct fanout *fanout;
	uint64_t cursor;  /* unless LIVE: all up to this position was sent */
	uint64_t entry;	  /* all entries of the window before this one were sent, or
			     TOPIC_NO_ENTRY if only the cursor is known */
	uint64_t told;	  /* that events up to this position are gone it knows already */
	uint64_t partial; /* position of the event after the cursor whose first ${skip} bytes
			     were sent */
	uint32_t skip;
	uint32_t unread; /* WAITING: bytes in the socket's queue when it was last looked at, or 0 */
	struct limits_address *address; /* what it is counted by */
	struct subscriber *wheel_next, **wheel_back;
	struct subscriber *next; /* in the ready list, or among the closed */
	struct pending *pending; /* bytes that must go first; almost always NULL */
};

/* A stream is one struct and a place in its channel: keep it small. */
_Static_assert(sizeof(struct subscriber) <= 128, "a subscriber is at most 128 bytes");

/* A subscriber with a name. */
struct attendee {
	struct subscriber subscriber; /* first */
	struct roster_stay *stay;
};

/* Where a new stream starts. */
struct start {
	enum { START_NOW, START_AFTER, START_UNKNOWN, START_SINCE } kind;
	uint64_t after; /* START_AFTER: a position of this log */
	int64_t since;	/* START_SINCE: ms since 1970; 0 for all */
	char *unknown;	/* START_UNKNOWN: the id that is not of this log; owned */
};

#define OPENING_HEAD 1024

/* A stream that is to be opened, on its way to the loop that will serve it. */
struct opening {
	struct message message;		/* first */
	struct fanout *fanout;		/* see fanout_place() */
	int fd;				/* non-blocking; owned */
	struct selection *selection;	/* held */
	struct roster_stay *stay;	/* see roster.h; NULL: without a name; owned */
	struct limits_address *address; /* see limits.h */
	struct start start;
	size_t head_len;
	char head[OPENING_HEAD]; /* of the HTTP answer */
};

/*
 * subscriber_open(opening):
 * Send the head and where the stream starts, and serve it from now on.  Takes the opening, which
 * was allocated, and all that it owns; on failure the socket is closed.
 */
void subscriber_open(struct opening *opening);

/* opening_free(opening): instead of subscriber_open(). */
void opening_free(struct opening *opening);

/* subscriber_serve(subscriber): it is READY: bring it nearer to the boundary. */
void subscriber_serve(struct subscriber *subscriber);

/* subscriber_make_ready(subscriber): put it into the ready list. */
void subscriber_make_ready(struct subscriber *subscriber);

/*
 * subscriber_behind(subscriber, cursor, entry):
 * It is behind, and had all up to the position ${cursor}, and all entries before ${entry}
 * (TOPIC_NO_ENTRY if that is not known).  It becomes READY.
 */
void subscriber_behind(struct subscriber *subscriber, uint64_t cursor, uint64_t entry);

/*
 * subscriber_stopped(subscriber, cursor, entry, sent):
 * Its socket took only the first ${sent} bytes of the frames of its channel from ${entry} on
 * (which is announced, and of its topic); it had all up to the position ${cursor} before.  It
 * becomes WAITING.
 */
void subscriber_stopped(
	struct subscriber *subscriber, uint64_t cursor, uint64_t entry, size_t sent);

/* subscriber_delivered(subscriber, events): its socket took them whole. */
void subscriber_delivered(struct subscriber *subscriber, uint64_t events);

/*
 * subscriber_look(subscriber, margin):
 * Send a comment if it is LIVE and will have been silent for --heartbeat in ${margin} ms; close
 * it if it has taken nothing for --stall-timeout.
 */
void subscriber_look(struct subscriber *subscriber, uint32_t margin);

/* subscriber_close(subscriber): close the socket; the memory goes when nothing refers to it. */
void subscriber_close(struct subscriber *subscriber);

#endif
