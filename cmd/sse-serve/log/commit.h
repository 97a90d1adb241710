/* SPDX-License-Identifier: MIT */
/*
 * The log thread: takes whatever publishes wait, puts them into the log in one transaction with
 * one sync, shows them in the window, and only then answers them.  The longer a sync takes, the
 * larger the next batch.
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

/* The most that may wait: beyond it a publisher is told to come back. */
#define COMMIT_QUEUE_EVENTS 65536
#define COMMIT_QUEUE_BYTES ((size_t)64 << 20)

/* Events on their way into the log, all or none, and back with what became of them. */
struct publish {
	struct message message;	  /* handled on the publisher's loop */
	struct mailbox *mailbox;  /* where it goes back to */
	struct store_group group; /* what it points to belongs to the publisher, until it is back */
	size_t bytes;		  /* about what it holds in memory */
	uint64_t began;		  /* when it was queued, by counter_clock() */
	int failed;		  /* 0: it is in the log (unless group.conflict) */
	struct error error;	  /* why not */
};

struct commit;

/* What the log thread counts. */
struct commit_counts {
	_Atomic uint64_t published;
	struct counter_times took; /* of what is stored, from the whole request to its answer */
};

/*
 * commit_new(store, window, draining, error):
 * What is submitted waits until commit_start().  ${draining} becomes true when the server is on its
 * way out.  NULL with a reason.
 */
struct commit *commit_new(struct store *store, struct window *window, const _Atomic bool *draining,
	struct error *error);

/*
 * commit_start(commit, mailboxes, count, error):
 * Start the log thread.  All of the ${count} mailboxes are woken after each batch.  Return 0, or -1
 * with a reason.
 */
int commit_start(
	struct commit *commit, struct mailbox *const *mailboxes, size_t count, struct error *error);

/* commit_draining(commit): the server is on its way out: publish nothing any more.  Any thread. */
bool commit_draining(const struct commit *commit);

/*
 * commit_submit(commit, publish):
 * Queue it.  False if the queue is full, and nothing was taken.  The log thread may not know of it
 * before commit_wake().  Any thread.
 */
bool commit_submit(struct commit *commit, struct publish *publish);

/*
 * commit_wake(commit):
 * Wake the log thread if something was queued since.  A loop does so once a turn, so that what it
 * read in one turn makes one batch instead of a change of threads each.
 */
void commit_wake(struct commit *commit);

/* commit_counts(commit): any thread reads them. */
struct commit_counts *commit_counts(struct commit *commit);

/* commit_stop(commit): commit and answer what is queued, end the thread, free all.  Takes NULL. */
void commit_stop(struct commit *commit);

#endif
