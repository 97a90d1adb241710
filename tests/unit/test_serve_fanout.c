/* SPDX-License-Identifier: MIT */
/*
 * Tests of the fan-out (stream/fanout.c, channel.c and wheel.c): each subscriber of a channel gets
 * each event once, whoever comes and goes during a pass, and however late the loop is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parts/streams.h"
#include "stream/subscriber.h"

static const struct start now = {.kind = START_NOW};

/* One more than a pass serves in a slice, and some: two slices. */
#define MANY 300
#define SLICE 256

static void open_all(struct client *clients, unsigned count, struct streams *streams)
{
	for (unsigned i = 0; i < count; i++)
		client_open(&clients[i], streams, "a", now);
}

/* Each has read what is expected, in all, and nothing else.  Frees ${expected}. */
static void check_all(struct client *clients, unsigned count, struct buf *expected)
{
	for (unsigned i = 0; i < count; i++) {
		struct buf copy;

		expect_new(&copy);
		assert_true(buf_add(&copy, expected->data, expected->len));
		client_drain(&clients[i]);
		client_check(&clients[i], &copy);
	}
	buf_free(expected);
}

static void close_all(struct client *clients, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		client_close(&clients[i]);
}

static void each_subscriber_of_a_channel_gets_each_event_once(void **state)
{
	static const char *const patterns[] = {"a", "b"};
	struct streams f;
	struct client clients[3], both, other;
	struct buf expected;

	(void)state;
	streams_open(&f, 1 << 16);
	open_all(clients, 3, &f);
	client_open_many(&both, &f, patterns, 2, false, now);
	client_open(&other, &f, "other", now);
	streams_publish_some(&f, "a", 3, 100);
	streams_publish_some(&f, "b", 2, 100);
	streams_publish_some(&f, "a", 1, 100);
	streams_publish_ephemeral(&f, "a", "tick", 4);
	assert_false(streams_turn(&f));
	assert_int_equal(f.fanout.boundary, 7);
	assert_int_equal(f.fanout.position, 6);
	/* Five each of the three, seven of the other. */
	assert_int_equal(streams_delivered(&f), 3 * 5 + 7);
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_some(&expected, 1, 3, 100);
	expect_some(&expected, 6, 6, 100);
	expect_ephemeral(&expected, "tick", 4);
	check_all(clients, 3, &expected);
	client_drain(&both);
	expect_start(&expected, 0);
	expect_some(&expected, 1, 6, 100);
	expect_ephemeral(&expected, "tick", 4);
	client_check(&both, &expected);
	client_drain(&other);
	expect_start(&expected, 0);
	client_check(&other, &expected);
	close_all(clients, 3);
	client_close(&both);
	client_close(&other);
	streams_close(&f);
}

static void a_pass_works_in_slices(void **state)
{
	static struct client clients[MANY];
	struct streams f;
	struct buf expected;

	(void)state;
	streams_open(&f, 1 << 16);
	open_all(clients, MANY, &f);
	streams_publish_some(&f, "a", 1, 100);
	assert_true(fanout_work(&f.fanout));
	assert_int_equal(streams_delivered(&f), SLICE);
	/* What comes meanwhile is of the next pass. */
	streams_publish_some(&f, "a", 1, 100);
	assert_true(fanout_work(&f.fanout));
	assert_int_equal(streams_delivered(&f), MANY);
	streams_settle(&f);
	assert_int_equal(streams_delivered(&f), 2 * MANY);
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_some(&expected, 1, 2, 100);
	check_all(clients, MANY, &expected);
	close_all(clients, MANY);
	streams_close(&f);
}

/*
 * A slice serves from the last to the first.  One that was not served yet leaves, and the last,
 * which was, takes its place; one that was served leaves; the first of those to serve leaves; one
 * joins.
 */
