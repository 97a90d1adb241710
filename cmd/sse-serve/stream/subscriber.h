/* SPDX-License-Identifier: MIT */
/*
 * Subscribers: the sockets of open streams, their states, and sending to them.  All on the thread
 * of one loop.
 *
 * LIVE     everything before the loop's boundary was sent; the fan-out (fanout.h) continues there
 * READY    is behind, and its socket accepts data: it is in the list of subscribers to serve
 * WAITING  is behind, and its socket is full: epoll tells when it accepts data again
 * READING  the replay thread reads a chunk for it
 * CLOSED   its socket is closed
 *
 * One that is behind catches up by catch_up.h.
 */
#ifndef SUBSCRIBER_H
#define SUBSCRIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "channel.h"
#include "deadlines.h"
#include "frames.h"
#include "poll_reply.h"
#include "presence.h"
#include "stream_end.h"
#include "stream_record.h"

/*
 * A subscriber with what few have; its bits `named`, `ends` and `latest` tell which; a poll has it
 * all.
 */
struct extended_subscriber {
	struct subscriber subscriber; /* first */
	struct presence_lease *lease; /* named: of its name */
	uint64_t end_position;	      /* ends: after the events up to this position, */
	uint64_t end_entry;	      /* which are before this entry of the window */
	/* latest: as long as the cursor is before ${latest_upto}, only the newest event up to there of
	 * each subject is sent; it began from ${latest_from}, see struct replay. */
	uint64_t latest_from, latest_upto;
};

/* A subscriber that waits for events, and ends with them: see poll.h. */
struct polling_subscriber {
	struct extended_subscriber extended; /* first */
	struct deadline deadline;	     /* of its wait */
	bool over;			     /* that has passed */
	struct poll_reply *reply; /* of a list: what its head is made by, until it is made; owned */
};

/* subscriber_polling(subscriber): what it has as a poll, which it must be. */
static inline struct polling_subscriber *subscriber_polling(struct subscriber *subscriber)
{
	return (struct polling_subscriber *)subscriber;
}

/* subscriber_record(subscriber): its record, which it must have (logged). */
static inline struct stream_record *subscriber_record(struct subscriber *subscriber)
{
	return (struct stream_record *)(void *)subscriber - 1;
}

/* subscriber_waits(subscriber): is it a poll that has got nothing yet? */
static inline bool subscriber_waits(const struct subscriber *subscriber)
{
	return subscriber->polls && !subscriber->ends;
}

/* subscriber_set_end(subscriber): it is an extended one, and ends after what there is now. */
void subscriber_set_end(struct subscriber *subscriber);

/* subscriber_reach_boundary(subscriber): it has had all that is before the loop's boundary. */
void subscriber_reach_boundary(struct subscriber *subscriber);

/* subscriber_set_state(subscriber, state): only this changes its state. */
void subscriber_set_state(struct subscriber *subscriber, enum subscriber_state state);

/* subscriber_ready(source, events): what the loop's epoll calls for the subscriber's socket. */
void subscriber_ready(struct source *source, uint32_t events);

/*
 * subscriber_watch(subscriber, operation):
 * Add its socket to the loop's epoll (EPOLL_CTL_ADD), or ask for its state once more
 * (EPOLL_CTL_MOD).
 */
bool subscriber_watch(struct subscriber *subscriber, int operation);

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
 * subscriber_note_taken(subscriber, position):
 * Its socket took all wanted events between its cursor, which has not moved yet, and ${position}.
 * Note whether the channel's last event was among them.
 */
void subscriber_note_taken(struct subscriber *subscriber, uint64_t position);

/*
 * subscriber_write(subscriber, data, len):
 * Send bytes that are not events.  The bytes that its socket took, 0 if it is full, or -1 if the
 * subscriber is closed.
 */
ssize_t subscriber_write(struct subscriber *subscriber, const char *data, size_t len);

/*
 * subscriber_keep_pending(subscriber, data, len, events):
 * Keep a copy of bytes that cannot be made again, in which the frames of ${events} events end: they
 * are sent before anything else.  Without memory for them the subscriber is closed.
 */
void subscriber_keep_pending(
	struct subscriber *subscriber, const char *data, size_t len, uint32_t events);

/*
 * subscriber_keep_words(subscriber, written, words):
 * Keep these words of the server as pending, and free them.  If they were not ${written}, for want
 * of memory, close the subscriber.
 */
void subscriber_keep_words(struct subscriber *subscriber, bool written, struct buf *words);

/*
 * subscriber_send_pending(subscriber):
 * Send what is kept, if anything, also by its TLS session.  True if all of it was sent; otherwise
 * the subscriber is WAITING or closed.
 */
bool subscriber_send_pending(struct subscriber *subscriber);

/*
 * subscriber_close(subscriber, why):
 * Close the socket; the stream ends, which is counted and, if its opening was logged, logged.  The
 * memory is freed at the end of the loop's turn; or, if the subscriber is in the ready list or
 * READING, after subscriber_bury().
 */
void subscriber_close(struct subscriber *subscriber, enum stream_end why);

/* subscriber_free(subscriber): release its memory. */
void subscriber_free(struct subscriber *subscriber);

/* subscriber_bury(subscriber): it is closed, and nothing refers to it but events of epoll. */
void subscriber_bury(struct subscriber *subscriber);

#endif
