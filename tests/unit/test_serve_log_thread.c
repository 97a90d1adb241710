/* SPDX-License-Identifier: MIT */
/*
 * Tests of cmd/sse-serve/log/log_thread.c: what becomes of the publishes that are queued, with real
 * mailboxes and both stores.  A spy between the thread and the store notes the batches, holds them
 * up and makes them fail.
 */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "log/database.h"
#include "log/log_thread.h"
#include "log/store.h"
#include "log/store_sqlite_writer.h"
#include "parts/scratch.h"

/* How long to wait for what must happen, in ms. */
#define PATIENCE 30000

enum { MAILBOXES = 2 };

/* --- the spy --- */

/* What the log thread calls instead of the store's append and tidy. */
static struct {
	const struct store_ops *real;
	struct store_ops ops;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	char calls[200];      /* an append is noted as its number of groups, a tidy as "t" */
	bool held;	      /* appends wait */
	int failing;	      /* so many of the next appends fail */
	const int64_t *waits; /* what tidy returns, up to -1; NULL: -1, and it is not noted */
} spy = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void note_call(const char *call)
{
	size_t len = strlen(spy.calls);

	snprintf(spy.calls + len, sizeof(spy.calls) - len, "%s ", call);
	pthread_cond_broadcast(&spy.changed);
}

static int spy_append(
	struct store *store, struct store_group *const *groups, size_t count, struct error *error)
{
	bool fails;
	char text[24];

	snprintf(text, sizeof(text), "%zu", count);
	pthread_mutex_lock(&spy.lock);
	note_call(text);
	while (spy.held)
		pthread_cond_wait(&spy.changed, &spy.lock);
	fails = spy.failing > 0;
	spy.failing -= fails;
	pthread_mutex_unlock(&spy.lock);
	if (fails)
		return error_set(error, EX_IOERR, "made to fail");
	return spy.real->append(store, groups, count, error);
}

static int64_t spy_tidy(struct store *store)
{
	int64_t wait = -1;

	(void)store;
	pthread_mutex_lock(&spy.lock);
	if (spy.waits != NULL) {
		note_call("t");
		wait = *spy.waits;
		spy.waits += wait >= 0;
	}
	pthread_mutex_unlock(&spy.lock);
	return wait;
}

static void hold(bool held)
{
	pthread_mutex_lock(&spy.lock);
	spy.held = held;
	pthread_cond_broadcast(&spy.changed);
	pthread_mutex_unlock(&spy.lock);
}

/* Wait until these are the calls. */
static void await_calls(const char *calls)
{
	struct timespec until;
	bool same;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE / 1000;
	pthread_mutex_lock(&spy.lock);
	while (!(same = strcmp(spy.calls, calls) == 0) &&
		pthread_cond_timedwait(&spy.changed, &spy.lock, &until) == 0)
		continue;
	pthread_mutex_unlock(&spy.lock);
	if (!same)
		fail_msg("the calls are \"%s\", not \"%s\"", spy.calls, calls);
}

/* --- a log thread, and requests --- */

struct fixture {
	struct topics *topics;
	struct store *store;
	struct window *window;
	struct log_thread *log_thread;
	struct mailbox mailboxes[MAILBOXES], *pointers[MAILBOXES];
	_Atomic bool draining;
	size_t answered;
	char answers[4096]; /* each as "data=position;"; see note_answer() */
};

/* A publish of one event. */
struct request {
	struct publish publish;
	struct store_append append;
	struct fixture *f;
};

static void note_answer(struct message *message)
{
	struct request *request = (struct request *)message;
	struct fixture *f = request->f;
	const struct event *event = &request->append.event;
	size_t len = strlen(f->answers);
	char what[60];

	if (request->publish.failed)
		snprintf(what, sizeof(what), " failed %d", request->publish.error.status);
	else if (request->publish.group.conflict)
		snprintf(what, sizeof(what), " conflicts");
	else
		snprintf(what, sizeof(what), "=%d%s", (int)event->position,
			request->append.duplicate ? " again" : "");
	snprintf(f->answers + len, sizeof(f->answers) - len, "%.*s%s;", (int)event->data.len,
		event->data.data, what);
	f->answered++;
}