static void whoever_leaves_or_joins_during_a_pass_none_is_skipped_or_served_twice(void **state)
{
	static struct client clients[MANY];
	static const unsigned leaves[] = {10, MANY - 5, MANY - SLICE - 1, MANY - 1};
	struct streams f;
	struct client joined;
	struct buf expected;
	unsigned staying = 0;

	(void)state;
	streams_open(&f, 1 << 16);
	open_all(clients, MANY, &f);
	streams_publish_some(&f, "a", 1, 100);
	assert_true(fanout_work(&f.fanout));
	for (unsigned i = 0; i < 4; i++)
		subscriber_close(clients[leaves[i]].subscriber, STREAM_END_CLIENT);
	client_open(&joined, &f, "a", now);
	fanout_bury(&f.fanout);
	assert_false(fanout_work(&f.fanout));
	assert_int_equal(streams_behind(&f), 0);
	/* Two of those that left had it. */
	assert_int_equal(streams_delivered(&f), MANY - 2);
	streams_publish_some(&f, "a", 1, 100);
	streams_settle(&f);
	assert_int_equal(streams_delivered(&f), MANY - 2 + MANY - 4 + 1);
	expect_new(&expected);
	expect_start(&expected, 1);
	expect_some(&expected, 2, 2, 100);
	client_drain(&joined);
	client_check(&joined, &expected);
	for (unsigned i = 0; i < MANY; i++) {
		if (i == leaves[0] || i == leaves[1] || i == leaves[2] || i == leaves[3])
			continue;
		expect_start(&expected, 0);
		expect_some(&expected, 1, 2, 100);
		client_drain(&clients[i]);
		client_check(&clients[i], &expected);
		staying++;
	}
	assert_int_equal(staying, MANY - 4);
	close_all(clients, MANY);
	client_close(&joined);
	streams_close(&f);
}

/* Those that are left are fewer than the pass had still to serve. */
static void many_leave_while_they_wait_for_their_turn(void **state)
{
	static struct client clients[MANY];
	struct streams f;
	struct buf expected;

	(void)state;
	streams_open(&f, 1 << 16);
	open_all(clients, MANY, &f);
	streams_publish_some(&f, "a", 1, 100);
	assert_true(fanout_work(&f.fanout));
	for (unsigned i = MANY - 1; i >= 5; i--)
		subscriber_close(clients[i].subscriber, STREAM_END_CLIENT);
	fanout_bury(&f.fanout);
	streams_settle(&f);
	assert_int_equal(streams_delivered(&f), SLICE + 5);
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_some(&expected, 1, 1, 100);
	check_all(clients, 5, &expected);
	close_all(clients, MANY);
	streams_close(&f);
}

static void a_channel_whose_last_stream_leaves_during_a_pass_goes_after_it(void **state)
{
	static struct client clients[MANY];
	struct streams f;
	struct client joined;
	struct buf expected;

	(void)state;
	streams_open(&f, 1 << 16);
	open_all(clients, MANY, &f);
	streams_publish_some(&f, "a", 1, 100);
	assert_true(fanout_work(&f.fanout));
	for (unsigned i = 0; i < MANY; i++)
		subscriber_close(clients[i].subscriber, STREAM_END_CLIENT);
	fanout_bury(&f.fanout);
	/* The pass has still to come to it. */
	assert_non_null(channel_find(&f.fanout, "a", FORM_PLAIN, false));
	streams_settle(&f);
	assert_null(channel_find(&f.fanout, "a", FORM_PLAIN, false));
	assert_int_equal(f.fanout.streams, 0);
	client_open(&joined, &f, "a", now);
	streams_publish_some(&f, "a", 1, 100);
	client_drain(&joined);
	expect_new(&expected);
	expect_start(&expected, 1);
	expect_some(&expected, 2, 2, 100);
	client_check(&joined, &expected);
	close_all(clients, MANY);
	client_close(&joined);
	streams_close(&f);
}

/* One that is WAITING is not sent what the others get, and then gets it by itself. */
static void one_that_is_behind_does_not_hold_up_the_others(void **state)
{
	static struct client clients[3];
	struct streams f;
	struct buf expected;
	uint64_t round = 0;

	(void)state;
	streams_open(&f, 1 << 16);
	open_all(clients, 3, &f);
	for (; round < 100; round++) {
		streams_publish_some(&f, "a", 1, 200);
		streams_settle(&f);
		client_drain(&clients[0]);
		client_drain(&clients[2]);
		assert_int_equal(clients[0].subscriber->state, LIVE);
	}
	assert_int_equal(clients[1].subscriber->state, WAITING);
	assert_int_equal(streams_behind(&f), 1);
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_some(&expected, 1, round, 200);
	check_all(clients, 3, &expected);
	assert_int_equal(streams_delivered(&f), 3 * round);
	close_all(clients, 3);
	streams_close(&f);
}

