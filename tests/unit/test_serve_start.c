/* SPDX-License-Identifier: MIT */
/*
 * Tests of where a stream starts and ends (stream/catch_up.c, opening.c, replay.c): with the newest
 * events, with a mark when it has caught up, and with an end after what was stored.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parts/streams.h"

/* Much more than the socket of a client takes. */
#define LARGE 50000

static const struct start now = {.kind = START_NOW};
static const struct start all = {.kind = START_SINCE};

static void the_newest_events_come_first(void **state)
{
	static const char *const patterns[] = {"a", "b/*"};
	struct streams f;
	struct client one, many, none, more;
	struct buf expected;

	(void)state;
	streams_open(&f, 1 << 16);
	streams_publish_some(&f, "a", 10, 50);
	streams_publish_some(&f, "other", 5, 50);
	streams_publish_some(&f, "b/c", 2, 50);
	streams_settle(&f);
	client_open(&one, &f, "a", (struct start){.kind = START_LAST, .last = 3});
	client_open_many(
		&many, &f, patterns, 2, false, (struct start){.kind = START_LAST, .last = 4});
	client_open(&none, &f, "empty", (struct start){.kind = START_LAST, .last = 4});
	client_open(&more, &f, "b/c", (struct start){.kind = START_LAST, .last = 99});
	client_drain(&one);
	client_drain(&many);
	client_drain(&none);
	client_drain(&more);
	streams_publish_some(&f, "a", 1, 50);
	client_drain(&one);
	client_drain(&many);
	expect_new(&expected);
	expect_start(&expected, 7);
	expect_some(&expected, 8, 10, 50);
	expect_some(&expected, 18, 18, 50);
	client_check(&one, &expected);
	expect_start(&expected, 8);
	expect_some(&expected, 9, 10, 50);
	expect_some(&expected, 16, 18, 50);
	client_check(&many, &expected);
	expect_start(&expected, 17);
	client_check(&none, &expected);
	expect_start(&expected, 0);
	expect_some(&expected, 16, 17, 50);
	client_check(&more, &expected);
	client_close(&one);
	client_close(&many);
	client_close(&none);
	client_close(&more);
	streams_close(&f);
}

/* What is gone before them is not missing. */
static void the_newest_events_have_no_gap_before_them(void **state)
{
	struct streams f;
	struct client client;
	struct buf expected;

	(void)state;
	streams_open(&f, 4096);
	streams_publish_some(&f, "a", 100, 100);
	for (uint64_t position = 1; position <= 98; position++)
		streams_remove(&f, position);
	streams_settle(&f);
	client_open(&client, &f, "a", (struct start){.kind = START_LAST, .last = 3});
	client_drain(&client);
	expect_new(&expected);
	expect_start(&expected, 98);
	expect_some(&expected, 99, 100, 100);
	client_check(&client, &expected);
	client_close(&client);
	streams_close(&f);
}

static void a_mark_follows_what_was_stored_and_each_time_it_was_behind(void **state)
{
	static char data[LARGE];
	struct streams f;
	struct client client, live;
	struct buf expected;

	(void)state;
	memset(data, 'x', sizeof(data));
	streams_open(&f, 1 << 17);
	streams_publish_some(&f, "a", 10, 50);
	streams_settle(&f);
	f.marked = true;
	client_open(&client, &f, "a", (struct start){.kind = START_AFTER, .after = 8});
	client_open(&live, &f, "a", now);
	client_drain(&client);
	client_drain(&live);
	/* None after an event that it takes at once. */
	streams_publish_some(&f, "a", 2, 50);
	client_drain(&client);
	client_drain(&live);
	/* It takes only a part of this one. */
	streams_publish(&f, "a", data, LARGE);
	streams_settle(&f);
	assert_int_equal(client.subscriber->state, WAITING);
	streams_publish_some(&f, "a", 3, 50);
	client_drain(&client);
	assert_int_equal(client.subscriber->state, LIVE);
	streams_publish_some(&f, "a", 1, 50);
	client_drain(&client);
	expect_new(&expected);
	expect_start(&expected, 8);
	expect_some(&expected, 9, 10, 50);
	expect_mark(&expected, 10);
	expect_some(&expected, 11, 12, 50);
	expect_event(&expected, 13, data, LARGE);
	expect_some(&expected, 14, 16, 50);
	expect_mark(&expected, 16);
	expect_some(&expected, 17, 17, 50);
	client_check(&client, &expected);
	/* Its own first bytes are all that it was sent before the mark. */
	expect_start(&expected, 10);
	expect_mark(&expected, 10);
	assert_memory_equal(live.got.data, expected.data, expected.len);
	buf_free(&expected);
	client_close(&client);
	client_close(&live);
	streams_close(&f);
}

