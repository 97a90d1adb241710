/* SPDX-License-Identifier: MIT */
/*
 * Tests of streams that end with their topics (stream/ending.c, catch_up.c, fanout.c): whatever the
 * socket takes and whatever the log still has, each reader gets what closed the last topic once, as
 * the last event, and then the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "parts/streams.h"
#include "stream/subscriber.h"

static const struct start now = {.kind = START_NOW};

/* The log thread closes the topic: the mark is there before the loop sees the event. */
static uint64_t close_topic(struct streams *f, const char *topic)
{
	uint64_t position = streams_publish_text(f, topic, "{}");

	topics_find(f->topics, topic)->closed = position;
	return position;
}

static void expect_closing(struct buf *expected, uint64_t position)
{
	buf_addf(expected, "event: closed\ndata: {}\nid: " STREAMS_TAG ":%llu\n\n",
		(unsigned long long)position);
}

/* It got this, and then the end. */
static void check_end(struct client *client, struct buf *expected)
{
	assert_true(client_is_closed(client));
	client_check(client, expected);
	client_close(client);
}

static void a_live_stream_ends_with_its_topic(void **state)
{
	struct streams f;
	struct client one, other, stays;
	struct buf expected;

	(void)state;
	streams_open(&f, 1 << 20);
	client_open(&one, &f, "a", now);
	client_open(&other, &f, "a", now);
	client_open(&stays, &f, "b", now);
	streams_publish_text(&f, "a", "x");
	streams_publish_text(&f, "b", "y");
	close_topic(&f, "a");
	streams_settle(&f);
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_event(&expected, 1, "x", 1);
	expect_event(&expected, 3, "{}", 2);
	check_end(&one, &expected);
	assert_true(client_is_closed(&other));
	client_close(&other);
	assert_int_equal(stays.subscriber->state, LIVE);
	assert_int_equal(f.fanout.streams, 1);
	client_close(&stays);
	streams_close(&f);
}

/* Each read frees a part of the socket: it stops in many places, also before and in the last one. */
static void wherever_a_frame_is_cut_the_end_follows(void **state)
{
	(void)state;
	for (size_t step = 1; step < 6000; step = step * 3 + 7) {
		struct streams f;
		struct client client;
		struct buf expected;
		uint64_t last;

		streams_open(&f, step % 2 ? 1 << 20 : 8192);
		client_open(&client, &f, "a", now);
		streams_publish_some(&f, "a", 60, 900);
		last = close_topic(&f, "a");
		/* What is said after the end, and not stored. */
		streams_publish_ephemeral(&f, "b", "other", 5);
		streams_settle(&f);
		for (int i = 0; i < 3000 && client_read(&client, step) > 0; i++)
			streams_settle(&f);
		expect_new(&expected);
		expect_start(&expected, 0);
		expect_some(&expected, 1, 60, 900);
		expect_event(&expected, last, "{}", 2);
		check_end(&client, &expected);
		assert_int_equal(streams_delivered(&f), 61);
		streams_close(&f);
	}
}

static void who_comes_after_the_end_is_told(void **state)
{
	struct streams f;
	struct client client;
	struct buf expected;

	(void)state;
	streams_open(&f, 1 << 20);
	streams_publish_text(&f, "a", "x");
	close_topic(&f, "a");
	streams_publish_text(&f, "b", "y");
	streams_settle(&f);
	client_open(&client, &f, "a", now);
	expect_new(&expected);
	expect_start(&expected, 3);
	expect_closing(&expected, 2);
	check_end(&client, &expected);
	client_open(&client, &f, "a", (struct start){.kind = START_AFTER, .after = 1});
	expect_new(&expected);
	expect_start(&expected, 1);
	expect_event(&expected, 2, "{}", 2);
	check_end(&client, &expected);
	/* The mark comes last. */
	f.marked = true;
	client_open(&client, &f, "a", now);
	expect_new(&expected);
	expect_start(&expected, 3);
	expect_closing(&expected, 2);
	expect_mark(&expected, 3);
	check_end(&client, &expected);
	streams_close(&f);
}

/* It was closed before the loop came to it: the pass brings what is live. */
static void one_that_opens_while_its_topic_is_closed_gets_all_once(void **state)
{
	struct streams f;
	struct client client;
	struct buf expected;

	(void)state;
	streams_open(&f, 1 << 20);
	streams_publish_text(&f, "a", "x");
	streams_settle(&f);
	close_topic(&f, "a");
	client_open(&client, &f, "a", now);
	expect_new(&expected);
	expect_start(&expected, 1);
	expect_event(&expected, 2, "{}", 2);
	check_end(&client, &expected);
	/* A topic that nobody knew before. */
	close_topic(&f, "new");
	client_open(&client, &f, "new", now);
	expect_new(&expected);
	expect_start(&expected, 2);
	expect_event(&expected, 3, "{}", 2);
	check_end(&client, &expected);
	streams_close(&f);
}

static void what_is_gone_or_not_wanted_is_told(void **state)
{
	static const char *const names[] = {"note"};
	struct streams f;
	struct client client;
	struct buf expected;

	(void)state;
	streams_open(&f, 1 << 20);
	streams_publish_text(&f, "a", "x");
	close_topic(&f, "a");
	streams_settle(&f);
	f.types = (struct event_types){names, 1};
	client_open(&client, &f, "a", (struct start){.kind = START_AFTER, .after = 0});
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_closing(&expected, 2);
	check_end(&client, &expected);
	f.types = (struct event_types){0};
	streams_remove(&f, 1);
	streams_remove(&f, 2);
	client_open(&client, &f, "a", (struct start){.kind = START_AFTER, .after = 0});
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_gap(&expected, STREAMS_TAG ":0", 2, "expired", 1);
	expect_closing(&expected, 2);
	check_end(&client, &expected);
	streams_close(&f);
}

static void of_several_topics_the_last_one_ends_it(void **state)
{
	static const char *const names[] = {"a", "b"}, *const wild[] = {"a", "*"};
	struct streams f;
	struct client client, more;
	struct buf expected;

	(void)state;
	streams_open(&f, 1 << 20);
	client_open_many(&client, &f, names, 2, false, now);
	close_topic(&f, "b");
	streams_settle(&f);
	assert_int_equal(client.subscriber->state, LIVE);
	streams_publish_text(&f, "a", "x");
	close_topic(&f, "a");
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_event(&expected, 1, "{}", 2);
	expect_event(&expected, 2, "x", 1);
	expect_event(&expected, 3, "{}", 2);
	check_end(&client, &expected);
	client_open_many(&more, &f, wild, 2, false, now);
	client_drain(&more);
	assert_int_equal(more.subscriber->state, LIVE);
	client_close(&more);
	streams_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_live_stream_ends_with_its_topic),
		cmocka_unit_test(wherever_a_frame_is_cut_the_end_follows),
		cmocka_unit_test(who_comes_after_the_end_is_told),
		cmocka_unit_test(one_that_opens_while_its_topic_is_closed_gets_all_once),
		cmocka_unit_test(what_is_gone_or_not_wanted_is_told),
		cmocka_unit_test(of_several_topics_the_last_one_ends_it),
	};

	return cmocka_run_group_tests_name("serve_ending", tests, NULL, NULL);
}
