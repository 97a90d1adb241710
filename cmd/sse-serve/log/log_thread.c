/* SPDX-License-Identifier: MIT */
/* The log thread; see log_thread.h. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "clock.h"
#include "log_thread.h"

/* The most that one transaction takes. */
#define BATCH_EVENTS 8192
#define BATCH_BYTES ((size_t)16 << 20)

struct log_thread {
	struct store *store;
	struct window *window;
	struct mailbox *const *mailboxes;
	size_t mailbox_count;
	struct log_thread_counts counts;
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
static void wait_for_work(struct log_thread *log_thread, int64_t ms)
{
	int64_t end = clock_now_ms() + ms;
	struct timespec until = {.tv_sec = end / 1000, .tv_nsec = end % 1000 * 1000000};

	if (ms == 0 || log_thread->first != NULL)
		return;
	while (log_thread->first == NULL && !log_thread->stopping) {
		if (ms < 0)
			pthread_cond_wait(&log_thread->ready, &log_thread->lock);
		else if (pthread_cond_timedwait(&log_thread->ready, &log_thread->lock, &until) != 0)
			break;
	}
}

/* Wait for work, at most ${ms}, and take a batch of it.  Return its size; 0 for none. */
static size_t take_batch(struct log_thread *log_thread, int64_t ms)
{
	size_t count = 0, events = 0, bytes = 0;

	pthread_mutex_lock(&log_thread->lock);
	wait_for_work(log_thread, ms);
	while (log_thread->first != NULL && events < BATCH_EVENTS && bytes < BATCH_BYTES) {
		struct publish *publish = (struct publish *)log_thread->first;

		log_thread->first = publish->message.next;
		log_thread->batch[count] = publish;
		log_thread->groups[count] = &publish->group;
		count++;
		events += publish->group.count;
		bytes += publish->bytes;
	}
	if (log_thread->first == NULL)
		log_thread->last = &log_thread->first;
	log_thread->events -= events;
	log_thread->bytes -= bytes;
	pthread_mutex_unlock(&log_thread->lock);
	return count;
}

/* The store's deliver: an event is safe, let it be seen. */
static void show(void *context, const struct event *event)
{
	struct log_thread *log_thread = context;
	char id[IDENTITY_TEXT];
	size_t len = identity_format(&log_thread->store->identity, event->position, id);

	window_add(log_thread->window, event, id, len);
	if (topic_is_system(event->topic->name))
		return;
	counter_add(&event->topic->published, 1);
	counter_add(&log_thread->counts.published, 1);
}

/* A group is stored or passed on as a whole. */
static bool is_ephemeral(const struct store_group *group)
{
	return group->count > 0 && group->appends[0].event.ephemeral;
}

/* The log could not be written: pass on the ephemeral events all the same. */
static int pass_on(struct log_thread *log_thread, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (is_ephemeral(log_thread->groups[i]))
			log_thread->groups[kept++] = log_thread->groups[i];
	}
	if (kept == 0)
		return 0;
	return log_thread->store->ops->append(log_thread->store, log_thread->groups, kept, NULL);
}

static void write_batch(struct log_thread *log_thread, size_t count)
{
	struct error error = {0};
	int failed = log_thread->store->ops->append(
		log_thread->store, log_thread->groups, count, &error);
	int lost = failed ? pass_on(log_thread, count) : 0;
	uint64_t now = clock_now_us();

	/* Make events visible before the answer, so that a client can resume from the id in it. */
	window_publish(log_thread->window);
	for (size_t i = 0; i < count; i++) {
		struct publish *publish = log_thread->batch[i];

		publish->failed = is_ephemeral(&publish->group) ? lost : failed;
		if (publish->failed)
			publish->error = error;
		if (!is_ephemeral(&publish->group))
			counter_took(&log_thread->counts.took, now - publish->began);
		mailbox_post(publish->mailbox, &publish->message);
	}
	for (size_t i = 0; i < log_thread->mailbox_count; i++)
		mailbox_wake(log_thread->mailboxes[i]);
}

