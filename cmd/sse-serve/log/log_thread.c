/* SPDX-License-Identifier: MIT */
/* The log thread; see log_thread.h. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "base/condition.h"
#include "base/logger.h"
#include "clock.h"
#include "log_thread.h"
#include "log_thread_internal.h"
#include "new_topics.h"

/* Wait for work, at most ${ms} (-1: for ever). */
static void wait_for_work(struct log_thread *log_thread, int64_t ms)
{
	int64_t until = clock_now_ms() + ms;

	if (ms == 0)
		return;
	pthread_mutex_lock(&log_thread->lock);
	while (log_thread->first == NULL && !log_thread->stopping && log_thread->rules == NULL &&
		!log_thread->called && (log_thread->erasures == NULL || log_thread->erasing)) {
		if (ms < 0)
			pthread_cond_wait(&log_thread->ready, &log_thread->lock);
		else if (!condition_wait(&log_thread->ready, &log_thread->lock, until))
			break;
	}
	pthread_mutex_unlock(&log_thread->lock);
}

/* Take a batch of the work.  Return its size; 0 for none. */
static size_t take_batch(struct log_thread *log_thread)
{
	size_t count = 0, events = 0, bytes = 0;

	pthread_mutex_lock(&log_thread->lock);
	log_thread->called = false;
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

/* That somebody came or left, which no publisher can say, does not make a topic of a name. */
static bool is_about_presence(const struct event *event)
{
	static const char *const names[] = {"join", "leave"};

	return event->ephemeral && event_types_have(&(struct event_types){names, 2}, event->type);
}

/* The store's deliver. */
void log_thread_show(void *context, const struct event *event)
{
	struct log_thread *log_thread = context;
	char id[IDENTITY_TEXT];
	size_t len = identity_format(&log_thread->store->identity, event->position, id);

	window_add(log_thread->window, event, id, len);
	if (topic_is_system(event->topic->name))
		return;
	if (!is_about_presence(event))
		atomic_store_explicit(&event->topic->used, true, memory_order_relaxed);
	counter_add(&event->topic->published, 1);
	counter_add(&log_thread->counts.published, 1);
}

void log_thread_wake_loops(struct log_thread *log_thread)
{
	for (size_t i = 0; i < log_thread->mailbox_count; i++)
		mailbox_wake(log_thread->mailboxes[i]);
}

/* The store's show: let the loops see what other nodes published. */
static void show_others(void *context)
{
	struct log_thread *log_thread = context;

	window_stamp(log_thread->window, 0);
	window_publish(log_thread->window);
	log_thread_wake_loops(log_thread);
}

/* The store's wake. */
static void call(void *context)
{
	struct log_thread *log_thread = context;

	pthread_mutex_lock(&log_thread->lock);
	log_thread->called = true;
	pthread_cond_signal(&log_thread->ready);
	pthread_mutex_unlock(&log_thread->lock);
}

/* The log could not be written: pass on the ephemeral events all the same. */
static int pass_on(struct log_thread *log_thread, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (store_group_ephemeral(log_thread->groups[i]) && !log_thread->groups[i]->stored)
			log_thread->groups[kept++] = log_thread->groups[i];
	}
	if (kept == 0)
		return 0;
	return log_thread->store->ops->append(log_thread->store, log_thread->groups, kept, NULL);
}

/* Log it once: clients that exceed the limit must not fill the log. */
static void tell(struct log_thread *log_thread, const struct error *error)
{
	if (!log_thread->told && error->status == EX_CANTCREAT)
		logger_write(LOGGER_WARNING, "%s", error->text);
	log_thread->told = log_thread->told || error->status == EX_CANTCREAT;
}

/*
 * Leave out the groups whose new topics are too many; their publishes have failed.  Return how many
 * groups are left.
 */
static size_t check_topics(struct log_thread *log_thread, size_t count)
{
	struct topics *topics = log_thread->store->topics;
	size_t kept = 0, events = 0;

	for (size_t i = 0; i < count; i++) {
		log_thread->batch[i]->failed = 0;
		events += log_thread->groups[i]->count;
	}
	/* As almost always: the store registers them. */
	if (events <= topics_room(topics))
		return count;
	for (size_t i = 0; i < count; i++) {
		struct publish *publish = log_thread->batch[i];

		publish->failed = new_topics_register(topics, &publish->group, &publish->error);
		if (publish->failed)
			tell(log_thread, &publish->error);
		else
			log_thread->groups[kept++] = log_thread->groups[i];
	}
	return kept;
}

/* What the store did is the result of all that it was given. */
static void note_result(struct publish *publish, int failed, const struct error *error)
{
	if (publish->failed || publish->group.stored)
		return;
	publish->failed = failed;
	if (failed)
		publish->error = *error;
}

/* Write the batch, and show its events; each publish has its result. */
static void write_batch(struct log_thread *log_thread, size_t count)
{
	struct error error = {0};
	size_t kept = check_topics(log_thread, count);
	int failed = kept == 0 ? 0
			       : log_thread->store->ops->append(
					 log_thread->store, log_thread->groups, kept, &error);
	int lost = failed ? pass_on(log_thread, kept) : 0;
	uint64_t now = clock_now_us();

	/* Make events visible before the answer, so that a client can resume from the id in it. */
	window_stamp(log_thread->window, log_thread->batch[0]->began);
	window_publish(log_thread->window);
	for (size_t i = 0; i < count; i++) {
		struct publish *publish = log_thread->batch[i];

		note_result(
			publish, store_group_ephemeral(&publish->group) ? lost : failed, &error);
		if (publish->failed || store_group_refused(&publish->group))
			new_topics_forget(log_thread->store->topics, &publish->group);
		if (!store_group_ephemeral(&publish->group))
			counter_took(&log_thread->counts.took, now - publish->began);
	}
}

