/* SPDX-License-Identifier: MIT */
/* The log thread; see commit.h. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "log_thread.h"

/* The most that one transaction takes. */
#define BATCH_EVENTS 8192
#define BATCH_BYTES ((size_t)16 << 20)

struct commit {
	struct store *store;
	struct window *window;
	struct mailbox *const *mailboxes;
	size_t mailbox_count;
	struct commit_counts counts;
	const _Atomic bool *draining;
	pthread_t thread;
	bool started;

	pthread_mutex_t lock; /* guards what follows; a leaf */
	pthread_cond_t ready;
	struct message *first, **last;
	size_t events, bytes;
	bool stopping;
	_Atomic bool unknown; /* something was queued since the last signal; also read without */

	/* The log thread's own. */
	struct publish *batch[BATCH_EVENTS];
	struct store_group *groups[BATCH_EVENTS];
};

/* Wait for work, at most ${ms} (-1: for ever). */
static void wait_for_work(struct commit *commit, int64_t ms)
{
	struct timespec until;

	if (ms == 0 || commit->first != NULL)
		return;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (commit->first == NULL && !commit->stopping) {
		if (ms < 0)
			pthread_cond_wait(&commit->ready, &commit->lock);
		else if (pthread_cond_timedwait(&commit->ready, &commit->lock, &until) != 0)
			break;
	}
}

/* Wait for work, at most ${ms}, and take a batch of it.  Return its size; 0 for none. */
static size_t take_batch(struct commit *commit, int64_t ms)
{
	size_t count = 0, events = 0, bytes = 0;

	pthread_mutex_lock(&commit->lock);
	wait_for_work(commit, ms);
	while (commit->first != NULL && events < BATCH_EVENTS && bytes < BATCH_BYTES) {
		struct publish *publish = (struct publish *)commit->first;

		commit->first = publish->message.next;
		commit->batch[count] = publish;
		commit->groups[count] = &publish->group;
		count++;
		events += publish->group.count;
		bytes += publish->bytes;
	}
	if (commit->first == NULL)
		commit->last = &commit->first;
	commit->events -= events;
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
	if (topic_is_system(event->topic->name))
		return;
	counter_add(&event->topic->published, 1);
	counter_add(&commit->counts.published, 1);
}

/* A group is stored or passed on as a whole. */
static bool is_ephemeral(const struct store_group *group)
{
	return group->count > 0 && group->appends[0].event.ephemeral;
}

/* The log could not be written: pass on the ephemeral events all the same. */
static int pass_on(struct commit *commit, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (is_ephemeral(commit->groups[i]))
			commit->groups[kept++] = commit->groups[i];
	}
	if (kept == 0)
		return 0;
	return commit->store->ops->append(commit->store, commit->groups, kept, NULL);
}

static void write_batch(struct commit *commit, size_t count)
{
	struct error error = {0};
	int failed = commit->store->ops->append(commit->store, commit->groups, count, &error);
	int lost = failed ? pass_on(commit, count) : 0;
	uint64_t now = counter_clock();

	/* Make events visible before the answer, so that a client can resume from the id in it. */
	window_publish(commit->window);
	for (size_t i = 0; i < count; i++) {
		struct publish *publish = commit->batch[i];

		publish->failed = is_ephemeral(&publish->group) ? lost : failed;
		if (publish->failed)
			publish->error = error;
		if (!is_ephemeral(&publish->group))
			counter_took(&commit->counts.took, now - publish->began);
		mailbox_post(publish->mailbox, &publish->message);
	}
	for (size_t i = 0; i < commit->mailbox_count; i++)
		mailbox_wake(commit->mailboxes[i]);
}

static bool ended(struct commit *commit)
{
	bool result;

	pthread_mutex_lock(&commit->lock);
	result = commit->stopping && commit->first == NULL;
	pthread_mutex_unlock(&commit->lock);
	return result;
}

static void *run(void *context)
{
	struct commit *commit = context;
	int64_t wait = 0;

	while (!ended(commit)) {
		size_t count = take_batch(commit, wait);

		if (count > 0)
			write_batch(commit, count);
		/* While publishes wait, their own appends make room. */
		wait = count > 0 ? 0 : commit->store->ops->tidy(commit->store);
	}
	return NULL;
}

struct commit *commit_new(struct store *store, struct window *window, const _Atomic bool *draining,
	struct error *error)
{
	struct commit *commit = calloc(1, sizeof(*commit));
	pthread_condattr_t clock;

	if (commit == NULL) {
		error_set(error, EX_OSERR, "out of memory for the log thread");
		return NULL;
	}
	commit->store = store;
	commit->window = window;
	commit->draining = draining;
	commit->last = &commit->first;
	store->deliver = show;
	store->deliver_context = commit;
	pthread_mutex_init(&commit->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&commit->ready, &clock);
	pthread_condattr_destroy(&clock);
	return commit;
}

int commit_start(
	struct commit *commit, struct mailbox *const *mailboxes, size_t count, struct error *error)
{
	int code;

	commit->mailboxes = mailboxes;
	commit->mailbox_count = count;
	code = pthread_create(&commit->thread, NULL, run, commit);
	if (code != 0)
		return error_set(
			error, EX_OSERR, "cannot start the log thread: %s", strerror(code));
	commit->started = true;
	return 0;
}

bool commit_draining(const struct commit *commit)
{
	return *commit->draining;
}

struct commit_counts *commit_counts(struct commit *commit)
{
	return &commit->counts;
}

bool commit_submit(struct commit *commit, struct publish *publish)
{
	bool room;

	publish->message.next = NULL;
	publish->began = counter_clock();
	pthread_mutex_lock(&commit->lock);
	/* A publish larger than the cap is taken when nothing else waits. */
	room = !commit->stopping && commit->events < COMMIT_QUEUE_EVENTS &&
	       (commit->events == 0 || commit->bytes + publish->bytes <= COMMIT_QUEUE_BYTES);
	if (room) {
		*commit->last = &publish->message;
		commit->last = &publish->message.next;
		commit->events += publish->group.count;
		commit->bytes += publish->bytes;
		atomic_store_explicit(&commit->unknown, true, memory_order_relaxed);
	}
	pthread_mutex_unlock(&commit->lock);
	return room;
}

void commit_wake(struct commit *commit)
{
	bool unknown;

	/* A thread that queued a publish calls this afterwards: it finds its own mark, or another
	 * thread has cleared the mark and signals. */
	if (!atomic_load_explicit(&commit->unknown, memory_order_relaxed))
		return;
	/*
	 * Clear the mark under the lock, so that the signal comes after the publish that it is for.
	 */
	pthread_mutex_lock(&commit->lock);
	unknown = commit->unknown;
	commit->unknown = false;
	pthread_mutex_unlock(&commit->lock);
	if (unknown)
		pthread_cond_signal(&commit->ready);
}

void commit_stop(struct commit *commit)
{
	if (commit == NULL)
		return;
	pthread_mutex_lock(&commit->lock);
	commit->stopping = true;
	pthread_cond_signal(&commit->ready);
	pthread_mutex_unlock(&commit->lock);
	if (commit->started)
		pthread_join(commit->thread, NULL);
	pthread_cond_destroy(&commit->ready);
	pthread_mutex_destroy(&commit->lock);
	free(commit);
}
