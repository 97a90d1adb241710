/* SPDX-License-Identifier: MIT */
/* The replay thread; see replay_thread.h. */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "replay_thread.h"

struct replay_thread {
	struct store *store;
	struct store_reader *reader;
	pthread_t thread;

	pthread_mutex_t lock; /* guards what follows; a leaf */
	pthread_cond_t ready;
	struct message *first, **last;
	size_t held;
	bool stopping;
};

/* The next job, or NULL at the end. */
static struct job *take(struct replay_thread *replay_thread)
{
	struct message *message;

	pthread_mutex_lock(&replay_thread->lock);
	while (!replay_thread->stopping &&
		(replay_thread->first == NULL || replay_thread->held > REPLAY_THREAD_HELD))
		pthread_cond_wait(&replay_thread->ready, &replay_thread->lock);
	message = replay_thread->first;
	if (message != NULL) {
		replay_thread->first = message->next;
		if (replay_thread->first == NULL)
			replay_thread->last = &replay_thread->first;
	}
	pthread_mutex_unlock(&replay_thread->lock);
	return (struct job *)message;
}

static void *run(void *context)
{
	struct replay_thread *replay_thread = context;
	struct job *job;

	while ((job = take(replay_thread)) != NULL) {
		struct mailbox *mailbox = job->mailbox;

		job->held = 0;
		job->run(job, replay_thread->reader);
		pthread_mutex_lock(&replay_thread->lock);
		replay_thread->held += job->held;
		pthread_mutex_unlock(&replay_thread->lock);
		mailbox_post(mailbox, &job->message);
		mailbox_wake(mailbox);
	}
	return NULL;
}

struct replay_thread *replay_thread_start(struct store *store, struct error *error)
{
	struct replay_thread *replay_thread = calloc(1, sizeof(*replay_thread));
	int code;

	if (replay_thread == NULL) {
		error_set(error, EX_OSERR, "out of memory for the replay thread");
		return NULL;
	}
	replay_thread->store = store;
	replay_thread->last = &replay_thread->first;
	replay_thread->reader = store->ops->reader_new(store, error);
	if (replay_thread->reader == NULL)
		goto err0;
	pthread_mutex_init(&replay_thread->lock, NULL);
	pthread_cond_init(&replay_thread->ready, NULL);
	code = pthread_create(&replay_thread->thread, NULL, run, replay_thread);
	if (code != 0) {
		error_set(error, EX_OSERR, "cannot start the replay thread: %s", strerror(code));
		goto err1;
	}
	return replay_thread;

err1:
	store->ops->reader_free(replay_thread->reader);
err0:
	free(replay_thread);
	return NULL;
}

void replay_thread_submit(struct replay_thread *replay_thread, struct job *job)
{
	job->message.next = NULL;
	pthread_mutex_lock(&replay_thread->lock);
	*replay_thread->last = &job->message;
	replay_thread->last = &job->message.next;
	pthread_cond_signal(&replay_thread->ready);
	pthread_mutex_unlock(&replay_thread->lock);
}

void replay_thread_release(struct replay_thread *replay_thread, size_t bytes)
{
	if (bytes == 0)
		return;
	pthread_mutex_lock(&replay_thread->lock);
	replay_thread->held -= bytes;
	pthread_cond_signal(&replay_thread->ready);
	pthread_mutex_unlock(&replay_thread->lock);
}

void replay_thread_stop(struct replay_thread *replay_thread)
{
	if (replay_thread == NULL)
		return;
	pthread_mutex_lock(&replay_thread->lock);
	replay_thread->stopping = true;
	pthread_cond_signal(&replay_thread->ready);
	pthread_mutex_unlock(&replay_thread->lock);
	pthread_join(replay_thread->thread, NULL);
}

void replay_thread_free(struct replay_thread *replay_thread)
{
	if (replay_thread == NULL)
		return;
	replay_thread->store->ops->reader_free(replay_thread->reader);
	pthread_cond_destroy(&replay_thread->ready);
	pthread_mutex_destroy(&replay_thread->lock);
	free(replay_thread);
}