/* Send the batch back. */
static void answer_batch(struct log_thread *log_thread, size_t count)
{
	for (size_t i = 0; i < count; i++)
		mailbox_post(log_thread->batch[i]->mailbox, &log_thread->batch[i]->message);
	log_thread_wake_loops(log_thread);
}

/* Between transactions. */
static void use_rules(struct log_thread *log_thread)
{
	struct store *store = log_thread->store;
	const struct retention_rules *rules;

	pthread_mutex_lock(&log_thread->lock);
	rules = log_thread->rules;
	pthread_mutex_unlock(&log_thread->lock);
	if (rules == NULL)
		return;
	/* It looks at all topics, and loops must not wait for that. */
	if (store->ops->retain != NULL)
		store->ops->retain(store, rules);
	pthread_mutex_lock(&log_thread->lock);
	log_thread->rules = NULL;
	pthread_cond_signal(&log_thread->used);
	pthread_mutex_unlock(&log_thread->lock);
}

static bool ended(struct log_thread *log_thread)
{
	bool result;

	pthread_mutex_lock(&log_thread->lock);
	result = log_thread->stopping && log_thread->first == NULL &&
		 log_thread->erasures == NULL && log_thread->awaiting == NULL;
	pthread_mutex_unlock(&log_thread->lock);
	return result;
}

/* The earlier of two moments to go on, in ms from now; -1: never. */
static int64_t earlier(int64_t a, int64_t b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

static void *run(void *context)
{
	struct log_thread *log_thread = context;
	struct store *store = log_thread->store;
	int64_t wait = 0;

	while (!ended(log_thread)) {
		size_t count;
		int64_t follow = -1;

		wait_for_work(log_thread, wait);
		pthread_mutex_lock(&log_thread->at_work);
		count = take_batch(log_thread);
		use_rules(log_thread);
		if (count > 0) {
			write_batch(log_thread, count);
			answer_batch(log_thread, count);
		}
		if (store->ops->follow != NULL)
			follow = store->ops->follow(store);
		if (count > 0 || store->ops->follow != NULL)
			topics_forget(store->topics, window_oldest(log_thread->window));
		wait = log_thread_erase_step(log_thread);
		/* While publishes wait, their own appends make room. */
		if (wait < 0)
			wait = count > 0 ? 0 : store->ops->tidy(store);
		wait = earlier(wait, follow);
		wait = earlier(wait, log_thread_end_waits(log_thread));
		pthread_mutex_unlock(&log_thread->at_work);
	}
	return NULL;
}

struct log_thread *log_thread_new(struct store *store, struct window *window,
	const _Atomic bool *draining, struct error *error)
{
	struct log_thread *log_thread = calloc(1, sizeof(*log_thread));

	if (log_thread == NULL) {
		error_set(error, EX_OSERR, "out of memory for the log thread");
		return NULL;
	}
	log_thread->store = store;
	log_thread->window = window;
	log_thread->draining = draining;
	log_thread->last = &log_thread->first;
	log_thread->last_erasure = &log_thread->erasures;
	store->deliver = log_thread_show;
	store->deliver_context = log_thread;
	store->show = show_others;
	store->erased = log_thread_show_erasure;
	store->wake = call;
	pthread_mutex_init(&log_thread->at_work, NULL);
	pthread_mutex_init(&log_thread->lock, NULL);
	condition_init(&log_thread->ready);
	pthread_cond_init(&log_thread->used, NULL);
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

bool log_thread_publish_now(struct log_thread *log_thread, struct publish *publish)
{
	if (!log_thread->store->ops->quick || pthread_mutex_trylock(&log_thread->at_work) != 0)
		return false;
	publish->began = clock_now_us();
	log_thread->batch[0] = publish;
	log_thread->groups[0] = &publish->group;
	write_batch(log_thread, 1);
	topics_forget(log_thread->store->topics, window_oldest(log_thread->window));
	log_thread_wake_loops(log_thread);
	pthread_mutex_unlock(&log_thread->at_work);
	return true;
}

void log_thread_retain(struct log_thread *log_thread, const struct retention_rules *retention_rules)
{
	pthread_mutex_lock(&log_thread->lock);
	log_thread->rules = retention_rules;
	pthread_cond_signal(&log_thread->ready);
	while (log_thread->rules != NULL)
		pthread_cond_wait(&log_thread->used, &log_thread->lock);
	pthread_mutex_unlock(&log_thread->lock);
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
	if (log_thread->store->ops->unfollow != NULL)
		log_thread->store->ops->unfollow(log_thread->store);
	pthread_cond_destroy(&log_thread->ready);
	pthread_cond_destroy(&log_thread->used);
	pthread_mutex_destroy(&log_thread->lock);
	pthread_mutex_destroy(&log_thread->at_work);
	free(log_thread);
}