/* It joined with the id of an event that the loop had not come to. */
static void one_that_joined_ahead_of_the_loop_gets_what_follows_once(void **state)
{
	struct streams f;
	struct client first, ahead;
	struct buf expected;

	(void)state;
	streams_open(&f, 1 << 16);
	client_open(&first, &f, "a", now);
	streams_publish_some(&f, "a", 3, 100);
	client_open(&ahead, &f, "a", (struct start){.kind = START_AFTER, .after = 2});
	client_drain(&ahead);
	client_drain(&first);
	assert_int_equal(ahead.subscriber->state, LIVE);
	streams_publish_some(&f, "a", 1, 100);
	client_drain(&ahead);
	client_drain(&first);
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_some(&expected, 1, 4, 100);
	client_check(&first, &expected);
	expect_start(&expected, 2);
	expect_some(&expected, 3, 4, 100);
	client_check(&ahead, &expected);
	assert_int_equal(streams_delivered(&f), 4 + 2);
	client_close(&first);
	client_close(&ahead);
	streams_close(&f);
}

static void an_event_larger_than_the_window_comes_from_the_log(void **state)
{
	static char data[100000];
	struct streams f;
	struct client clients[2];
	struct buf expected;

	(void)state;
	streams_open(&f, 1 << 16);
	open_all(clients, 2, &f);
	memset(data, 'L', sizeof(data));
	streams_publish_some(&f, "a", 1, 100);
	streams_publish(&f, "a", data, sizeof(data));
	streams_publish_some(&f, "a", 1, 100);
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_some(&expected, 1, 1, 100);
	expect_event(&expected, 2, data, sizeof(data));
	expect_some(&expected, 3, 3, 100);
	check_all(clients, 2, &expected);
	assert_int_equal(streams_delivered(&f), 6);
	assert_int_equal(clients[0].subscriber->state, LIVE);
	close_all(clients, 2);
	streams_close(&f);
}

static void a_loop_that_the_window_overtook_goes_on_from_the_log(void **state)
{
	struct streams f;
	struct client clients[2], pattern;
	struct buf expected;
	static const char *const patterns[] = {"*"};

	(void)state;
	streams_open(&f, 1 << 15);
	open_all(clients, 2, &f);
	client_open_many(&pattern, &f, patterns, 1, false, now);
	streams_publish_some(&f, "a", 1, 100);
	streams_settle(&f);
	/* More than the window holds, while the loop does other things. */
	streams_publish_some(&f, "a", 500, 400);
	streams_publish_some(&f, "new", 500, 400);
	streams_turn(&f);
	assert_int_equal(f.fanout.boundary, 1001);
	assert_int_equal(f.fanout.position, 1001);
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_some(&expected, 1, 1, 100);
	expect_some(&expected, 2, 501, 400);
	check_all(clients, 2, &expected);
	client_drain(&pattern);
	expect_start(&expected, 0);
	expect_some(&expected, 1, 1, 100);
	expect_some(&expected, 2, 1001, 400);
	client_check(&pattern, &expected);
	assert_int_equal(streams_delivered(&f), 2 * 501 + 1001);
	close_all(clients, 2);
	client_close(&pattern);
	streams_close(&f);
}

/* Between two slices of its pass. */
static void a_pass_that_the_window_overtook_goes_on_from_the_log(void **state)
{
	static struct client clients[MANY];
	struct streams f;
	struct buf expected;

	(void)state;
	streams_open(&f, 1 << 15);
	open_all(clients, MANY, &f);
	streams_publish_some(&f, "a", 1, 100);
	assert_true(fanout_work(&f.fanout));
	assert_int_equal(streams_delivered(&f), SLICE);
	streams_publish_some(&f, "a", 300, 400);
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_some(&expected, 1, 1, 100);
	expect_some(&expected, 2, 301, 400);
	check_all(clients, MANY, &expected);
	assert_int_equal(streams_delivered(&f), MANY * 301);
	close_all(clients, MANY);
	streams_close(&f);
}

/* Events of a topic that nobody reads, for which the window needs its places all the same. */
static void publish_others(struct streams *f, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		streams_publish_text(f, "other", "x");
}

/*
 * A chunk that ends before the boundary, since it has looked at as many entries as it may: those
 * that have had it must not miss what comes after it, nor get it again.
 */
