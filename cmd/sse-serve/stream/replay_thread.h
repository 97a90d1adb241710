/* SPDX-License-Identifier: MIT */
/*
 * The replay thread: reads the log in chunks for streams that are behind the window and for
 * lists, so that no loop waits for a disk.
 */
#ifndef WORKER_H
#define WORKER_H

#include <stddef.h>

#include "base/mailbox.h"
#include "error.h"
#include "log/store.h"

/* The most bytes of chunks that wait to be sent; the thread pauses until loops release some. */
#define WORKER_HELD ((size_t)16 << 20)

struct job {
	struct message message;	 /* handled on the loop that asked, when the job was run */
	struct mailbox *mailbox; /* of that loop */
	void (*run)(struct job *job, struct store_reader *reader); /* on the replay thread */
	size_t held; /* set by run: bytes to be released with worker_release() */
};

struct worker;

/* worker_start(store, error): start the thread.  NULL with a reason. */
struct worker *worker_start(struct store *store, struct error *error);

/* worker_submit(worker, job): queue a job; it returns to its mailbox.  Any thread. */
void worker_submit(struct worker *worker, struct job *job);

/* worker_release(worker, bytes): the chunk of a job was sent or dropped.  Any thread. */
void worker_release(struct worker *worker, size_t bytes);

/* worker_stop(worker): run the queued jobs, and end the thread.  Takes NULL. */
void worker_stop(struct worker *worker);

/* worker_free(worker): after all its messages are handled.  Takes NULL. */
void worker_free(struct worker *worker);

#endif
