/* SPDX-License-Identifier: MIT */
/*
 * The log thread takes the publishes that wait, stores them in the log in one transaction with one
 * sync, shows them in the window, and only then answers them.  The longer a sync takes, the larger
 * the next batch.
 */
#ifndef COMMIT_H
#define COMMIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/counter.h"
#include "base/mailbox.h"
#include "error.h"
#include "store.h"
#include "window.h"

/* The most that may wait; at the limit, the server tells a publisher to retry. */
#define COMMIT_QUEUE_EVENTS 65536
#define COMMIT_QUEUE_BYTES ((size_t)64 << 20)

/* Events on their way into the log, all or none, and back with the result. */
struct publish {
	struct message message;	  /* handled on the publisher's loop */
	struct mailbox *mailbox;  /* the mailbox that it returns to */
	struct store_group group; /* the publisher owns what it points to, until it returns */
	size_t bytes;		  /* about what it holds in memory */
	uint64_t began;		  /* when it was queued, by counter_clock() */
	int failed;		  /* 0: it is in the log (unless group.conflict) */
	struct error error;	  /* why not */
};

struct commit;

/* What the log thread counts. */
struct commit_counts {
	_Atomic uint64_t published;
	struct counter_times took; /* for stored events: from the complete request to its answer */
};

/*
 * commit_new(store, window, draining, error):
 * Publishes that are submitted wait until commit_start().  ${draining} becomes true when the server
 * begins to end.  NULL with a reason.
 */
struct commit *commit_new(struct store *store, struct window *window, const _Atomic bool *draining,
	struct error *error);

/*
 * commit_start(commit, mailboxes, count, error):
 * Start the log thread.  It wakes all ${count} mailboxes after each batch.  Return 0, or -1 with a
 * reason.
 */
int commit_start(
	struct commit *commit, struct mailbox *const *mailboxes, size_t count, struct error *error);

/* commit_draining(commit): the server is ending: publish nothing more.  Any thread. */
bool commit_draining(const struct commit *commit);

/*
 * commit_submit(commit, publish):
 * Queue ${publish}.  False if the queue is full; then nothing was taken.  The log thread may not
 * see it before commit_wake().  Any thread.
 */
bool commit_submit(struct commit *commit, struct publish *publish);

/*
 * commit_wake(commit):
 * Wake the log thread if a publish was queued since the last call.  A loop calls it once a turn, so
 * that the requests that it read in one turn make one batch instead of one thread switch each.
 */
void commit_wake(struct commit *commit);

/* commit_counts(commit): any thread reads them. */
struct commit_counts *commit_counts(struct commit *commit);

/* commit_stop(commit): commit and answer what is queued, end the thread, free all.  Takes NULL. */
void commit_stop(struct commit *commit);

#endif
