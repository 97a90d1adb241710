/* SPDX-License-Identifier: MIT */
/* The replay thread; see worker.h. */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "replay_thread.h"

struct worker {
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
static struct job *take(struct worker *worker)
{
	struct message *message;

	pthread_mutex_lock(&worker->lock);
	while (!worker->stopping && (worker->first == NULL || worker->held > WORKER_HELD))
		pthread_cond_wait(&worker->ready, &worker->lock);
	message = worker->first;
	if (message != NULL) {
		worker->first = message->next;
		if (worker->first == NULL)
			worker->last = &worker->first;
	}
	pthread_mutex_unlock(&worker->lock);
	return (struct job *)message;
}

static void *run(void *context)
{
	struct worker *worker = context;
	struct job *job;

	while ((job = take(worker)) != NULL) {
		struct mailbox *mailbox = job->mailbox;

		job->held = 0;
		job->run(job, worker->reader);
		pthread_mutex_lock(&worker->lock);
		worker->held += job->held;
		pthread_mutex_unlock(&worker->lock);
		mailbox_post(mailbox, &job->message);
		mailbox_wake(mailbox);
	}
	return NULL;
}

struct worker *worker_start(struct store *store, struct error *error)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	int code;

	if (worker == NULL) {
		error_set(error, EX_OSERR, "out of memory for the replay thread");
		return NULL;
	}
	worker->store = store;
	worker->last = &worker->first;
	worker->reader = store->ops->reader_new(store, error);
	if (worker->reader == NULL)
		goto err0;
	pthread_mutex_init(&worker->lock, NULL);
	pthread_cond_init(&worker->ready, NULL);
	code = pthread_create(&worker->thread, NULL, run, worker);
	if (code != 0) {
		error_set(error, EX_OSERR, "cannot start the replay thread: %s", strerror(code));
		goto err1;
	}
	return worker;

err1:
	store->ops->reader_free(worker->reader);
err0:
	free(worker);
	return NULL;
}

void worker_submit(struct worker *worker, struct job *job)
{
	job->message.next = NULL;
	pthread_mutex_lock(&worker->lock);
	*worker->last = &job->message;
	worker->last = &job->message.next;
	pthread_cond_signal(&worker->ready);
	pthread_mutex_unlock(&worker->lock);
}

void worker_release(struct worker *worker, size_t bytes)
{
	if (bytes == 0)
		return;
	pthread_mutex_lock(&worker->lock);
	worker->held -= bytes;
	pthread_cond_signal(&worker->ready);
	pthread_mutex_unlock(&worker->lock);
}

void worker_stop(struct worker *worker)
{
	if (worker == NULL)
		return;
	pthread_mutex_lock(&worker->lock);
	worker->stopping = true;
	pthread_cond_signal(&worker->ready);
	pthread_mutex_unlock(&worker->lock);
	pthread_join(worker->thread, NULL);
}

void worker_free(struct worker *worker)
{
	if (worker == NULL)
		return;
	worker->store->ops->reader_free(worker->reader);
	pthread_cond_destroy(&worker->ready);
	pthread_mutex_destroy(&worker->lock);
	free(worker);
}
