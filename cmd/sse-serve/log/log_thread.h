/* SPDX-License-Identifier: MIT */
/*
 * The log thread takes the publishes that wait, stores them in the log in one transaction with one
 * sync, shows them in the window, and only then answers them.  The longer a sync takes, the larger
 * the next batch.  A store that has nothing to wait for is also used by the loops, one at a time.
 */
#ifndef LOG_THREAD_H
#define LOG_THREAD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mailbox.h"
#include "error.h"
#include "log_counts.h"
#include "store.h"
#include "window.h"

/* The most that may wait; at the limit, the server tells a publisher to retry. */
#define LOG_THREAD_QUEUE_EVENTS 65536
#define LOG_THREAD_QUEUE_BYTES ((size_t)64 << 20)

/* Events on their way into the log, all or none, and back with the result. */
struct publish {
	struct message message;	  /* handled on the publisher's loop */
	struct mailbox *mailbox;  /* the mailbox that it returns to */
	struct store_group group; /* the publisher owns what it points to, until it returns */
	size_t bytes;		  /* about what it holds in memory */
	uint64_t began;		  /* when it was queued, by clock_now_us() */
	int failed;		  /* 0: it is in the log (unless group.conflict) */
	/* Why not: as the store says, or EX_CANTCREAT: group.conflicted is beyond --max-topics. */
	struct error error;
};

/* Events to be deleted, and back when they are, or when that failed. */
struct erasure {
	struct message message;		/* handled on the loop that asked */
	struct mailbox *mailbox;	/* of that loop */
	struct store_deletion deletion; /* of what is stored when it begins */
	bool one;			/* it is one event */
	int failed;	    /* 0: they are gone; if there was none, deletion.newest is 0 */
	struct error error; /* why not: as the store says; EX_UNAVAILABLE: the server is ending */
};

/* Something that waits for an event that another node may have already. */
struct awaiting {
	struct message message;	 /* handled on the loop that asked */
	struct mailbox *mailbox; /* of that loop */
	uint64_t position;	 /* of the event */
	int64_t until;		 /* not longer than this, by clock_now_ms() */
	bool behind;		 /* the result: it did not come, but may be in the log */
};

struct log_thread;


/*
 * log_thread_new(store, window, draining, error):
 * Publishes that are submitted wait until log_thread_start().  ${draining} becomes true when the
 * server begins to end.  NULL with a reason.
 */
struct log_thread *log_thread_new(struct store *store, struct window *window,
	const _Atomic bool *draining, struct error *error);

/*
 * log_thread_start(log_thread, mailboxes, count, error):
 * Start the log thread.  It wakes all ${count} mailboxes after each batch.  Return 0, or -1 with a
 * reason.
 */
int log_thread_start(struct log_thread *log_thread, struct mailbox *const *mailboxes, size_t count,
	struct error *error);

/* log_thread_draining(log_thread): the server is ending: publish nothing more.  Any thread. */
bool log_thread_draining(const struct log_thread *log_thread);

/*
 * log_thread_submit(log_thread, publish):
 * Queue ${publish}.  False if the queue is full; then nothing was taken.  The log thread may not
 * see it before log_thread_wake().  Any thread.
 */
bool log_thread_submit(struct log_thread *log_thread, struct publish *publish);

/*
 * log_thread_publish_now(log_thread, publish):
 * Publish on this thread, and fill in the result, where that is quicker than the way to the log thread
 * and back: the store is quick, and nobody else is using it.  False: nothing was done.  A loop's
 * thread, while it reads nothing of the window.
 */
bool log_thread_publish_now(struct log_thread *log_thread, struct publish *publish);

/*
 * log_thread_erase(log_thread, erasure):
 * Queue ${erasure}; it is worked on in steps, between which publishes go on.  As
 * log_thread_submit(), but it is never refused.  Streams of the topic get an event that says what
 * was deleted.
 */
void log_thread_erase(struct log_thread *log_thread, struct erasure *erasure);

/*
 * log_thread_await(log_thread, awaiting):
 * Send ${awaiting} back when its event can be seen, or was waited for too long, or when the server
 * ends.  Any thread.
 */
void log_thread_await(struct log_thread *log_thread, struct awaiting *awaiting);

/*
 * log_thread_retain(log_thread, retention_rules):
 * Have the store keep what these rules say, and wait until it does: from then on the rules before
 * are not used.  They outlive the log thread, or the next call.  Not on a loop.
 */
void log_thread_retain(
	struct log_thread *log_thread, const struct retention_rules *retention_rules);

/*
 * log_thread_wake(log_thread):
 * Wake the log thread if a publish was queued since the last call.  A loop calls it once a turn, so
 * that the requests that it read in one turn make one batch instead of one thread switch each.
 */
void log_thread_wake(struct log_thread *log_thread);

/* log_thread_counts(log_thread): any thread reads them. */
struct log_thread_counts *log_thread_counts(struct log_thread *log_thread);

/*
 * log_thread_stop(log_thread): commit and answer what is queued, end the thread, free all.  Takes
 * NULL.
 */
void log_thread_stop(struct log_thread *log_thread);

#endif