/* A log thread over the store that ${db} names, not started; the window's reader 0 is the test. */
static void set_up(struct fixture *f, const char *db)
{
	const struct store_kind *kind = store_kind_of(NULL, db);
	struct store_config config = {.path = db, .idempotency_window = 60000};
	struct error error = {0, ""};

	scratch_remove();
	*f = (struct fixture){.topics = topics_new()};
	config.topics = f->topics;
	f->store = kind->open(&config, &error);
	if (f->store == NULL)
		fail_msg("%s", error.text);
	f->window = window_new(1 << 20, 2, 0, kind->attach != NULL, NULL);
	assert_non_null(f->window);
	if (kind->attach != NULL)
		kind->attach(f->store, f->window, 1);
	spy.real = f->store->ops;
	spy.ops = *f->store->ops;
	spy.ops.append = spy_append;
	spy.ops.tidy = spy_tidy;
	spy.calls[0] = '\0';
	spy.failing = 0;
	spy.waits = NULL;
	f->store->ops = &spy.ops;
	for (size_t i = 0; i < MAILBOXES; i++) {
		assert_int_equal(mailbox_init(&f->mailboxes[i]), 0);
		f->pointers[i] = &f->mailboxes[i];
	}
	f->log_thread = log_thread_new(f->store, f->window, &f->draining, NULL);
	assert_non_null(f->log_thread);
}

static void start(struct fixture *f)
{
	assert_int_equal(log_thread_start(f->log_thread, f->pointers, MAILBOXES, NULL), 0);
}

static void tear_down(struct fixture *f)
{
	log_thread_stop(f->log_thread);
	for (size_t i = 0; i < MAILBOXES; i++)
		mailbox_close(&f->mailboxes[i]);
	f->store->ops->close(f->store);
	window_free(f->window);
	topics_free(f->topics);
}

static struct request request_of(struct fixture *f, const char *topic, const char *data)
{
	return (struct request){.f = f,
		.publish = {.message = {.handle = note_answer}, .mailbox = &f->mailboxes[0]},
		.append = {.topic = topic,
			.event = {.type = {"update", 6}, .data = {data, strlen(data)}}}};
}

static bool submit(struct request *request)
{
	request->publish.group.appends = &request->append;
	request->publish.group.count = 1;
	return log_thread_submit(request->f->log_thread, &request->publish);
}

static void submit_all(struct request *requests, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_true(submit(&requests[i]));
	log_thread_wake(requests->f->log_thread);
}

static bool is_woken(struct fixture *f, size_t mailbox, int ms)
{
	struct pollfd wake = {.fd = f->mailboxes[mailbox].wake, .events = POLLIN};

	return poll(&wake, 1, ms) == 1;
}

/* Wait until this many requests are answered in all. */
static void await_answers(struct fixture *f, size_t count)
{
	while (f->answered < count) {
		/* Every batch wakes all of them. */
		if (!is_woken(f, 0, PATIENCE))
			fail_msg("%zu answers, not %zu: %s", f->answered, count, f->answers);
		for (size_t i = 0; i < MAILBOXES; i++)
			mailbox_handle(&f->mailboxes[i]);
	}
	assert_int_equal(f->answered, count);
}

/* What the window shows must be this: "topic=data@position;", an ephemeral event's with "~". */
static void assert_shown(struct fixture *f, const char *expected)
{
	char text[1024] = "";
	uint64_t entry = window_announce_oldest(f->window, 0), head = window_head(f->window);

	for (; entry < head; entry++) {
		const struct window_entry *one = window_entry(f->window, entry);
		const char *data = memmem(one->frame, one->len, "data: ", 6);
		size_t len = strlen(text);

		assert_non_null(data);
		data += 6;
		snprintf(text + len, sizeof(text) - len, "%s%s=%.*s@%d;", one->ephemeral ? "~" : "",
			one->topic->name, (int)strcspn(data, "\n"), data, (int)one->position);
	}
	window_withdraw(f->window, 0);
	assert_string_equal(text, expected);
}

static void on_each_store(void (*test)(struct fixture *f))
{
	const char *const names[] = {":memory:", scratch_path};

	for (size_t i = 0; i < 2; i++) {
		struct fixture f;

		set_up(&f, names[i]);
		test(&f);
		tear_down(&f);
	}
}

/* --- queue and batches --- */

static void a_publish_before_the_start_waits_and_is_answered(void **state)
{
	struct fixture f;
	struct request a;

	(void)state;
	set_up(&f, ":memory:");
	a = request_of(&f, "t", "a");
	submit_all(&a, 1);
	assert_false(is_woken(&f, 0, 0));
	assert_shown(&f, "");
	assert_string_equal(spy.calls, "");
	start(&f);
	await_answers(&f, 1);
	assert_string_equal(f.answers, "a=1;");
	assert_shown(&f, "t=a@1;");
	tear_down(&f);
}

static void what_comes_during_an_append_is_one_batch(void **state)
{
	struct fixture f;
	struct request requests[4];

	(void)state;
	set_up(&f, scratch_path);
	for (size_t i = 0; i < 4; i++)
		requests[i] = request_of(&f, "t", (const char *[]){"a", "b", "c", "d"}[i]);
	start(&f);
	hold(true);
	submit_all(requests, 1);
	await_calls("1 ");
	submit_all(requests + 1, 2);
	submit_all(requests + 3, 1);
	hold(false);
	await_answers(&f, 4);
	assert_string_equal(f.answers, "a=1;b=2;c=3;d=4;");
	assert_shown(&f, "t=a@1;t=b@2;t=c@3;t=d@4;");
	assert_string_equal(spy.calls, "1 3 ");
	/* Each batch is one transaction. */
	assert_int_equal(counter_read(&f.store->sync.count), 2);
	tear_down(&f);
}

