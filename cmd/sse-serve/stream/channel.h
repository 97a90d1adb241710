/* SPDX-License-Identifier: MIT */
/*
 * The streams of one loop: its channels, each of which groups the subscribers that want the same,
 * and how they are found.  fanout.h, catch_up.h and subscriber.h serve them.  All on the loop's
 * thread, unless a comment says otherwise.
 */
#ifndef CHANNEL_H
#define CHANNEL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/counter.h"
#include "base/mailbox.h"
#include "base/source.h"
#include "deadlines.h"
#include "log/topic.h"
#include "log/window.h"
#include "selection.h"
#include "stream_end.h"

struct identity;
struct limits;
struct principal;
struct limits_address;
struct replayer;
struct tls;

/* The subscribers of one loop that want the same. */
struct channel {
	struct selection *selection; /* held */
	struct topic_set topics;     /* of it, those that have had an event */
	struct window_view view;     /* them, in the form that is wanted */
	struct subscriber **subscribers;
	_Atomic uint32_t count; /* written by the loop */
	uint32_t capacity;

	bool system; /* for TOPIC_SYSTEM */

	uint64_t end;	 /* the position of its last event, 0: there may be more; see ending.h */
	uint64_t erased; /* the position of the deletion that the pass announces, or 0 */

	struct channel *next, **back;		/* among all channels */
	struct channel *next_many, **back_many; /* among those that are not one name */

	/* The pass that is under way, see fanout.c. */
	struct channel *next_touched;
	bool touched;
	uint64_t chunk;		 /* the first entry that is not yet sent to all */
	uint64_t chunk_position; /* the position before it */
	uint32_t turn;		 /* subscribers [0, turn) have not been sent the chunk yet */
};

/* subscriber.h says what the states mean. */
enum subscriber_state { LIVE, READY, WAITING, READING, CLOSED };

struct subscriber {
	struct source source; /* first: what epoll hands back */
	int fd;
	uint8_t state;
	bool queued : 1;    /* is in the ready list */
	bool named : 1;	    /* it is a struct extended_subscriber with a name */
	bool ends : 1;	    /* it is a struct extended_subscriber with an end */
	bool polls : 1;	    /* it is a struct polling_subscriber */
	bool marked : 1;    /* it wants `uptodate` when it has caught up, and ... */
	bool mark_sent : 1; /* ... was sent it, and has not fallen behind since */
	bool had_end : 1;   /* was sent the event that closed the last of its topics */
	bool latest : 1;    /* it is a struct extended_subscriber that is sent present values */
	bool logged : 1;    /* a struct stream_record stands before it */
	bool resumed : 1;   /* came with an id, or was served from the log, and was not LIVE since:
			       it is sent no ephemeral events, which may be old */
	uint32_t index;	    /* its place in the channel */
	uint32_t sent;	    /* when it last got bytes, ms on the loop's clock */
	struct channel *channel;
	struct fanout *fanout;
	uint64_t cursor;  /* all up to this position was sent; LIVE: perhaps more was */
	uint64_t entry;	  /* all entries of the window before this one were sent, or
			     TOPIC_NO_ENTRY if only the cursor is known */
	uint64_t told;	  /* the removed_sum (log/store.h) that it was told of */
	uint64_t partial; /* position of the event after the cursor whose first ${skip} bytes
			     were sent */
	uint32_t skip;
	uint32_t unread; /* WAITING: bytes in the socket's queue when it was last looked at, or 0 */
	struct limits_address *address; /* the address that it counts for */
	struct subscriber *wheel_next, **wheel_back;
	struct subscriber *next;     /* in the ready list, or among the closed */
	struct pending *pending;     /* bytes to send first; almost always NULL */
	struct tls *tls;	     /* the session on its socket; owned; NULL: it has none */
	struct principal *principal; /* who opened it; held; NULL: nobody had to prove anything */
};

/*
 * A stream costs one struct and a place in its channel: keep it small.  For up to 136 bytes, glibc
 * takes as much memory as for 128.
 */
_Static_assert(sizeof(struct subscriber) <= 136, "a subscriber is at most 136 bytes");

/* The channels that want one topic. */
struct wanted {
	struct channel **channels;
	uint32_t count, capacity;
};

/* Shared by the fan-outs of all loops.  Filled in before they start, then constant. */
struct fanouts {
	struct window *window;
	struct topics *topics;
	const struct identity *identity; /* of the log: the ids that streams are given */
	struct limits *limits;
	struct replayer *replayer;
	uint32_t heartbeat;	/* ms of silence before a comment is sent */
	uint32_t stall_timeout; /* ms for which a stream may take nothing at all */
	struct mailbox *teller; /* of the loop that announces joins and leaves and publishes $sys:
				   woken when a name joins or leaves, or $sys has a reader */
	struct fanout **all;	/* each loop's */
	unsigned count;
	const _Atomic uint64_t *access_changes; /* of access.h; NULL: no access control */
	_Atomic int system_readers; /* streams of $sys, which the figures do not count */
};

