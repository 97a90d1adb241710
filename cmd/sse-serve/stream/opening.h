/* SPDX-License-Identifier: MIT */
/* Opening a stream: from the request that asks for it to the loop that will serve it. */
#ifndef OPENING_H
#define OPENING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mailbox.h"
#include "catch_up.h"
#include "channel.h"
#include "limits.h"
#include "poll_reply.h"
#include "presence.h"
#include "selection.h"
#include "stream_record.h"

#define OPENING_HEAD 1024

/* A stream that will be opened, on its way to the loop that will serve it. */
struct opening {
	struct message message;		/* first */
	struct fanout *fanout;		/* see channel_place() */
	int fd;				/* non-blocking; owned */
	struct tls *tls;		/* the session on it; owned; NULL: none */
	struct selection *selection;	/* held */
	struct principal *principal;	/* who opened it; held; NULL: no access control */
	struct presence_lease *lease;	/* see presence.h; NULL: without a name; owned */
	char was[NAME_MAX_BYTES + 1];	/* the name that its client had before; empty: none */
	struct limits_address *address; /* see limits.h */
	struct start start;
	bool marked;		      /* the stream is told when it has caught up */
	bool ends;		      /* and ends then */
	bool polls;		      /* and ends then, but waits for something first; see poll.h */
	uint32_t wait;		      /* polls: ms, at most */
	struct poll_reply *reply;     /* of a poll for a list; owned */
	struct stream_record *record; /* NULL: its end is not logged; owned */
	size_t head_len;
	char head[OPENING_HEAD]; /* of the HTTP answer; a list's is made later */
};

/*
 * opening_start(opening):
 * Send the head and where the stream starts, and serve the stream from now on.  Takes the opening,
 * which was allocated, and all that it owns; on failure, the socket is closed.  The thread of the
 * opening's loop.
 */
void opening_start(struct opening *opening);

/* opening_free(opening): call it instead of opening_start(). */
void opening_free(struct opening *opening);

#endif
