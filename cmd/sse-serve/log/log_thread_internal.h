/* SPDX-License-Identifier: MIT */
/* The log thread, to the log_thread*.c. */
#ifndef LOG_THREAD_INTERNAL_H
#define LOG_THREAD_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/mailbox.h"
#include "log_counts.h"
#include "store.h"
#include "window.h"

struct publish;

/* The most that one transaction takes. */
#define BATCH_EVENTS 8192
#define BATCH_BYTES ((size_t)16 << 20)

/* How often those that wait are looked at, at least, in ms. */
#define LOG_THREAD_AWAIT_MS 50

struct log_thread {
	struct store *store;
	struct window *window;
	struct mailbox *const *mailboxes;
	size_t mailbox_count;
	struct log_thread_counts counts;
	const _Atomic bool *draining;
	pthread_t thread;
	bool started;

	/* Held by whom uses the store and the batch, and writes the window. */
	pthread_mutex_t at_work;

	pthread_mutex_t lock; /* guards what follows; a leaf */
	pthread_cond_t ready;
	struct message *first, **last;
	struct message *erasures, **last_erasure;
	size_t events, bytes;
	bool stopping;
	struct message *awaiting; /* a list, in no order */
	bool called; /* by the store: there is something to follow */
	const struct retention_rules *rules; /* to be used from now on; NULL: as before */
	pthread_cond_t used;		     /* they are */
	_Atomic bool unknown; /* something was queued since the last signal; also read without */

	/* The log thread's own. */
	bool erasing; /* it has begun with the first erasure, and pauses */

	/* Under at_work. */
	struct publish *batch[BATCH_EVENTS];
	struct store_group *groups[BATCH_EVENTS];
	bool told; /* that there are too many topics */
};

/* log_thread_show(log_thread, event): the store's deliver: the event is safe, let it be seen. */
void log_thread_show(void *context, const struct event *event);

/* log_thread_wake_loops(log_thread): something can be seen, or is answered. */
void log_thread_wake_loops(struct log_thread *log_thread);

/*
 * log_thread_erase_step(log_thread):
 * Do a step of the first erasure.  The ms after which to go on, or -1 if there is none.
 */
int64_t log_thread_erase_step(struct log_thread *log_thread);

/*
 * log_thread_end_waits(log_thread):
 * Send back those that need not wait any more.  The ms after which to look again, or -1.
 */
int64_t log_thread_end_waits(struct log_thread *log_thread);

/* log_thread_show_erasure(log_thread, deletion): the store's erased. */
void log_thread_show_erasure(void *context, const struct store_deletion *deletion);

#endif