#define WHEEL_SLOTS 16 /* silent streams are looked at this many times in their interval */

/* One loop's. */
struct fanout {
	struct fanouts *shared;
	struct mailbox *mailbox;
	int epoll;
	unsigned reader;       /* this loop's number in the window */
	uint32_t now;	       /* the loop's clock, ms; set by the loop */
	size_t streams;	       /* open ones */
	_Atomic size_t placed; /* with those that are on their way; the other loops look at it */
	bool ended;

	_Atomic uint64_t delivered;	       /* events that a socket accepted whole */
	_Atomic uint64_t behind;	       /* streams with events not yet sent to them */
	_Atomic uint64_t endings[STREAM_ENDS]; /* streams that ended, by why */
	struct counter_times
		sent;	     /* from a publish to the end of the pass that sent it, once a pass */
	uint64_t pass_began; /* when the publishing began of what the pass sends; 0: unknown */

	uint64_t boundary; /* entries before it were taken */
	uint64_t position; /* of the last stored event before it */

	/*
	 * Guards the members below while they change, that is, when a stream opens or ends or a
	 * topic appears, and while another thread counts; a leaf.  The loop itself reads without
	 * it.
	 */
	pthread_mutex_t channels_lock;
	struct channel *channels;
	struct channel *many;	 /* those whose selection is not just one name */
	void *by_key;		 /* tsearch tree of the channels */
	struct wanted *by_topic; /* [topic number] below capacity: the channels that want it */
	uint32_t capacity;

	/* [topic number]: the serial of the topic that was last given to its channels, or 0. */
	uint32_t *known;
	uint32_t known_capacity;

	struct channel *touched; /* those that the pass has yet to serve */
	struct subscriber *ready, *ready_last;
	struct subscriber *closed; /* freed at the end of the loop's turn */

	struct deadlines deadlines; /* of the polls that wait */
	int64_t denial_due;	    /* see denial.h */
	uint64_t access_changes;    /* that it has looked at */

	struct subscriber *wheel[WHEEL_SLOTS]; /* see wheel.h */
	uint32_t wheel_slot, wheel_due;
};

/*
 * channel_place(shared):
 * The loop for the next stream: the one with the fewest streams.  The stream counts as placed there
 * from now on.  Any thread.
 */
struct fanout *channel_place(const struct fanouts *shared);

/* channel_unplace(fanout): the stream did not get to the loop.  Any thread. */
void channel_unplace(struct fanout *fanout);

/*
 * channel_join(fanout, subscriber, selection):
 * Put ${subscriber} into its channel.  Return 0, or -1 without memory.
 */
int channel_join(struct fanout *fanout, struct subscriber *subscriber, struct selection *selection);

/* channel_leave(fanout, subscriber): take it out of its channel. */
void channel_leave(struct fanout *fanout, struct subscriber *subscriber);

/*
 * channel_find(fanout, topic, form, polls):
 * The channel of the streams, or of the polls, that want only the topic of that name, of all event
 * types; NULL if no channel does.
 * Called by the loop itself, or by another thread that holds channels_lock.
 */
struct channel *channel_find(struct fanout *fanout, const char *topic, enum form form, bool polls);

/*
 * channel_learn(fanout, channel, topic):
 * Let entries of a topic that appeared find the channel.  Return 0, or -1 without memory.
 */
int channel_learn(struct fanout *fanout, struct channel *channel, struct topic *topic);

/* channel_find_end(fanout, channel): one of its topics may have been closed. */
void channel_find_end(const struct fanout *fanout, struct channel *channel);

/* channel_wants_closing(channel): do its subscribers want events of the type that closes topics? */
bool channel_wants_closing(const struct channel *channel);

/* channel_remove(fanout, channel): it has no subscriber, and no pass will serve it. */
void channel_remove(struct fanout *fanout, struct channel *channel);

/* channel_forget(fanout): after all channels are removed, forget what they wanted. */
void channel_forget(struct fanout *fanout);

/* channel_count(fanout, topic): its streams that want the topic of that name.  Any thread. */
uint64_t channel_count(struct fanout *fanout, const char *topic);

/*
 * channel_count_streams(fanout, streams, count):
 * Add the number of its streams that want each topic to ${streams}, indexed by the topics' numbers
 * below ${count}.  Any thread.
 */
void channel_count_streams(struct fanout *fanout, uint32_t *streams, uint32_t count);

#endif