static bool ended(struct log_thread *log_thread)
{
	bool result;

	pthread_mutex_lock(&log_thread->lock);
	result = log_thread->stopping && log_thread->first == NULL;
	pthread_mutex_unlock(&log_thread->lock);
	return result;
}

static void *run(void *context)
{
	struct log_thread *log_thread = context;
	int64_t wait = 0;

	while (!ended(log_thread)) {
		size_t count = take_batch(log_thread, wait);

		if (count > 0)
			write_batch(log_thread, count);
		/* While publishes wait, their own appends make room. */
		wait = count > 0 ? 0 : log_thread->store->ops->tidy(log_thread->store);
	}
	return NULL;
}

struct log_thread *log_thread_new(struct store *store, struct window *window,
	const _Atomic bool *draining, struct error *error)
{
	struct log_thread *log_thread = calloc(1, sizeof(*log_thread));
	pthread_condattr_t clock;

	if (log_thread == NULL) {
		error_set(error, EX_OSERR, "out of memory for the log thread");
		return NULL;
	}
	log_thread->store = store;
	log_thread->window = window;
	log_thread->draining = draining;
	log_thread->last = &log_thread->first;
	store->deliver = show;
	store->deliver_context = log_thread;
	pthread_mutex_init(&log_thread->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&log_thread->ready, &clock);
	pthread_condattr_destroy(&clock);
	return log_thread;
}

int log_thread_start(struct log_thread *log_thread, struct mailbox *const *mailboxes, size_t count,
	struct error *error)
{
	int code;

	log_thread->mailboxes = mailboxes;
	log_thread->mailbox_count = count;
	code = pthread_create(&log_thread->thread, NULL, run, log_thread);
	if (code != 0)
		return error_set(
			error, EX_OSERR, "cannot start the log thread: %s", strerror(code));
	log_thread->started = true;
	return 0;
}

bool log_thread_draining(const struct log_thread *log_thread)
{
	return *log_thread->draining;
}

struct log_thread_counts *log_thread_counts(struct log_thread *log_thread)
{
	return &log_thread->counts;
}

bool log_thread_submit(struct log_thread *log_thread, struct publish *publish)
{
	bool fits;

	publish->message.next = NULL;
	publish->began = clock_now_us();
	pthread_mutex_lock(&log_thread->lock);
	/* A publish larger than the cap is taken when nothing else waits. */
	fits = !log_thread->stopping && log_thread->events < LOG_THREAD_QUEUE_EVENTS &&
	       (log_thread->events == 0 ||
		       log_thread->bytes + publish->bytes <= LOG_THREAD_QUEUE_BYTES);
	if (fits) {
		*log_thread->last = &publish->message;
		log_thread->last = &publish->message.next;
		log_thread->events += publish->group.count;
		log_thread->bytes += publish->bytes;
		atomic_store_explicit(&log_thread->unknown, true, memory_order_relaxed);
	}
	pthread_mutex_unlock(&log_thread->lock);
	return fits;
}

void log_thread_wake(struct log_thread *log_thread)
{
	bool unknown;

	/* A thread that queued a publish calls this afterwards: it finds its own mark, or another
	 * thread has cleared the mark and signals. */
	if (!atomic_load_explicit(&log_thread->unknown, memory_order_relaxed))
		return;
	/*
	 * Clear the mark under the lock, so that the signal comes after the publish that it is for.
	 */
	pthread_mutex_lock(&log_thread->lock);
	unknown = log_thread->unknown;
	log_thread->unknown = false;
	pthread_mutex_unlock(&log_thread->lock);
	if (unknown)
		pthread_cond_signal(&log_thread->ready);
}

void log_thread_stop(struct log_thread *log_thread)
{
	if (log_thread == NULL)
		return;
	pthread_mutex_lock(&log_thread->lock);
	log_thread->stopping = true;
	pthread_cond_signal(&log_thread->ready);
	pthread_mutex_unlock(&log_thread->lock);
	if (log_thread->started)
		pthread_join(log_thread->thread, NULL);
	pthread_cond_destroy(&log_thread->ready);
	pthread_mutex_destroy(&log_thread->lock);
	free(log_thread);
}
