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

#include "error.h"
#include "mailbox.h"
#include "store.h"
#include "window.h"

/* The most that may wait: beyond it a publisher is told to come back. */
#define COMMIT_QUEUE_EVENTS 65536
#define COMMIT_QUEUE_BYTES ((size_t)64 << 20)

/* One event on its way into the log, and back with what became of it. */
struct publish {
	struct message message;	 /* handled on the publisher's loop */
	struct mailbox *mailbox; /* where it goes back to */
	struct store_append
		append;	    /* what it points to belongs to the publisher, until it is back */
	int failed;	    /* 0: it is in the log, append.event.position says where */
	struct error error; /* why not */
};

struct commit;

/*
 * commit_start(store, window, mailboxes, count, error):
 * Start the log thread.  All of the ${count} mailboxes are woken after each batch.  NULL with a
 * reason.
 */
struct commit *commit_start(struct store *store, struct window *window,
	struct mailbox *const *mailboxes, size_t count, struct error *error);

/*
 * commit_submit(commit, publish):
 * Queue an event.  False if the queue is full, and nothing was taken.  Any thread.
 */
bool commit_submit(struct commit *commit, struct publish *publish);

/* commit_stop(commit): commit and answer what is queued, and end the thread.  Takes NULL. */
void commit_stop(struct commit *commit);

#endif