static void a_thread_that_waits_is_woken(void **state)
{
	static const int64_t never[] = {-1};
	struct fixture f;
	struct request a, b;

	(void)state;
	set_up(&f, ":memory:");
	a = request_of(&f, "t", "a");
	b = request_of(&f, "t", "b");
	spy.waits = never;
	start(&f);
	await_calls("t ");
	submit_all(&a, 1);
	await_answers(&f, 1);
	await_calls("t 1 t ");
	submit_all(&b, 1);
	await_answers(&f, 2);
	await_calls("t 1 t 1 t ");
	tear_down(&f);
}

/* 4096 events at once; one publish after the other may share the array. */
enum { MANY = 4096 };

static struct store_append many[MANY];

static bool submit_many(struct request *request)
{
	for (size_t i = 0; i < MANY; i++)
		many[i] = request->append;
	request->publish.group = (struct store_group){.appends = many, .count = MANY};
	return log_thread_submit(request->f->log_thread, &request->publish);
}

/* Two make the 8192 events that a transaction takes. */
static void a_batch_ends_at_its_most_events(void **state)
{
	struct fixture f;
	struct request requests[3];

	(void)state;
	set_up(&f, ":memory:");
	for (size_t i = 0; i < 3; i++) {
		requests[i] = request_of(&f, "t", "");
		assert_true(submit_many(&requests[i]));
	}
	start(&f);
	await_answers(&f, 3);
	assert_string_equal(spy.calls, "2 1 ");
	assert_int_equal(f.store->head, 3 * MANY);
	tear_down(&f);
}

/* Two exceed the 16 MiB that a transaction takes. */
static void a_batch_ends_at_its_most_bytes(void **state)
{
	struct fixture f;
	struct request requests[3];

	(void)state;
	set_up(&f, ":memory:");
	for (size_t i = 0; i < 3; i++) {
		requests[i] = request_of(&f, "t", (const char *[]){"a", "b", "c"}[i]);
		requests[i].publish.bytes = (size_t)9 << 20;
	}
	submit_all(requests, 3);
	start(&f);
	await_answers(&f, 3);
	assert_string_equal(spy.calls, "2 1 ");
	assert_string_equal(f.answers, "a=1;b=2;c=3;");
	tear_down(&f);
}

static void a_queue_full_of_events_takes_nothing(void **state)
{
	enum { FULL = LOG_THREAD_QUEUE_EVENTS / MANY };
	struct fixture f;
	struct request requests[FULL], more;

	(void)state;
	set_up(&f, ":memory:");
	for (size_t i = 0; i < FULL; i++) {
		requests[i] = request_of(&f, "t", "");
		assert_true(submit_many(&requests[i]));
	}
	more = request_of(&f, "u", "more");
	assert_false(submit(&more));
	start(&f);
	await_answers(&f, FULL);
	assert_null(topics_find(f.topics, "u"));
	assert_int_equal(f.store->head, LOG_THREAD_QUEUE_EVENTS);
	/* There is space again, for as much. */
	f.answers[0] = '\0';
	submit_all(&more, 1);
	await_answers(&f, FULL + 1);
	assert_string_equal(f.answers, "more=65537;");
	tear_down(&f);
}

static void a_queue_full_of_bytes_takes_nothing(void **state)
{
	const size_t bytes[] = {LOG_THREAD_QUEUE_BYTES - 1, 2, 1, 2, LOG_THREAD_QUEUE_BYTES - 2, 1};
	const bool fits[] = {true, false, true, true, true, false};
	struct fixture f;
	struct request requests[6], large, late;

	(void)state;
	set_up(&f, ":memory:");
	for (size_t i = 0; i < 6; i++) {
		requests[i] =
			request_of(&f, "t", (const char *[]){"a", "b", "c", "d", "e", "f"}[i]);
		requests[i].publish.bytes = bytes[i];
	}
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(submit(&requests[i]), fits[i]);
	start(&f);
	await_answers(&f, 2);
	/* There is space again, for as much. */
	hold(true);
	submit_all(requests + 1, 1);
	await_calls("1 1 1 ");
	for (size_t i = 3; i < 6; i++)
		assert_int_equal(submit(&requests[i]), fits[i]);
	hold(false);
	log_thread_wake(f.log_thread);
	await_answers(&f, 5);
	assert_string_equal(f.answers, "a=1;c=2;b=3;d=4;e=5;");
	/* One that is larger than the queue is taken when nothing waits, and nothing after it. */
	spy.calls[0] = '\0';
	hold(true);
	submit_all(requests + 5, 1);
	await_calls("1 ");
	large = request_of(&f, "t", "large");
	large.publish.bytes = LOG_THREAD_QUEUE_BYTES + 1;
	late = request_of(&f, "t", "late");
	assert_true(submit(&large));
	assert_false(submit(&late));
	hold(false);
	await_answers(&f, 7);
	assert_string_equal(f.answers, "a=1;c=2;b=3;d=4;e=5;f=6;large=7;");
	tear_down(&f);
}

