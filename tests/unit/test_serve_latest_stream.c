/* SPDX-License-Identifier: MIT */
/*
 * Tests of streams of present values (stream/catch_up.c, replay.c and latest.c): the newest event of
 * each subject up to the head at the opening, then all that comes, however slowly it is read; and all
 * values again where something is gone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parts/streams.h"

static const struct start latest = {.kind = START_LATEST};

static void a_slow_reader_gets_the_values_and_then_all(void **state)
{
	struct client client, again;
	struct buf expected;
	struct streams f;

	(void)state;
	streams_open(&f, 1 << 14);
	f.subjects = 100;
	f.marked = true;
	streams_publish_some(&f, "a", 1000, 500);
	streams_settle(&f);
	client_open(&client, &f, "a", latest);
	assert_int_equal(client.subscriber->state, READING);
	streams_settle(&f);
	assert_int_equal(client.subscriber->state, WAITING);
	assert_in_range(client.subscriber->cursor, 901, 999);
	/* The one that was cut is superseded; and there are newer ones, of which the window loses some. */
	streams_remove(&f, client.subscriber->cursor);
	streams_publish_some(&f, "a", 150, 500);
	streams_settle(&f);
	client_drain(&client);
	assert_int_equal(client.subscriber->state, LIVE);
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_some(&expected, 901, 1150, 500);
	expect_mark(&expected, 1150);
	client_check(&client, &expected);
	client_close(&client);
	/* One that comes back gets what changed since then. */
	client_open(&again, &f, "a", (struct start){.kind = START_LATEST, .after = 1120});
	client_drain(&again);
	expect_new(&expected);
	expect_start(&expected, 1120);
	expect_some(&expected, 1121, 1150, 500);
	expect_mark(&expected, 1150);
	client_check(&again, &expected);
	client_close(&again);
	streams_close(&f);
}

static void streams_of_the_same_are_sent_the_same(void **state)
{
	struct client clients[3];
	struct buf expected;
	struct streams f;

	(void)state;
	streams_open(&f, 1 << 14);
	f.subjects = 10;
	streams_publish_some(&f, "a", 40, 500);
	streams_publish_some(&f, "b", 7, 500);
	streams_settle(&f);
	client_open(&clients[0], &f, "a", latest);
	client_open(&clients[1], &f, "b", latest);
	client_open(&clients[2], &f, "a", (struct start){.kind = START_LATEST, .after = 35});
	for (int i = 0; i < 3; i++) {
		client_drain(&clients[i]);
		assert_int_equal(clients[i].subscriber->state, LIVE);
		expect_new(&expected);
		expect_start(&expected, i == 2 ? 35 : 0);
		expect_some(&expected, i == 0 ? 31 : i == 1 ? 41 : 36, i == 1 ? 47 : 40, 500);
		if (i != 1)
			expect_position(&expected, 47);
		client_check(&clients[i], &expected);
		client_close(&clients[i]);
	}
	streams_close(&f);
}

/* A value that is cleared has no data: a new reader does not have it, one that comes back may. */
static void what_is_cleared_is_sent_to_one_that_comes_back(void **state)
{
	struct client client, back;
	struct buf expected;
	struct streams f;

	(void)state;
	streams_open(&f, 1 << 14);
	f.subjects = 3;
	streams_publish_text(&f, "a", "one");
	streams_publish_text(&f, "a", "two");
	streams_publish_text(&f, "a", "");
	streams_settle(&f);
	client_open(&client, &f, "a", latest);
	client_open(&back, &f, "a", (struct start){.kind = START_LATEST, .after = 1});
	client_drain(&client);
	client_drain(&back);
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_event(&expected, 1, "one", 3);
	expect_event(&expected, 2, "two", 3);
	expect_position(&expected, 3);
	client_check(&client, &expected);
	expect_new(&expected);
	expect_start(&expected, 1);
	expect_event(&expected, 2, "two", 3);
	expect_event(&expected, 3, "", 0);
	client_check(&back, &expected);
	client_close(&client);
	client_close(&back);
	streams_close(&f);
}

/* It is behind, and the log has lost what it was to be sent next. */
static void a_gap_is_told_and_all_values_follow(void **state)
{
	char id[IDENTITY_TEXT];
	struct client client;
	struct buf expected;
	struct streams f;
	uint64_t last;

	(void)state;
	streams_open(&f, 1 << 12);
	f.subjects = 10;
	streams_publish_some(&f, "a", 20, 300);
	streams_settle(&f);
	client_open(&client, &f, "a", latest);
	client_drain(&client);
	assert_int_equal(client.subscriber->state, LIVE);
	streams_publish_some(&f, "a", 500, 300);
	streams_settle(&f);
	assert_int_equal(client.subscriber->state, WAITING);
	/* The cut event comes first. */
	last = client.subscriber->partial;
	assert_in_range(last, 21, 500);
	for (uint64_t position = last + 1; position <= 510; position++)
		streams_remove(&f, position);
	client_drain(&client);
	assert_int_equal(client.subscriber->state, LIVE);
	streams_publish_text(&f, "a", "live");
	client_drain(&client);
	snprintf(id, sizeof(id), STREAMS_TAG ":%d", (int)last);
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_some(&expected, 11, last, 300);
	expect_gap(&expected, id, 511, "expired", 0);
	expect_some(&expected, 511, 520, 300);
	expect_event(&expected, 521, "live", 4);
	client_check(&client, &expected);
	client_close(&client);
	streams_close(&f);
}

