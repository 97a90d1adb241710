/* SPDX-License-Identifier: MIT */
/* The log thread; see commit.h. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "commit.h"

/* The most that one transaction takes. */
#define BATCH_EVENTS 8192
#define BATCH_BYTES ((size_t)16 << 20)

struct commit {
	struct store *store;
	struct window *window;
	struct mailbox *const *mailboxes;
	size_t mailbox_count;
	pthread_t thread;

	pthread_mutex_t lock; /* guards what follows; a leaf */
	pthread_cond_t ready;
	struct message *first, **last;
	size_t events, bytes;
	bool stopping;

	/* The log thread's own. */
	struct publish *batch[BATCH_EVENTS];
	struct store_append *appends[BATCH_EVENTS];
};

static size_t size_of(const struct publish *publish)
{
	return publish->append.event.data.len + sizeof(*publish);
}

/* Wait for work and take a batch of it.  Return its size; 0 at the end. */
static size_t take_batch(struct commit *commit)
{
	size_t count = 0, bytes = 0;

	pthread_mutex_lock(&commit->lock);
	while (commit->first == NULL && !commit->stopping)
		pthread_cond_wait(&commit->ready, &commit->lock);
	while (commit->first != NULL && count < BATCH_EVENTS && bytes < BATCH_BYTES) {
		struct publish *publish = (struct publish *)commit->first;

		commit->first = publish->message.next;
		commit->batch[count] = publish;
		commit->appends[count] = &publish->append;
		count++;
		bytes += size_of(publish);
	}
	if (commit->first == NULL)
		commit->last = &commit->first;
	commit->events -= count;
	commit->bytes -= bytes;
	pthread_mutex_unlock(&commit->lock);
	return count;
}

/* The store's deliver: an event is safe, let it be seen. */
static void show(void *context, const struct event *event)
{
	struct commit *commit = context;
	char id[IDENTITY_TEXT];
	size_t len = identity_format(&commit->store->identity, event->position, id);

	window_add(commit->window, event, id, len);
}

static void *run(void *context)
{
	struct commit *commit = context;
	size_t count;

	while ((count = take_batch(commit)) > 0) {
		struct error error = {0};
		int failed =
			commit->store->ops->append(commit->store, commit->appends, count, &error);

		/* Visible before it is answered: who reads an id can resume from it. */
		window_publish(commit->window);
		for (size_t i = 0; i < count; i++) {
			struct publish *publish = commit->batch[i];

			publish->failed = failed;
			if (failed)
				publish->error = error;
			mailbox_post(publish->mailbox, &publish->message);
		}
		for (size_t i = 0; i < commit->mailbox_count; i++)
			mailbox_wake(commit->mailboxes[i]);
	}
	return NULL;
}

struct commit *commit_start(struct store *store, struct window *window,
	struct mailbox *const *mailboxes, size_t count, struct error *error)
{
	struct commit *commit = calloc(1, sizeof(*commit));
	int code;

	if (commit == NULL) {
		error_set(error, EX_OSERR, "out of memory for the log thread");
		return NULL;
	}
	commit->store = store;
	commit->window = window;
	commit->mailboxes = mailboxes;
	commit->mailbox_count = count;
	commit->last = &commit->first;
	store->deliver = show;
	store->deliver_context = commit;
	pthread_mutex_init(&commit->lock, NULL);
	pthread_cond_init(&commit->ready, NULL);
	code = pthread_create(&commit->thread, NULL, run, commit);
	if (code != 0) {
		error_set(error, EX_OSERR, "cannot start the log thread: %s", strerror(code));
		free(commit);
		return NULL;
	}
	return commit;
}

bool commit_submit(struct commit *commit, struct publish *publish)
{
	size_t bytes = size_of(publish);
	bool room;

	publish->message.next = NULL;
	pthread_mutex_lock(&commit->lock);
	/* An event larger than the cap is taken when nothing else waits. */
	room = !commit->stopping && commit->events < COMMIT_QUEUE_EVENTS &&
	       (commit->events == 0 || commit->bytes + bytes <= COMMIT_QUEUE_BYTES);
	if (room) {
		*commit->last = &publish->message;
		commit->last = &publish->message.next;
		commit->events++;
		commit->bytes += bytes;
		pthread_cond_signal(&commit->ready);
	}
	pthread_mutex_unlock(&commit->lock);
	return room;
}

void commit_stop(struct commit *commit)
{
	if (commit == NULL)
		return;
	pthread_mutex_lock(&commit->lock);
	commit->stopping = true;
	pthread_cond_signal(&commit->ready);
	pthread_mutex_unlock(&commit->lock);
	pthread_join(commit->thread, NULL);
	pthread_cond_destroy(&commit->ready);
	pthread_mutex_destroy(&commit->lock);
	free(commit);
}