static void it_tidies_when_nothing_waits_and_again_when_told(void **state)
{
	static const int64_t waits[] = {0, 1, 0, 1, -1};
	struct fixture f;
	struct request requests[2], last;

	(void)state;
	set_up(&f, ":memory:");
	for (size_t i = 0; i < 2; i++) {
		requests[i] = request_of(&f, "t", "a");
		requests[i].publish.bytes = (size_t)16 << 20;
	}
	submit_all(requests, 2);
	spy.waits = waits;
	start(&f);
	await_calls("1 1 t t t t t ");
	await_answers(&f, 2);
	last = request_of(&f, "t", "b");
	submit_all(&last, 1);
	await_calls("1 1 t t t t t 1 t ");
	await_answers(&f, 3);
	tear_down(&f);
}

/* --- answers --- */

static void the_event_is_visible_before_the_answer(void **state)
{
	const struct timespec moment = {.tv_nsec = 1000000};
	struct fixture f;
	struct request a;
	int ms = 0;

	(void)state;
	set_up(&f, ":memory:");
	a = request_of(&f, "t", "a");
	/* The thread cannot post the answer. */
	pthread_mutex_lock(&f.mailboxes[0].lock);
	submit_all(&a, 1);
	start(&f);
	for (; window_head(f.window) == 0 && ms < PATIENCE; ms++)
		nanosleep(&moment, NULL);
	assert_null(f.mailboxes[0].first);
	pthread_mutex_unlock(&f.mailboxes[0].lock);
	assert_true(ms < PATIENCE);
	await_answers(&f, 1);
	assert_shown(&f, "t=a@1;");
	tear_down(&f);
}

/* Also those that get no answer: their loops look at the window. */
static void each_batch_wakes_all_mailboxes(void **state)
{
	struct fixture f;
	struct request requests[2];

	(void)state;
	set_up(&f, ":memory:");
	start(&f);
	for (size_t i = 0; i < 2; i++) {
		requests[i] = request_of(&f, "t", i == 0 ? "a" : "b");
		requests[i].publish.mailbox = &f.mailboxes[i];
		submit_all(&requests[i], 1);
		for (size_t j = 0; j < MAILBOXES; j++)
			assert_true(is_woken(&f, j, PATIENCE));
		/* The answer is in its own. */
		mailbox_handle(&f.mailboxes[1 - i]);
		assert_int_equal(f.answered, i);
		mailbox_handle(&f.mailboxes[i]);
		assert_int_equal(f.answered, i + 1);
	}
	tear_down(&f);
}

/* Publish on this thread, as soon as the log thread is idle. */
static void publish_now(struct request *request)
{
	const struct timespec moment = {.tv_nsec = 1000000};
	int ms = 0;

	request->publish.group = (struct store_group){.appends = &request->append, .count = 1};
	while (!log_thread_publish_now(request->f->log_thread, &request->publish)) {
		assert_true(ms++ < PATIENCE);
		nanosleep(&moment, NULL);
	}
}

static void a_loop_publishes_on_its_own_thread_in_a_quick_store(void **state)
{
	struct fixture f;
	struct request a, b;

	(void)state;
	set_up(&f, ":memory:");
	a = request_of(&f, "t", "a");
	b = request_of(&f, "t", "b");
	start(&f);
	publish_now(&a);
	assert_int_equal(a.publish.failed, 0);
	assert_int_equal(a.append.event.position, 1);
	assert_shown(&f, "t=a@1;");
	for (size_t i = 0; i < MAILBOXES; i++) {
		assert_true(is_woken(&f, i, 0));
		mailbox_handle(&f.mailboxes[i]);
		assert_false(is_woken(&f, i, 0));
	}
	assert_int_equal(f.answered, 0);
	submit_all(&b, 1);
	await_answers(&f, 1);
	assert_shown(&f, "t=a@1;t=b@2;");
	assert_int_equal(counter_read(&log_thread_counts(f.log_thread)->published), 2);
	tear_down(&f);
}

