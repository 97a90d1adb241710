/* SPDX-License-Identifier: MIT */
/* Waiting for events that other nodes have already; see log_thread.h. */
#include "clock.h"
#include "log_thread.h"
#include "log_thread_internal.h"

void log_thread_await(struct log_thread *log_thread, struct awaiting *awaiting)
{
	pthread_mutex_lock(&log_thread->lock);
	awaiting->message.next = log_thread->awaiting;
	log_thread->awaiting = &awaiting->message;
	log_thread->called = true;
	pthread_cond_signal(&log_thread->ready);
	pthread_mutex_unlock(&log_thread->lock);
}

/* Take those that wait no longer out of the list; *${wait} is the ms until the next may. */
static struct message *take_ended(struct log_thread *log_thread, int64_t *wait)
{
	struct message **link = &log_thread->awaiting, *ended = NULL;
	int64_t now = clock_now_ms();

	while (*link != NULL) {
		struct awaiting *one = (struct awaiting *)*link;
		int64_t left = *log_thread->draining ? 0 : one->until - now;

		if (one->position <= log_thread->store->head || left <= 0) {
			*link = one->message.next;
			one->message.next = ended;
			ended = &one->message;
			continue;
		}
		/* That the server ends is not told to this thread. */
		*wait = left < LOG_THREAD_AWAIT_MS ? left : LOG_THREAD_AWAIT_MS;
		link = &one->message.next;
	}
	return ended;
}

int64_t log_thread_end_waits(struct log_thread *log_thread)
{
	struct store *store = log_thread->store;
	struct message *ended, *next;
	int64_t wait = -1;

	pthread_mutex_lock(&log_thread->lock);
	ended = take_ended(log_thread, &wait);
	pthread_mutex_unlock(&log_thread->lock);
	if (ended == NULL)
		return wait;
	/* Without the lock: the store has one of its own, under which it wakes this thread. */
	for (; ended != NULL; ended = next) {
		struct awaiting *one = (struct awaiting *)ended;

		next = ended->next;
		one->behind = one->position > store->head && store->ops->behind(store);
		mailbox_post(one->mailbox, ended);
	}
	log_thread_wake_loops(log_thread);
	return wait;
}
