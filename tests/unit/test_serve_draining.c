/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/stream/draining.c: streams that end one after the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parts/streams.h"
#include "stream/draining.h"
#include "stream/poll_reply.h"
#include "stream/subscriber.h"

#define SPAN 1000
#define SPREAD 2000
#define STREAMS 10

static const struct start now = {.kind = START_NOW};
static const struct leaving leaving = {.span = SPAN, .spread = SPREAD};

/* So many ms after the draining began. */
static void drain_at(struct streams *f, const struct draining *draining, uint32_t since)
{
	f->fanout.now = draining->began + since;
	draining_run(draining, &f->fanout);
	streams_settle(f);
}

/* The last thing that the client read is when to come back; that, in ms. */
static unsigned retry_of(const struct client *client)
{
	char text[4096];
	const char *retry;
	unsigned ms = 0;
	int end = 0;

	assert_true(client->got.len < sizeof(text));
	memcpy(text, client->got.data, client->got.len);
	text[client->got.len] = '\0';
	retry = strstr(text, "retry: ");
	assert_non_null(retry);
	assert_int_equal(sscanf(retry, "retry: %u\n\n%n", &ms, &end), 1);
	assert_int_equal(retry[end], '\0');
	return ms;
}

static void one_stream_ends_at_once_and_is_told_when_to_come_back(void **state)
{
	struct streams f;
	struct client client;
	struct draining draining;

	(void)state;
	streams_open(&f, 1 << 16);
	client_open(&client, &f, "a", now);
	draining_begin(&draining, &leaving, &f.fanout);
	drain_at(&f, &draining, 1);
	assert_true(client_is_closed(&client));
	assert_in_range(retry_of(&client), 1000, 1000 + SPREAD);
	assert_false(draining_busy(&draining, &f.fanout));
	client_close(&client);
	streams_close(&f);
}

static void streams_end_evenly_and_none_is_told_to_come_back_before_the_last_has_ended(void **state)
{
	struct streams f;
	struct client clients[STREAMS];
	struct draining draining;
	unsigned open = STREAMS;

	(void)state;
	streams_open(&f, 1 << 16);
	for (int i = 0; i < STREAMS; i++)
		client_open(&clients[i], &f, i % 2 == 0 ? "a" : "b", now);
	draining_begin(&draining, &leaving, &f.fanout);
	/* Just after each turn. */
	for (uint32_t since = 1; since < SPAN; since += SPAN / STREAMS) {
		drain_at(&f, &draining, since);
		assert_int_equal(f.fanout.streams, --open);
		for (int i = 0; i < STREAMS; i++) {
			if (clients[i].subscriber == NULL || !client_is_closed(&clients[i]))
				continue;
			assert_in_range(since + retry_of(&clients[i]), SPAN - SPAN / STREAMS,
				SPAN + 1000 + SPREAD);
			clients[i].subscriber = NULL;
		}
	}
	assert_int_equal(open, 0);
	for (int i = 0; i < STREAMS; i++)
		client_close(&clients[i]);
	streams_close(&f);
}

static void what_opens_meanwhile_ends_too(void **state)
{
	struct streams f;
	struct client client;
	struct draining draining;

	(void)state;
	streams_open(&f, 1 << 16);
	draining_begin(&draining, &leaving, &f.fanout);
	client_open(&client, &f, "a", now);
	drain_at(&f, &draining, 500);
	assert_true(client_is_closed(&client));
	client_close(&client);
	streams_close(&f);
}

static void a_poll_is_answered(void **state)
{
	struct streams f;
	struct client client;
	struct draining draining;
	struct buf expected;

	(void)state;
	streams_open(&f, 1 << 16);
	f.polls = true;
	f.wait = 60000;
	f.form = FORM_LIST;
	client_open(&client, &f, "a", now);
	draining_begin(&draining, &leaving, &f.fanout);
	drain_at(&f, &draining, 1);
	assert_true(client_is_closed(&client));
	expect_new(&expected);
	assert_true(buf_addf(&expected, STREAMS_REPLY, (int)POLL_NOTHING, 0ULL, (size_t)0));
	client_check(&client, &expected);
	client_close(&client);
	streams_close(&f);
}

/* It is being sent the log, which its socket does not take at once. */
static void open_slow(struct streams *f, struct client *client)
{
	streams_open(f, 1 << 16);
	streams_publish_some(f, "a", 200, 1000);
	streams_settle(f);
	f->ends = f->marked = true;
	client_open(client, f, "a", (struct start){.kind = START_AFTER});
	streams_settle(f);
	assert_int_equal(client->subscriber->state, WAITING);
}

static void a_stream_that_ends_by_itself_gets_all(void **state)
{
	struct streams f;
	struct client client;
	struct draining draining;
	struct buf expected;

	(void)state;
	open_slow(&f, &client);
	draining_begin(&draining, &leaving, &f.fanout);
	drain_at(&f, &draining, 2 * SPAN);
	assert_true(draining_busy(&draining, &f.fanout));
	client_drain(&client);
	assert_true(client_is_closed(&client));
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_some(&expected, 1, 200, 1000);
	expect_mark(&expected, 200);
	client_check(&client, &expected);
	assert_false(draining_busy(&draining, &f.fanout));
	client_close(&client);
	streams_close(&f);
}

static void without_a_span_no_stream_ends_but_one_that_is_under_way_is_waited_for(void **state)
{
	static const struct leaving at_once = {.spread = SPREAD};
	struct streams f;
	struct client slow, client;
	struct draining draining;

	(void)state;
	open_slow(&f, &slow);
	f.ends = f.marked = false;
	client_open(&client, &f, "a", now);
	draining_begin(&draining, &at_once, &f.fanout);
	drain_at(&f, &draining, 1);
	assert_int_equal(f.fanout.streams, 2);
	assert_true(draining_busy(&draining, &f.fanout));
	client_drain(&slow);
	assert_int_equal(f.fanout.streams, 1);
	assert_false(draining_busy(&draining, &f.fanout));
	client_close(&slow);
	client_close(&client);
	streams_close(&f);
}

static void the_time_to_come_back_is_after_the_end_and_within_the_spread(void **state)
{
	(void)state;
	assert_int_equal(draining_retry(0, 0, 12345), 1000);
	assert_int_equal(draining_retry(700, 2000, 0), 1700);
	assert_int_equal(draining_retry(700, 2000, 1999), 3699);
	assert_int_equal(draining_retry(700, 2000, 2000), 1700);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_stream_ends_at_once_and_is_told_when_to_come_back),
		cmocka_unit_test(
			streams_end_evenly_and_none_is_told_to_come_back_before_the_last_has_ended),
		cmocka_unit_test(what_opens_meanwhile_ends_too),
		cmocka_unit_test(a_poll_is_answered),
		cmocka_unit_test(a_stream_that_ends_by_itself_gets_all),
		cmocka_unit_test(
			without_a_span_no_stream_ends_but_one_that_is_under_way_is_waited_for),
		cmocka_unit_test(the_time_to_come_back_is_after_the_end_and_within_the_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
