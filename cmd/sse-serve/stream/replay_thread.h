/* SPDX-License-Identifier: MIT */
/*
 * The replay thread: reads the log in chunks for streams that are behind the window and for
 * lists, so that no loop waits for a disk.
 */
#ifndef REPLAY_THREAD_H
#define REPLAY_THREAD_H

#include <stddef.h>

#include "base/mailbox.h"
#include "error.h"
#include "log/store.h"

/* The most bytes of chunks that wait to be sent; the thread pauses until loops release some. */
#define REPLAY_THREAD_HELD ((size_t)16 << 20)

struct job {
	struct message message;	 /* handled on the loop that asked, when the job was run */
	struct mailbox *mailbox; /* of that loop */
	void (*run)(struct job *job, struct store_reader *reader); /* on the replay thread */
	size_t held; /* set by run: bytes to be released with replay_thread_release() */
};

struct replay_thread;

/* replay_thread_start(store, error): start the thread.  NULL with a reason. */
struct replay_thread *replay_thread_start(struct store *store, struct error *error);

/* replay_thread_submit(replay_thread, job): queue a job; it returns to its mailbox.  Any thread. */
void replay_thread_submit(struct replay_thread *replay_thread, struct job *job);

/*
 * replay_thread_release(replay_thread, bytes): the chunk of a job was sent or dropped.  Any thread.
 */
void replay_thread_release(struct replay_thread *replay_thread, size_t bytes);

/* replay_thread_stop(replay_thread): run the queued jobs, and end the thread.  Takes NULL. */
void replay_thread_stop(struct replay_thread *replay_thread);

/* replay_thread_free(replay_thread): after all its messages are handled.  Takes NULL. */
void replay_thread_free(struct replay_thread *replay_thread);

#endif