/* One that comes back after something that is gone. */
static void one_that_comes_back_to_a_gap_gets_all_values(void **state)
{
	struct client client, unknown;
	struct buf expected;
	struct streams f;

	(void)state;
	streams_open(&f, 1 << 14);
	f.subjects = 10;
	streams_publish_some(&f, "a", 20, 300);
	streams_publish_some(&f, "b", 10, 300);
	streams_remove(&f, 25);
	streams_settle(&f);
	client_open_many(&client, &f, (const char *const[]){"a", "b"}, 2, false,
		(struct start){.kind = START_LATEST, .after = 24});
	client_drain(&client);
	expect_new(&expected);
	assert_true(buf_add_text(&expected, STREAMS_HEAD));
	expect_gap(&expected, STREAMS_TAG ":24", 15, "expired", 0);
	expect_some(&expected, 15, 15, 300);
	expect_some(&expected, 21, 24, 300);
	expect_some(&expected, 26, 30, 300);
	client_check(&client, &expected);
	client_open(&unknown, &f, "a",
		(struct start){.kind = START_LATEST, .unknown = strdup("other:7")});
	client_drain(&unknown);
	expect_new(&expected);
	assert_true(buf_add_text(&expected, STREAMS_HEAD));
	expect_gap(&expected, "other:7", 11, "unknown-log", 0);
	expect_some(&expected, 11, 20, 300);
	expect_position(&expected, 30);
	client_check(&unknown, &expected);
	client_close(&client);
	client_close(&unknown);
	streams_close(&f);
}

/* Whether it has caught up, is behind, or was cut amid an event: it begins anew, once. */
static void begins_anew(size_t window)
{
	struct client live, slow, other, plain;
	struct buf expected;
	struct streams f;

	streams_open(&f, window);
	f.subjects = 10;
	streams_publish_some(&f, "a", 20, 300);
	streams_settle(&f);
	client_open(&live, &f, "a", latest);
	client_open(&slow, &f, "a", latest);
	client_open(&other, &f, "b", latest);
	client_open(&plain, &f, "a", (struct start){.kind = START_NOW});
	client_drain(&live);
	client_drain(&slow);
	client_drain(&plain);
	streams_publish_some(&f, "a", 500, 300);
	do {
		streams_settle(&f);
	} while (client_read(&live, SIZE_MAX) > 0 || client_read(&plain, SIZE_MAX) > 0);
	assert_int_equal(live.subscriber->state, LIVE);
	assert_int_equal(slow.subscriber->state, WAITING);
	assert_true(slow.subscriber->partial > 0);
	streams_erase(&f, 515);
	client_drain(&live);
	client_drain(&other);
	client_drain(&plain);
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_some(&expected, 11, 520, 300);
	expect_deleted(&expected);
	expect_gap(&expected, STREAMS_TAG ":520", 505, "deleted", 0);
	expect_some(&expected, 505, 505, 300);
	expect_some(&expected, 511, 514, 300);
	expect_some(&expected, 516, 520, 300);
	expect_position(&expected, 521);
	client_check(&live, &expected);
	assert_int_equal(live.subscriber->state, LIVE);
	/* Nobody else is told again. */
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_position(&expected, 20);
	client_check(&other, &expected);
	expect_new(&expected);
	expect_start(&expected, 20);
	expect_some(&expected, 21, 520, 300);
	expect_deleted(&expected);
	client_check(&plain, &expected);
	client_drain(&slow);
	assert_int_equal(slow.subscriber->state, LIVE);
	assert_non_null(memmem(slow.got.data, slow.got.len, "\"reason\":\"deleted\"", 18));
	assert_memory_equal(slow.got.data + slow.got.len - 18, "id: " STREAMS_TAG ":521\n\n", 18);
	client_close(&live);
	client_close(&slow);
	client_close(&other);
	client_close(&plain);
	streams_close(&f);
}

static void where_a_value_was_deleted_it_begins_anew(void **state)
{
	(void)state;
	begins_anew(1 << 14);
	/* What the slow one lacks is all in the window. */
	begins_anew(1 << 20);
}

/* What is left of the cut event, and what tells of the deletion, would fit into one send. */
static void one_that_was_cut_just_before_a_deletion_begins_anew_too(void **state)
{
	static char large[300000];
	struct client client;
	struct streams f;

	(void)state;
	memset(large, 'x', sizeof(large));
	streams_open(&f, 1 << 20);
	f.subjects = 10;
	streams_publish_some(&f, "a", 20, 300);
	streams_settle(&f);
	client_open(&client, &f, "a", latest);
	client_drain(&client);
	streams_publish(&f, "a", large, sizeof(large));
	streams_settle(&f);
	assert_int_equal(client.subscriber->partial, 21);
	streams_erase(&f, 15);
	client_drain(&client);
	assert_int_equal(client.subscriber->state, LIVE);
	assert_non_null(memmem(client.got.data, client.got.len, "\"reason\":\"deleted\"", 18));
	client_close(&client);
	streams_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slow_reader_gets_the_values_and_then_all),
		cmocka_unit_test(streams_of_the_same_are_sent_the_same),
		cmocka_unit_test(what_is_cleared_is_sent_to_one_that_comes_back),
		cmocka_unit_test(a_gap_is_told_and_all_values_follow),
		cmocka_unit_test(one_that_comes_back_to_a_gap_gets_all_values),
		cmocka_unit_test(where_a_value_was_deleted_it_begins_anew),
		cmocka_unit_test(one_that_was_cut_just_before_a_deletion_begins_anew_too),
	};

	return cmocka_run_group_tests_name("serve_latest_stream", tests, NULL, NULL);
}