static void a_loop_is_told_why_its_own_publish_failed(void **state)
{
	struct fixture f;
	struct request a, b;

	(void)state;
	set_up(&f, ":memory:");
	a = request_of(&f, "t", "a");
	b = request_of(&f, "u", "b");
	topics_set_limit(f.topics, 1);
	spy.failing = 1;
	publish_now(&a);
	assert_int_equal(a.publish.error.status, EX_IOERR);
	publish_now(&a);
	assert_int_equal(a.publish.failed, 0);
	publish_now(&b);
	assert_int_equal(b.publish.error.status, EX_CANTCREAT);
	assert_shown(&f, "t=a@1;");
	tear_down(&f);
}

static void a_loop_does_not_wait_for_the_log_thread_nor_for_a_disk(void **state)
{
	struct fixture f;
	struct request a, b;

	(void)state;
	set_up(&f, ":memory:");
	a = request_of(&f, "t", "a");
	b = request_of(&f, "t", "b");
	b.publish.group = (struct store_group){.appends = &b.append, .count = 1};
	start(&f);
	hold(true);
	submit_all(&a, 1);
	await_calls("1 ");
	assert_false(log_thread_publish_now(f.log_thread, &b.publish));
	hold(false);
	await_answers(&f, 1);
	assert_shown(&f, "t=a@1;");
	tear_down(&f);

	set_up(&f, scratch_path);
	assert_false(log_thread_publish_now(f.log_thread, &b.publish));
	assert_string_equal(spy.calls, "");
	tear_down(&f);
}

static void known_keys_are_answered(struct fixture *f)
{
	struct request requests[6];
	static const char *const keys[] = {"k", "k", "k", "l", "k", "k"};
	static const char *const data[] = {
		"first", "same", "other", "new", "same later", "other later"};
	static const uint64_t fingerprints[] = {7, 7, 8, 8, 7, 9};

	for (size_t i = 0; i < 6; i++) {
		requests[i] = request_of(f, "t", data[i]);
		requests[i].append.key = (struct sse_text){keys[i], 1};
		requests[i].append.fingerprint = fingerprints[i];
	}
	/* In one batch, and in a later one. */
	submit_all(requests, 4);
	start(f);
	await_answers(f, 4);
	submit_all(requests + 4, 2);
	await_answers(f, 6);
	assert_string_equal(f->answers, "first=1;same=1 again;other conflicts;new=2;"
					"same later=1 again;other later conflicts;");
	assert_shown(f, "t=first@1;t=new@2;");
	assert_int_equal(counter_read(&log_thread_counts(f->log_thread)->published), 2);
}

static void keys_that_are_known_are_a_duplicate_or_a_conflict(void **state)
{
	(void)state;
	on_each_store(known_keys_are_answered);
}

static bool note_event(void *context, const struct event *event)
{
	char *text = context;
	size_t len = strlen(text);

	snprintf(text + len, 100 - len, "%.*s@%d;", (int)event->data.len, event->data.data,
		(int)event->position);
	return true;
}

static void ephemeral_events_are_in_order(struct fixture *f)
{
	struct topic_set set = {0};
	struct store_query query = {.topics = &set, .upto = 2};
	struct store_reader *reader = f->store->ops->reader_new(f->store, NULL);
	struct request requests[5];
	char stored[100] = "";

	for (size_t i = 0; i < 5; i++) {
		requests[i] = request_of(f, "t", (const char *[]){"a", "b", "c", "d", "e"}[i]);
		requests[i].append.event.ephemeral = i % 2 == 0;
	}
	submit_all(requests, 5);
	start(f);
	await_answers(f, 5);
	assert_string_equal(spy.calls, "5 ");
	assert_string_equal(f->answers, "a=0;b=1;c=1;d=2;e=2;");
	assert_shown(f, "~t=a@0;t=b@1;~t=c@1;t=d@2;~t=e@2;");
	assert_non_null(reader);
	assert_int_equal(topic_set_add(&set, topics_find(f->topics, "t")), 0);
	assert_int_equal(f->store->ops->read(reader, &query, note_event, stored, NULL), 0);
	assert_string_equal(stored, "b@1;d@2;");
	topic_set_free(&set);
	f->store->ops->reader_free(reader);
}

static void ephemeral_events_are_delivered_in_order_and_not_stored(void **state)
{
	(void)state;
	on_each_store(ephemeral_events_are_in_order);
}