static void a_pass_that_the_window_overtook_between_chunks_loses_nothing(void **state)
{
	static const char *const patterns[] = {"a", "b"};
	static struct client clients[MANY];
	struct streams f;
	struct buf expected;
	uint64_t second, third;

	(void)state;
	streams_open(&f, 4 << 20);
	for (unsigned i = 0; i < MANY; i++)
		client_open_many(&clients[i], &f, patterns, 2, false, now);
	streams_publish_text(&f, "a", "first");
	publish_others(&f, 17000);
	second = streams_publish_text(&f, "b", "second");
	/* A slice of the first chunk; the last that had it takes the place of one that had not. */
	assert_true(fanout_work(&f.fanout));
	assert_int_equal(streams_delivered(&f), SLICE);
	subscriber_close(clients[5].subscriber, STREAM_END_CLIENT);
	fanout_bury(&f.fanout);
	publish_others(&f, 80000);
	streams_settle(&f);
	third = streams_publish_text(&f, "a", "third");
	streams_settle(&f);
	for (unsigned i = 0; i < MANY; i++) {
		if (i == 5)
			continue;
		expect_new(&expected);
		expect_start(&expected, 0);
		expect_event(&expected, 1, "first", 5);
		expect_event(&expected, second, "second", 6);
		expect_event(&expected, third, "third", 5);
		client_drain(&clients[i]);
		client_check(&clients[i], &expected);
	}
	close_all(clients, MANY);
	streams_close(&f);
}

static void a_topic_that_appears_finds_the_streams_that_wait_for_it(void **state)
{
	static const char *const patterns[] = {"chat/*"};
	struct streams f;
	struct client named, pattern;
	struct buf expected;
	uint32_t counts[2];

	(void)state;
	streams_open(&f, 1 << 16);
	client_open(&named, &f, "chat/x", now);
	client_open_many(&pattern, &f, patterns, 1, false, now);
	assert_int_equal(fanout_count(&f.shared, "chat/x"), 2);
	assert_int_equal(fanout_count(&f.shared, "chat/y"), 1);
	streams_publish_text(&f, "chat/y", "one");
	streams_publish_text(&f, "chat/x", "two");
	client_drain(&named);
	client_drain(&pattern);
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_event(&expected, 2, "two", 3);
	client_check(&named, &expected);
	expect_start(&expected, 0);
	expect_event(&expected, 1, "one", 3);
	expect_event(&expected, 2, "two", 3);
	client_check(&pattern, &expected);
	fanout_count_streams(&f.shared, counts, 2);
	assert_int_equal(counts[0], 1);
	assert_int_equal(counts[1], 2);
	client_close(&named);
	client_close(&pattern);
	streams_close(&f);
}

/* Overwrite what the window holds, and forget what can be. */
static void forget_all(struct streams *f)
{
	for (int i = 0; i < 300; i++)
		streams_publish_text(f, "filler", "something to fill the window with");
	streams_settle(f);
	for (int i = 0; i < 300; i++)
		topics_forget(f->topics, window_oldest(f->window));
}

/* What was known of the topic that had its number before does not count. */
static void a_topic_with_the_number_of_a_forgotten_one_finds_its_streams(void **state)
{
	static const char *const patterns[] = {"chat/*"};
	struct client named, pattern;
	struct buf expected;
	struct streams f;
	uint32_t number;

	(void)state;
	streams_open(&f, 4096);
	/* It is stored as far as the registry knows. */
	topics_keep(f.topics, topics_add(f.topics, "filler"));
	streams_publish_ephemeral(&f, "old", "x", 1);
	number = topics_find(f.topics, "old")->number;
	streams_settle(&f);
	forget_all(&f);
	assert_null(topics_find(f.topics, "old"));
	client_open(&named, &f, "chat/x", now);
	client_open_many(&pattern, &f, patterns, 1, false, now);
	streams_publish_ephemeral(&f, "chat/x", "new", 3);
	assert_int_equal(topics_find(f.topics, "chat/x")->number, number);
	client_drain(&named);
	client_drain(&pattern);
	/* Their streams hold it, whatever becomes of its events. */
	forget_all(&f);
	assert_non_null(topics_find(f.topics, "chat/x"));
	streams_publish_ephemeral(&f, "chat/x", "newer", 5);
	client_drain(&named);
	client_drain(&pattern);
	expect_new(&expected);
	expect_start(&expected, 300);
	expect_ephemeral(&expected, "new", 3);
	expect_ephemeral(&expected, "newer", 5);
	client_check(&named, &expected);
	expect_new(&expected);
	expect_start(&expected, 300);
	expect_ephemeral(&expected, "new", 3);
	expect_ephemeral(&expected, "newer", 5);
	client_check(&pattern, &expected);
	client_close(&named);
	client_close(&pattern);
	streams_settle(&f);
	forget_all(&f);
	assert_null(topics_find(f.topics, "chat/x"));
	streams_close(&f);
}