/* Read ${most} bytes at a time, while events are published that are not its own. */
static void read_slowly(struct client *client, size_t most, unsigned rounds)
{
	for (unsigned i = 0; i < rounds && client_read(client, most) > 0; i++) {
		streams_turn(client->streams);
		streams_publish_some(client->streams, "a", 1, 300);
	}
}

/* From a window that still has all, and from one that has lost nearly all. */
static void a_stream_ends_after_what_was_stored(void **state)
{
	static const struct {
		size_t window, most;
	} rows[] = {{1 << 20, 70}, {1 << 20, 1500}, {1 << 20, 100000}, {1 << 14, 70},
		{1 << 14, 1500}, {1 << 14, 100000}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct streams f;
		struct client client;
		struct buf expected;

		streams_open(&f, rows[i].window);
		streams_publish_some(&f, "a", 200, 300);
		streams_settle(&f);
		f.marked = f.ends = true;
		client_open(&client, &f, "a", (struct start){.kind = START_AFTER, .after = 5});
		read_slowly(&client, rows[i].most, 500);
		assert_true(client_is_closed(&client));
		expect_new(&expected);
		expect_start(&expected, 5);
		expect_some(&expected, 6, 200, 300);
		expect_mark(&expected, 200);
		client_check(&client, &expected);
		assert_int_equal(streams_behind(&f), 0);
		client_close(&client);
		streams_close(&f);
	}
}

static void a_stream_with_nothing_to_send_ends_at_once(void **state)
{
	static const struct start starts[] = {{.kind = START_NOW},
		{.kind = START_AFTER, .after = 10}, {.kind = START_LAST, .last = 2}};
	struct streams f;
	struct client client;
	struct buf expected;

	(void)state;
	streams_open(&f, 1 << 14);
	streams_publish_some(&f, "other", 10, 50);
	streams_settle(&f);
	f.marked = f.ends = true;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		client_open(&client, &f, "a", starts[i]);
		assert_true(client_is_closed(&client));
		expect_new(&expected);
		expect_start(&expected, 10);
		expect_mark(&expected, 10);
		client_check(&client, &expected);
		client_close(&client);
	}
	streams_close(&f);
}

/* A chunk that was read for another stream may go further than the end. */
static void a_shared_chunk_does_not_move_the_end(void **state)
{
	struct streams f;
	struct client first, second;
	struct buf expected;

	(void)state;
	streams_open(&f, 4096);
	streams_publish_some(&f, "a", 100, 100);
	streams_settle(&f);
	f.marked = f.ends = true;
	client_open(&first, &f, "a", all);
	f.marked = f.ends = false;
	streams_publish_some(&f, "a", 50, 100);
	streams_turn(&f);
	client_open(&second, &f, "a", all);
	client_drain(&second);
	assert_true(client_is_closed(&first));
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_some(&expected, 1, 100, 100);
	expect_mark(&expected, 100);
	client_check(&first, &expected);
	client_close(&first);
	client_close(&second);
	streams_close(&f);
}

static void a_gap_comes_before_the_end(void **state)
{
	struct streams f;
	struct client client;
	struct buf expected;

	(void)state;
	streams_open(&f, 4096);
	streams_publish_some(&f, "a", 20, 100);
	for (uint64_t position = 1; position <= 20; position++)
		streams_remove(&f, position);
	streams_settle(&f);
	f.marked = f.ends = true;
	client_open(&client, &f, "a", (struct start){.kind = START_AFTER, .after = 3});
	assert_true(client_is_closed(&client));
	expect_new(&expected);
	expect_start(&expected, 3);
	expect_gap(&expected, STREAMS_TAG ":3", 0, "expired", 20);
	expect_mark(&expected, 20);
	client_check(&client, &expected);
	client_close(&client);
	streams_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_events_come_first),
		cmocka_unit_test(the_newest_events_have_no_gap_before_them),
		cmocka_unit_test(a_mark_follows_what_was_stored_and_each_time_it_was_behind),
		cmocka_unit_test(a_stream_ends_after_what_was_stored),
		cmocka_unit_test(a_stream_with_nothing_to_send_ends_at_once),
		cmocka_unit_test(a_shared_chunk_does_not_move_the_end),
		cmocka_unit_test(a_gap_comes_before_the_end),
	};

	return cmocka_run_group_tests_name("serve_start", tests, NULL, NULL);
}