static void counts_what_was_published(void **state)
{
	struct fixture f;
	struct request requests[4];
	struct log_thread_counts *counts;

	(void)state;
	set_up(&f, ":memory:");
	counts = log_thread_counts(f.log_thread);
	for (size_t i = 0; i < 4; i++)
		requests[i] = request_of(&f, i == 3 ? TOPIC_SYSTEM : i == 2 ? "u" : "t", "a");
	requests[1].append.event.ephemeral = true;
	requests[3].append.event.ephemeral = true;
	submit_all(requests, 4);
	start(&f);
	await_answers(&f, 4);
	/* The server's own figures are shown, but nobody published them. */
	assert_shown(&f, "t=a@1;~t=a@1;u=a@2;~$sys=a@2;");
	assert_int_equal(counter_read(&counts->published), 3);
	assert_int_equal(counter_read(&topics_find(f.topics, "t")->published), 2);
	assert_int_equal(counter_read(&topics_find(f.topics, "u")->published), 1);
	assert_int_equal(counter_read(&topics_find(f.topics, TOPIC_SYSTEM)->published), 0);
	/* Only what is stored takes a time that says something. */
	assert_int_equal(counter_read(&counts->took.count), 2);
	assert_true(counter_read(&counts->took.longest) <= counter_read(&counts->took.total));
	tear_down(&f);
}

/* --- a store that fails --- */

static void a_batch_that_fails_is_answered_and_not_shown(void **state)
{
	struct fixture f;
	struct request requests[3], later;

	(void)state;
	set_up(&f, ":memory:");
	for (size_t i = 0; i < 3; i++)
		requests[i] = request_of(&f, "t", (const char *[]){"a", "b", "c"}[i]);
	spy.failing = 1;
	submit_all(requests, 3);
	start(&f);
	await_answers(&f, 3);
	assert_string_equal(f.answers, "a failed 74;b failed 74;c failed 74;");
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(requests[i].publish.error.text, "made to fail");
	assert_shown(&f, "");
	assert_string_equal(spy.calls, "3 ");
	assert_int_equal(counter_read(&log_thread_counts(f.log_thread)->published), 0);
	/* The thread goes on. */
	later = request_of(&f, "t", "d");
	submit_all(&later, 1);
	await_answers(&f, 4);
	assert_shown(&f, "t=d@1;");
	tear_down(&f);
}

/* Only the publishes of topics that are too many fail, and the store does not hear of them. */
static void new_topics_beyond_the_limit_fail(struct fixture *f)
{
	struct request requests[5];
	struct store_append two[2];

	topics_set_limit(f->topics, 1);
	for (size_t i = 0; i < 5; i++)
		requests[i] = request_of(
			f, i % 2 == 0 ? "t" : "u", (const char *[]){"a", "b", "c", "d", "e"}[i]);
	requests[2].append.event.ephemeral = requests[3].append.event.ephemeral = true;
	submit_all(requests, 4);
	start(f);
	await_answers(f, 4);
	assert_string_equal(f->answers, "a=1;b failed 73;c=1;d failed 73;");
	assert_shown(f, "t=a@1;~t=c@1;");
	assert_string_equal(spy.calls, "2 ");
	assert_null(topics_find(f->topics, "u"));
	/* Nothing is left of a batch, and then all of one. */
	submit_all(&requests[1], 1);
	await_answers(f, 5);
	assert_string_equal(spy.calls, "2 ");
	submit_all(&requests[4], 1);
	await_answers(f, 6);
	assert_shown(f, "t=a@1;~t=c@1;t=e@2;");
	/* One that failed succeeds when there is room. */
	topics_set_limit(f->topics, 2);
	submit_all(&requests[1], 1);
	await_answers(f, 7);
	assert_non_null(strstr(f->answers, ";b=3;"));
	assert_shown(f, "t=a@1;~t=c@1;t=e@2;u=b@3;");
	/* A group of more events than topics are left is looked at, too. */
	topics_set_limit(f->topics, 3);
	for (size_t i = 0; i < 2; i++) {
		two[i] = requests[2].append;
		two[i].topic = i == 0 ? "v" : "w";
	}
	requests[2].publish.group = (struct store_group){.appends = two, .count = 2};
	assert_true(log_thread_submit(f->log_thread, &requests[2].publish));
	log_thread_wake(f->log_thread);
	await_answers(f, 8);
	assert_shown(f, "t=a@1;~t=c@1;t=e@2;u=b@3;~v=c@3;");
}

static void too_many_topics(void **state)
{
	(void)state;
	on_each_store(new_topics_beyond_the_limit_fail);
}

/* They need no log: they are passed on without those that do, unless that fails too. */
static void ephemeral_events_survive_a_store_that_fails(void **state)
{
	(void)state;
	for (int failures = 1; failures <= 2; failures++) {
		struct request requests[3];
		struct fixture f;

		set_up(&f, ":memory:");
		for (size_t i = 0; i < 3; i++)
			requests[i] = request_of(&f, "t", (const char *[]){"a", "b", "c"}[i]);
		requests[1].append.event.ephemeral = true;
		spy.failing = failures;
		submit_all(requests, 3);
		start(&f);
		await_answers(&f, 3);
		assert_string_equal(spy.calls, "3 1 ");
		assert_string_equal(f.answers, failures == 1
						       ? "a failed 74;b=0;c failed 74;"
						       : "a failed 74;b failed 74;c failed 74;");
		assert_shown(&f, failures == 1 ? "~t=b@0;" : "");
		tear_down(&f);
	}
}