/* The loop never saw the entry in which the topic appeared. */
static void a_loop_that_was_overtaken_learns_what_it_missed(void **state)
{
	struct client client;
	struct buf expected;
	struct streams f;

	(void)state;
	streams_open(&f, 4096);
	topics_keep(f.topics, topics_add(f.topics, "filler"));
	streams_publish_ephemeral(&f, "old", "x", 1);
	streams_settle(&f);
	forget_all(&f);
	client_open(&client, &f, "new", now);
	streams_settle(&f);
	streams_publish_text(&f, "new", "missed");
	for (int i = 0; i < 300; i++)
		streams_publish_text(&f, "filler", "something to fill the window with");
	client_drain(&client);
	expect_new(&expected);
	expect_start(&expected, 300);
	expect_event(&expected, 301, "missed", 6);
	client_check(&client, &expected);
	client_close(&client);
	streams_close(&f);
}

static void the_servers_own_figures_are_not_counted(void **state)
{
	struct streams f;
	struct client client, other;

	(void)state;
	streams_open(&f, 1 << 16);
	client_open(&client, &f, TOPIC_SYSTEM, now);
	client_open(&other, &f, TOPIC_SYSTEM, now);
	assert_int_equal(f.shared.system_readers, 2);
	client_close(&other);
	streams_settle(&f);
	assert_int_equal(f.shared.system_readers, 1);
	streams_publish_ephemeral(&f, TOPIC_SYSTEM, "{}", 2);
	client_drain(&client);
	assert_int_equal(streams_delivered(&f), 0);
	client_close(&client);
	streams_settle(&f);
	assert_int_equal(f.shared.system_readers, 0);
	streams_close(&f);
}

static void closing_ends_all_streams_whatever_their_state(void **state)
{
	static char data[50000];
	struct streams f;
	struct client live, waiting, ready, reading;

	(void)state;
	streams_open(&f, 1 << 17);
	memset(data, 'x', sizeof(data));
	client_open(&waiting, &f, "a", now);
	streams_publish(&f, "a", data, sizeof(data));
	streams_settle(&f);
	client_open(&live, &f, "a", now);
	client_open(&reading, &f, "a", (struct start){.kind = START_SINCE});
	client_open(&ready, &f, "a", (struct start){.kind = START_AFTER});
	assert_int_equal(waiting.subscriber->state, WAITING);
	assert_int_equal(reading.subscriber->state, READING);
	assert_int_equal(ready.subscriber->state, READY);
	assert_int_equal(live.subscriber->state, LIVE);
	fanout_close(&f.fanout);
	assert_int_equal(f.fanout.streams, 0);
	assert_int_equal(f.fanout.placed, 0);
	assert_null(f.fanout.channels);
	client_close(&live);
	client_close(&waiting);
	client_close(&ready);
	client_close(&reading);
	streams_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_subscriber_of_a_channel_gets_each_event_once),
		cmocka_unit_test(a_pass_works_in_slices),
		cmocka_unit_test(
			whoever_leaves_or_joins_during_a_pass_none_is_skipped_or_served_twice),
		cmocka_unit_test(many_leave_while_they_wait_for_their_turn),
		cmocka_unit_test(a_channel_whose_last_stream_leaves_during_a_pass_goes_after_it),
		cmocka_unit_test(one_that_is_behind_does_not_hold_up_the_others),
		cmocka_unit_test(one_that_joined_ahead_of_the_loop_gets_what_follows_once),
		cmocka_unit_test(an_event_larger_than_the_window_comes_from_the_log),
		cmocka_unit_test(a_loop_that_the_window_overtook_goes_on_from_the_log),
		cmocka_unit_test(a_pass_that_the_window_overtook_goes_on_from_the_log),
		cmocka_unit_test(a_pass_that_the_window_overtook_between_chunks_loses_nothing),
		cmocka_unit_test(a_topic_that_appears_finds_the_streams_that_wait_for_it),
		cmocka_unit_test(a_topic_with_the_number_of_a_forgotten_one_finds_its_streams),
		cmocka_unit_test(a_loop_that_was_overtaken_learns_what_it_missed),
		cmocka_unit_test(the_servers_own_figures_are_not_counted),
		cmocka_unit_test(closing_ends_all_streams_whatever_their_state),
	};

	return cmocka_run_group_tests_name("serve_fanout", tests, NULL, NULL);
}