static void execute(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

static int refuse_commit(void *refuses)
{
	return *(_Atomic bool *)refuses;
}

/*
 * A batch of two on a database that another connection made to fail, then another after that
 * connection mended it.
 */
static void fails_and_recovers(
	const char *spoil, const char *mend, _Atomic bool *refuses, int status)
{
	struct request requests[4];
	struct fixture f;
	sqlite3 *other = NULL, *own;
	char expected[60];

	set_up(&f, scratch_path);
	own = ((struct sqlite_store *)f.store)->db;
	sqlite3_busy_timeout(own, 0);
	sqlite3_commit_hook(own, refuse_commit, refuses);
	assert_int_equal(sqlite3_open(scratch_path, &other), SQLITE_OK);
	execute(other, spoil);
	for (size_t i = 0; i < 4; i++)
		requests[i] = request_of(&f, "t", (const char *[]){"a", "b", "c", "d"}[i]);
	submit_all(requests, 2);
	start(&f);
	await_answers(&f, 2);
	snprintf(expected, sizeof(expected), "a failed %d;b failed %d;", status, status);
	assert_string_equal(f.answers, expected);
	for (size_t i = 0; i < 2; i++)
		assert_non_null(strstr(requests[i].publish.error.text, "cannot store the event: "));
	assert_shown(&f, "");
	*refuses = false;
	execute(other, mend);
	f.answers[0] = '\0';
	submit_all(requests + 2, 2);
	await_answers(&f, 4);
	/* No position was lost. */
	assert_string_equal(f.answers, "c=1;d=2;");
	assert_shown(&f, "t=c@1;t=d@2;");
	tear_down(&f);
	assert_int_equal(database_ask(other, "SELECT count(*) FROM event"), 2);
	sqlite3_close(other);
}

static void a_transaction_that_cannot_begin_is_answered(void **state)
{
	_Atomic bool refuses = false;

	(void)state;
	fails_and_recovers("BEGIN IMMEDIATE", "ROLLBACK", &refuses, EX_TEMPFAIL);
}

static void an_event_that_cannot_be_inserted_fails_the_whole_batch(void **state)
{
	_Atomic bool refuses = false;

	(void)state;
	fails_and_recovers("CREATE TRIGGER no BEFORE INSERT ON event WHEN new.position = 2"
			   " BEGIN SELECT raise(ABORT, 'made to fail'); END",
		"DROP TRIGGER no", &refuses, EX_IOERR);
}

static void a_commit_that_fails_is_answered(void **state)
{
	_Atomic bool refuses = true;

	(void)state;
	fails_and_recovers("SELECT 1", "SELECT 1", &refuses, EX_IOERR);
}

/* --- the end --- */

static void draining_is_told_and_what_is_queued_is_still_answered(void **state)
{
	struct fixture f;
	struct request requests[2];

	(void)state;
	set_up(&f, ":memory:");
	assert_false(log_thread_draining(f.log_thread));
	requests[0] = request_of(&f, "t", "a");
	requests[1] = request_of(&f, "t", "b");
	assert_true(submit(&requests[0]));
	f.draining = true;
	assert_true(log_thread_draining(f.log_thread));
	start(&f);
	/* To refuse is the part of those that submit. */
	submit_all(requests + 1, 1);
	await_answers(&f, 2);
	assert_string_equal(f.answers, "a=1;b=2;");
	tear_down(&f);
}

static void *stop(void *context)
{
	log_thread_stop(((struct fixture *)context)->log_thread);
	return NULL;
}

static void stopping_commits_and_answers_what_is_queued(struct fixture *f)
{
	/* It has to stop before as many are taken, one each 10 ms. */
	static struct request more[PATIENCE / 10];
	const struct timespec moment = {.tv_nsec = 10000000};
	struct request requests[3];
	pthread_t stopper;
	size_t taken = 0;

	for (size_t i = 0; i < 3; i++)
		requests[i] = request_of(f, "t", (const char *[]){"a", "b", "c"}[i]);
	start(f);
	hold(true);
	submit_all(requests, 1);
	await_calls("1 ");
	submit_all(requests + 1, 2);
	assert_int_equal(pthread_create(&stopper, NULL, stop, f), 0);
	for (; taken < PATIENCE / 10; taken++) {
		more[taken] = request_of(f, "t", "");
		if (!submit(&more[taken]))
			break;
		nanosleep(&moment, NULL);
	}
	hold(false);
	pthread_join(stopper, NULL);
	f->log_thread = NULL;
	assert_true(taken < PATIENCE / 10);
	/* All answers were posted by then. */
	mailbox_handle(&f->mailboxes[0]);
	assert_int_equal(f->answered, 3 + taken);
	assert_memory_equal(f->answers, "a=1;b=2;c=3;", 12);
	assert_int_equal(f->store->head, 3 + taken);
	assert_int_equal(window_position(f->window), 3 + taken);
}

static void a_stop_answers_what_is_queued_and_takes_no_more(void **state)
{
	(void)state;
	on_each_store(stopping_commits_and_answers_what_is_queued);
}

static void it_can_be_stopped_without_a_start(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, ":memory:");
	tear_down(&f);
	log_thread_stop(NULL);
}

/* --- a store with other nodes --- */

static int64_t spy_follow(struct store *store)
{
	(void)store;
	return -1;
}

static void note(const char *call)
{
	pthread_mutex_lock(&spy.lock);
	note_call(call);
	pthread_mutex_unlock(&spy.lock);
}

static void spy_unfollow(struct store *store)
{
	(void)store;
	note("unfollow");
}

/* A thread of the store's may wake the log thread at that moment. */
static bool spy_behind(const struct store *store)
{
	store->wake(store->deliver_context);
	note("behind");
	return true;
}

static void set_up_shared(struct fixture *f)
{
	set_up(f, ":memory:");
	spy.ops.follow = spy_follow;
	spy.ops.unfollow = spy_unfollow;
	spy.ops.behind = spy_behind;
	start(f);
}

static void note_end(struct message *message)
{
	(void)message;
}

static void a_store_wakes_no_log_thread_that_has_ended(void **state)
{
	struct fixture f;

	(void)state;
	set_up_shared(&f);
	tear_down(&f);
	assert_string_equal(spy.calls, "unfollow ");
}

static void who_waits_for_an_event_is_sent_back_when_it_is_there_or_too_late(void **state)
{
	struct fixture f;
	struct request request;
	struct awaiting late = {.message = {.handle = note_end}, .position = 7};
	struct awaiting there = {.message = {.handle = note_end},
		.position = 1,
		.until = clock_now_ms() + 10 * PATIENCE};

	(void)state;
	set_up_shared(&f);
	late.mailbox = there.mailbox = &f.mailboxes[0];
	log_thread_await(f.log_thread, &there);
	log_thread_await(f.log_thread, &late);
	await_calls("behind ");
	assert_true(is_woken(&f, 0, PATIENCE));
	assert_true(late.behind);
	request = request_of(&f, "a", "one");
	submit_all(&request, 1);
	await_answers(&f, 1);
	tear_down(&f);
	assert_false(there.behind);
	assert_string_equal(spy.calls, "behind 1 unfollow ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_publish_before_the_start_waits_and_is_answered),
		cmocka_unit_test(what_comes_during_an_append_is_one_batch),
		cmocka_unit_test(a_thread_that_waits_is_woken),
		cmocka_unit_test(a_batch_ends_at_its_most_events),
		cmocka_unit_test(a_batch_ends_at_its_most_bytes),
		cmocka_unit_test(a_queue_full_of_events_takes_nothing),
		cmocka_unit_test(a_queue_full_of_bytes_takes_nothing),
		cmocka_unit_test(it_tidies_when_nothing_waits_and_again_when_told),
		cmocka_unit_test(the_event_is_visible_before_the_answer),
		cmocka_unit_test(each_batch_wakes_all_mailboxes),
		cmocka_unit_test(a_loop_publishes_on_its_own_thread_in_a_quick_store),
		cmocka_unit_test(a_loop_is_told_why_its_own_publish_failed),
		cmocka_unit_test(a_loop_does_not_wait_for_the_log_thread_nor_for_a_disk),
		cmocka_unit_test(keys_that_are_known_are_a_duplicate_or_a_conflict),
		cmocka_unit_test(ephemeral_events_are_delivered_in_order_and_not_stored),
		cmocka_unit_test(counts_what_was_published),
		cmocka_unit_test(a_batch_that_fails_is_answered_and_not_shown),
		cmocka_unit_test(too_many_topics),
		cmocka_unit_test(ephemeral_events_survive_a_store_that_fails),
		cmocka_unit_test(a_transaction_that_cannot_begin_is_answered),
		cmocka_unit_test(an_event_that_cannot_be_inserted_fails_the_whole_batch),
		cmocka_unit_test(a_commit_that_fails_is_answered),
		cmocka_unit_test(draining_is_told_and_what_is_queued_is_still_answered),
		cmocka_unit_test(a_stop_answers_what_is_queued_and_takes_no_more),
		cmocka_unit_test(it_can_be_stopped_without_a_start),
		cmocka_unit_test(a_store_wakes_no_log_thread_that_has_ended),
		cmocka_unit_test(who_waits_for_an_event_is_sent_back_when_it_is_there_or_too_late),
	};

	return cmocka_run_group_tests_name(
		"serve_log_thread", tests, scratch_set_up, scratch_tear_down);
}
