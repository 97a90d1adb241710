/* SPDX-License-Identifier: MIT */
/*
 * Tests of one stream's states (stream/subscriber.c, catch_up.c, frames.c, opening.c, silence.c):
 * whatever its socket takes and whenever, it gets each event once, in order and whole, or is told
 * what it lacks.
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "parts/streams.h"
#include "stream/opening.h"
#include "stream/subscriber.h"

static const struct start now = {.kind = START_NOW};

/* Much more than the socket of a client takes. */
#define LARGE 50000

/* More than a turn of the loop serves. */
#define OTHERS 1000

static void fill(char *data, size_t len, char first)
{
	for (size_t i = 0; i < len; i++)
		data[i] = (char)(first + (char)(i % 7));
}

/* A stream of "a" that is WAITING in the middle of a large event; its position. */
static uint64_t open_stopped(struct client *client, struct streams *streams, char *data)
{
	uint64_t position;

	client_open(client, streams, "a", now);
	fill(data, LARGE, 'A');
	position = streams_publish(streams, "a", data, LARGE);
	streams_settle(streams);
	assert_int_equal(client->subscriber->state, WAITING);
	assert_true(client->subscriber->skip > 0);
	assert_int_equal(client->subscriber->partial, position);
	return position;
}

/* --- a full socket --- */

static void a_full_socket_waits_and_goes_on_where_it_stopped(void **state)
{
	struct streams f;
	struct client client;
	struct buf expected;

	(void)state;
	streams_open(&f, 1 << 20);
	client_open(&client, &f, "a", now);
	assert_int_equal(client.subscriber->state, LIVE);
	streams_publish_some(&f, "a", 100, 900);
	streams_settle(&f);
	assert_int_equal(client.subscriber->state, WAITING);
	assert_int_equal(streams_behind(&f), 1);
	assert_true(streams_delivered(&f) > 0 && streams_delivered(&f) < 100);
	/* What it did not have, and what comes meanwhile. */
	streams_publish_some(&f, "a", 10, 900);
	client_drain(&client);
	assert_int_equal(client.subscriber->state, LIVE);
	assert_int_equal(streams_behind(&f), 0);
	assert_int_equal(streams_delivered(&f), 110);
	/* It was never served from the log. */
	assert_int_equal(f.reads, 0);
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_some(&expected, 1, 110, 900);
	client_check(&client, &expected);
	client_close(&client);
	streams_close(&f);
}

/* Each read frees a part of the socket: it stops at many places, in frames and between them. */
static void wherever_a_frame_is_cut_its_rest_follows(void **state)
{
	static const size_t steps[] = {1, 33, 500, 2222, 4100};
	struct streams f;
	struct client client;
	struct buf expected;
	unsigned cuts = 0;

	(void)state;
	streams_open(&f, 1 << 20);
	client_open(&client, &f, "a", now);
	for (unsigned i = 0; i < 300; i++) {
		streams_publish_some(&f, "a", i % 3, 4000);
		streams_settle(&f);
		cuts += client.subscriber->skip > 0;
		client_read(&client, steps[i % 5]);
	}
	client_drain(&client);
	assert_true(cuts > 10);
	assert_int_equal(client.subscriber->state, LIVE);
	assert_int_equal(streams_delivered(&f), 300);
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_some(&expected, 1, 300, 4000);
	client_check(&client, &expected);
	client_close(&client);
	streams_close(&f);
}

static void an_event_counts_as_delivered_when_its_last_byte_is_sent(void **state)
{
	static char data[LARGE];
	struct streams f;
	struct client client;
	struct buf expected;
	uint64_t position;

	(void)state;
	streams_open(&f, 1 << 20);
	position = open_stopped(&client, &f, data);
	/* The socket takes some more, but not the rest. */
	while (client_read(&client, SIZE_MAX) > 0)
		;
	streams_settle(&f);
	assert_int_equal(client.subscriber->state, WAITING);
	assert_int_equal(streams_delivered(&f), 0);
	client_drain(&client);
	assert_int_equal(streams_delivered(&f), 1);
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_event(&expected, position, data, LARGE);
	client_check(&client, &expected);
	client_close(&client);
	streams_close(&f);
}

/* Frames of others lie between its own, so the send is of many pieces. */
static void a_send_of_many_pieces_goes_on_where_it_stopped(void **state)
{
	struct streams f;
	struct client client;
	struct buf expected;
	char text[] = "0123456789 of a";

	(void)state;
	streams_open(&f, 1 << 20);
	client_open(&client, &f, "a", now);
	expect_new(&expected);
	expect_start(&expected, 0);
	for (uint64_t i = 0; i < 400; i += 2) {
		text[i % 10] ^= 1;
		expect_event(&expected, streams_publish_text(&f, "a", text), text, strlen(text));
		streams_publish_text(&f, "other", "not for a");
	}
	streams_settle(&f);
	assert_int_equal(client.subscriber->state, WAITING);
	client_drain(&client);
	assert_int_equal(streams_delivered(&f), 200);
	client_check(&client, &expected);
	client_close(&client);
	streams_close(&f);
}

/* --- from the log --- */

static void one_that_the_window_overtook_reads_the_log_and_comes_back(void **state)
{
	static char data[LARGE];
	struct streams f;
	struct client client;
	struct buf expected;

	(void)state;
	streams_open(&f, 1 << 16);
	client_open(&client, &f, "a", now);
	fill(data, LARGE, 'A');
	/* It has three events, and the first bytes of a fourth. */
	streams_publish_some(&f, "a", 3, 50);
	streams_publish(&f, "a", data, LARGE);
	streams_settle(&f);
	assert_int_equal(client.subscriber->partial, 4);
	/* Nothing of what it lacks is left in the window, not even the event that was cut. */
	streams_publish_some(&f, "a", 2000, 500);
	streams_publish_some(&f, "other", 200, 500);
	streams_settle(&f);
	assert_int_equal(f.reads, 0);
	client_read(&client, SIZE_MAX);
	streams_turn(&f);
	assert_int_equal(client.subscriber->state, READING);
	assert_int_equal(streams_behind(&f), 1);
	client_drain(&client);
	assert_int_equal(client.subscriber->state, LIVE);
	assert_false(client.subscriber->resumed);
	assert_true(f.reads > 0);
	assert_int_equal(streams_behind(&f), 0);
	assert_int_equal(streams_delivered(&f), 2004);
	/* Live again: ephemeral events too. */
	streams_publish_some(&f, "a", 1, 500);
	streams_publish_ephemeral(&f, "a", "tick", 4);
	client_drain(&client);
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_some(&expected, 1, 3, 50);
	expect_event(&expected, 4, data, LARGE);
	expect_some(&expected, 5, 2004, 500);
	expect_some(&expected, 2205, 2205, 500);
	expect_ephemeral(&expected, "tick", 4);
	client_check(&client, &expected);
	assert_int_equal(streams_delivered(&f), 2006);
	client_close(&client);
	streams_close(&f);
}

/* It comes back by the window.  Ephemeral events there may be old: none before it is LIVE. */
static void one_that_comes_back_from_the_log_skips_ephemeral_events(void **state)
{
	static char data[LARGE];
	struct streams f;
	struct client client;
	struct buf expected;

	(void)state;
	streams_open(&f, 1 << 16);
	open_stopped(&client, &f, data);
	streams_publish_some(&f, "a", 500, 500);
	streams_settle(&f);
	client_read(&client, SIZE_MAX);
	streams_turn(&f);
	assert_int_equal(client.subscriber->state, READING);
	streams_publish_ephemeral(&f, "a", "old", 3);
	streams_publish_some(&f, "a", 1, 500);
	fanout_work(&f.fanout);
	assert_int_equal(client.subscriber->state, READING);
	client_drain(&client);
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_event(&expected, 1, data, LARGE);
	expect_some(&expected, 2, 502, 500);
	client_check(&client, &expected);
	client_close(&client);
	streams_close(&f);
}

static void since_a_time_a_slow_reader_gets_all(void **state)
{
	struct streams f;
	struct client client;
	struct buf expected;

	(void)state;
	streams_open(&f, 1 << 15);
	streams_publish_some(&f, "a", 700, 300);
	streams_settle(&f);
	client_open(&client, &f, "a", (struct start){.kind = START_SINCE, .since = 101000});
	client_drain(&client);
	expect_new(&expected);
	expect_start(&expected, 100);
	expect_some(&expected, 101, 700, 300);
	client_check(&client, &expected);
	assert_int_equal(streams_delivered(&f), 600);
	client_close(&client);
	streams_close(&f);
}

/* While a chunk is read and sent, the window goes on. */
static void events_that_come_while_it_reads_follow_once(void **state)
{
	struct streams f;
	struct client client;
	struct buf expected;
	unsigned published = 300;

	(void)state;
	streams_open(&f, 1 << 15);
	streams_publish_some(&f, "a", published, 300);
	client_open(&client, &f, "a", (struct start){.kind = START_AFTER, .after = 100});
	for (; published < 900; published += 3) {
		streams_turn(&f);
		client_read(&client, 1500);
		streams_publish_some(&f, "a", 3, 300);
	}
	client_drain(&client);
	assert_int_equal(client.subscriber->state, LIVE);
	assert_true(f.reads > 0);
	expect_new(&expected);
	expect_start(&expected, 100);
	expect_some(&expected, 101, published, 300);
	client_check(&client, &expected);
	assert_int_equal(streams_delivered(&f), published - 100);
	client_close(&client);
	streams_close(&f);
}

/*
 * Its client has the id of an event that the loop has not come to, and the window has lost what
 * follows: nothing before that id is sent again.
 */
static void one_that_is_ahead_of_the_loop_gets_each_event_once(void **state)
{
	struct streams f;
	struct client client;
	struct buf expected;

	(void)state;
	streams_open(&f, 1 << 15);
	streams_publish_some(&f, "a", 500, 300);
	assert_int_equal(f.fanout.position, 0);
	client_open(&client, &f, "a", (struct start){.kind = START_AFTER, .after = 100});
	for (uint64_t position = 1; position <= 110; position++)
		streams_remove(&f, position);
	client_drain(&client);
	assert_int_equal(client.subscriber->state, LIVE);
	streams_publish_some(&f, "a", 1, 300);
	client_drain(&client);
	expect_new(&expected);
	expect_start(&expected, 100);
	expect_gap(&expected, STREAMS_TAG ":100", 111, "expired", 110);
	expect_some(&expected, 111, 501, 300);
	client_check(&client, &expected);
	client_close(&client);
	streams_close(&f);
}

/*
 * A pass takes longer than a turn, so the loop stays where it is; a stream that came with a later id
 * is cut in an event that the loop has not come to.
 */
static void one_that_is_cut_ahead_of_the_loop_gets_the_rest_of_the_event(void **state)
{
	static struct client others[OTHERS];
	static char large[100000];
	const struct start after = {.kind = START_AFTER, .after = 2};
	struct streams f;
	struct client client;
	struct buf expected;

	(void)state;
	fill(large, sizeof(large), 'x');
	streams_open(&f, 1 << 19);
	for (unsigned i = 0; i < OTHERS; i++)
		client_open(&others[i], &f, "a", now);
	streams_publish_text(&f, "a", "first");
	assert_true(fanout_work(&f.fanout));
	streams_publish_text(&f, "b", "second");
	streams_publish_text(&f, "b", "third");
	streams_publish(&f, "b", large, sizeof(large));
	/* So that it has to read the log. */
	streams_remove(&f, 3);
	client_open(&client, &f, "b", after);
	assert_true(fanout_work(&f.fanout));
	assert_int_equal(client.subscriber->state, READING);
	while (client.subscriber->state == READING) {
		sched_yield();
		mailbox_handle(&f.mailbox);
	}
	assert_int_equal(client.subscriber->state, WAITING);
	assert_int_equal(client.subscriber->partial, 4);
	assert_int_equal(f.fanout.position, 1);
	while (client_read(&client, sizeof(large)) > 0)
		;
	subscriber_ready(&client.subscriber->source, EPOLLOUT);
	assert_true(fanout_work(&f.fanout));
	expect_new(&expected);
	expect_start(&expected, 2);
	expect_gap(&expected, STREAMS_TAG ":2", 4, "expired", 3);
	expect_event(&expected, 4, large, sizeof(large));
	client_drain(&client);
	client_check(&client, &expected);
	for (unsigned i = 0; i < OTHERS; i++)
		client_close(&others[i]);
	client_close(&client);
	streams_close(&f);
}

static void a_gap_is_told_where_the_log_has_lost_events(void **state)
{
	struct streams f;
	struct client client;
	struct buf expected;
	uint64_t last;

	(void)state;
	streams_open(&f, 1 << 20);
	streams_publish_some(&f, "a", 20, 100);
	streams_settle(&f);
	client_open(&client, &f, "a", (struct start){.kind = START_AFTER, .after = 5});
	/* The window has them all, but a list would not show them. */
	for (uint64_t position = 1; position <= 12; position++)
		streams_remove(&f, position);
	client_drain(&client);
	assert_int_equal(client.subscriber->state, LIVE);
	last = streams_publish_text(&f, "a", "after the gap");
	client_drain(&client);
	expect_new(&expected);
	expect_start(&expected, 5);
	expect_gap(&expected, STREAMS_TAG ":5", 13, "expired", 12);
	expect_some(&expected, 13, 20, 100);
	expect_event(&expected, last, "after the gap", 13);
	client_check(&client, &expected);
	/* The gap is the server's own. */
	assert_int_equal(streams_delivered(&f), 9);
	client_close(&client);
	streams_close(&f);
}

/*
 * One topic has lost an event that is newer than all that the other loses while the reader is slow:
 * that is told too.
 */
static void a_gap_is_told_for_each_topic_that_lost_events(void **state)
{
	static const char *const patterns[] = {"a", "b"};
	const struct start after = {.kind = START_AFTER, .after = 0};
	struct streams f;
	struct client client;
	struct buf expected;
	bool found = false;
	char id[40];

	(void)state;
	streams_open(&f, 4096);
	streams_publish_some(&f, "b", 40, 20000);
	streams_publish_text(&f, "a", "gone");
	streams_publish_text(&f, "b", "last");
	for (unsigned i = 0; i < 100; i++)
		streams_publish_text(&f, "other", "what the window holds instead of the others");
	streams_settle(&f);
	streams_remove(&f, 41);
	client_open_many(&client, &f, patterns, 2, false, after);
	streams_settle(&f);
	for (uint64_t position = 5; position <= 30; position++)
		streams_remove(&f, position);
	client_drain(&client);
	/* How much the socket took before is the system's affair. */
	for (uint64_t last = 4; last < 30 && !found; last++) {
		expect_new(&expected);
		expect_start(&expected, 0);
		expect_gap(&expected, STREAMS_TAG ":0", 1, "expired", 0);
		expect_some(&expected, 1, last, 20000);
		snprintf(id, sizeof(id), STREAMS_TAG ":%u", (unsigned)last);
		expect_gap(&expected, id, 31, "expired", 30);
		expect_some(&expected, 31, 40, 20000);
		expect_event(&expected, 42, "last", 4);
		found = expected.len == client.got.len &&
			memcmp(expected.data, client.got.data, expected.len) == 0;
		buf_free(&expected);
	}
	assert_true(found);
	client_close(&client);
	streams_close(&f);
}

static void a_gap_that_a_full_socket_cut_is_kept(void **state)
{
	struct streams f;
	struct client client;
	struct buf expected;
	char after[IDENTITY_TEXT];

	(void)state;
	streams_open(&f, 1 << 20);
	client_open(&client, &f, "a", now);
	/* The socket is full at the end of an event: fill it with ever smaller ones. */
	while (client.subscriber->state == LIVE) {
		streams_publish_text(&f, "a", "x");
		streams_settle(&f);
	}
	assert_int_equal(client.subscriber->skip, 0);
	for (uint64_t position = 1; position <= f.count; position++)
		streams_remove(&f, position);
	/* As epoll tells of room that is not there. */
	client.subscriber->source.ready(&client.subscriber->source, EPOLLOUT);
	streams_settle(&f);
	assert_non_null(client.subscriber->pending);
	assert_int_equal(client.subscriber->state, WAITING);
	streams_publish_text(&f, "a", "y");
	client_drain(&client);
	assert_null(client.subscriber->pending);
	assert_int_equal(client.subscriber->state, LIVE);
	expect_new(&expected);
	expect_start(&expected, 0);
	for (uint64_t position = 1; position < f.count - 1; position++)
		expect_event(&expected, position, "x", 1);
	identity_format(&f.store.identity, f.count - 2, after);
	expect_gap(&expected, after, 0, "expired", f.count - 1);
	expect_event(&expected, f.count, "y", 1);
	client_check(&client, &expected);
	client_close(&client);
	streams_close(&f);
}

static void a_cut_event_that_is_gone_ends_the_stream(void **state)
{
	static char data[LARGE];
	struct streams f;
	struct client client;
	uint64_t position;

	(void)state;
	streams_open(&f, 1 << 16);
	position = open_stopped(&client, &f, data);
	streams_publish_some(&f, "a", 500, 500);
	streams_remove(&f, position);
	assert_true(client_is_closed(&client));
	/* It has nothing after the cut. */
	assert_true(client.got.len < LARGE);
	assert_int_equal(streams_delivered(&f), 0);
	assert_int_equal(f.fanout.streams, 0);
	client_close(&client);
	streams_close(&f);
}

/* The window can finish it. */
static void a_cut_event_that_is_gone_from_the_log_comes_from_the_window(void **state)
{
	static char data[LARGE];
	struct streams f;
	struct client client;
	struct buf expected;
	uint64_t position;

	(void)state;
	streams_open(&f, 1 << 20);
	position = open_stopped(&client, &f, data);
	streams_remove(&f, position);
	streams_publish_some(&f, "a", 10, 500);
	client_drain(&client);
	assert_int_equal(client.subscriber->state, LIVE);
	assert_int_equal(f.reads, 0);
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_event(&expected, position, data, LARGE);
	expect_some(&expected, position + 1, position + 10, 500);
	client_check(&client, &expected);
	client_close(&client);
	streams_close(&f);
}

/* It is in the window no more either; its bytes cannot be made again. */
static void a_cut_event_that_was_deleted_ends_the_stream(void **state)
{
	static char data[LARGE];
	struct streams f;
	struct client client;
	uint64_t position;

	(void)state;
	streams_open(&f, 1 << 20);
	position = open_stopped(&client, &f, data);
	streams_publish_some(&f, "a", 10, 500);
	streams_erase(&f, position);
	assert_true(client_is_closed(&client));
	assert_true(client.got.len < LARGE);
	assert_int_equal(f.fanout.streams, 0);
	client_close(&client);
	streams_close(&f);
}

/* What was cut is not what was deleted: it is finished, and the gap comes after it. */
static void a_cut_event_before_one_that_was_deleted_is_finished(void **state)
{
	static char data[LARGE];
	struct streams f;
	struct client client;
	uint64_t position;

	(void)state;
	streams_open(&f, 1 << 20);
	position = open_stopped(&client, &f, data);
	streams_publish_some(&f, "a", 3, 500);
	streams_erase(&f, position + 2);
	client_drain(&client);
	assert_int_equal(client.subscriber->state, LIVE);
	assert_true(client.got.len > LARGE);
	assert_non_null(memmem(client.got.data, client.got.len, "\"reason\":\"deleted\"", 18));
	client_close(&client);
	streams_close(&f);
}

/*
 * An older event is deleted after it was told of a newer one, and before it came to either: it is told
 * once more, where it is then.
 */
static void what_goes_before_the_told_gap_is_told_too(void **state)
{
	static char data[LARGE];
	struct streams f;
	struct client client;
	uint64_t position;
	const char *second;

	(void)state;
	streams_open(&f, 8 << 20);
	position = open_stopped(&client, &f, data);
	streams_publish(&f, "a", data, LARGE);
	streams_publish_some(&f, "a", 5, 500);
	streams_erase(&f, position + 5);
	/* As far as into the second large event; the gap is before it. */
	while (client.subscriber->partial != position + 1) {
		client_read(&client, 4096);
		streams_settle(&f);
	}
	streams_erase(&f, position + 3);
	client_drain(&client);
	assert_int_equal(client.subscriber->state, LIVE);
	second = memmem(client.got.data, client.got.len, "\"reason\":\"deleted\"", 18);
	assert_non_null(second);
	second++;
	assert_non_null(memmem(second, client.got.len - (size_t)(second - client.got.data),
		"\"reason\":\"deleted\"", 18));
	client_close(&client);
	streams_close(&f);
}

/* Of two topics, one has lost an event that is newer than the many that it gets first. */
/* The log takes a pause on the way from the cursor to the event: it is there all the same. */
static void a_cut_event_after_many_others_is_finished(void **state)
{
	static const char *const patterns[] = {"a", "b"};
	static char large[100000];
	struct streams f;
	struct client client;
	struct buf expected;

	(void)state;
	fill(large, sizeof(large), 'x');
	streams_open(&f, 16 << 20);
	client_open_many(&client, &f, patterns, 2, false, now);
	for (unsigned i = 0; i < 40000; i++)
		streams_publish_text(&f, "other", "z");
	streams_publish(&f, "a", large, sizeof(large));
	streams_settle(&f);
	assert_int_equal(client.subscriber->state, WAITING);
	assert_int_equal(client.subscriber->partial, 40001);
	/* The window no longer has it. */
	for (unsigned i = 0; i < 140000; i++)
		streams_publish_text(&f, "other", "z");
	streams_settle(&f);
	client_drain(&client);
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_event(&expected, 40001, large, sizeof(large));
	client_check(&client, &expected);
	client_close(&client);
	streams_close(&f);
}

static void a_gap_is_told_once_to_a_slow_reader(void **state)
{
	static const char *const patterns[] = {"a", "b"};
	struct streams f;
	struct client client;
	struct buf expected;

	(void)state;
	streams_open(&f, 1 << 12);
	streams_publish_some(&f, "a", 102, 1000);
	streams_publish_some(&f, "b", 1, 1000);
	streams_publish_some(&f, "a", 1, 1000);
	streams_remove(&f, 103);
	streams_settle(&f);
	client_open_many(
		&client, &f, patterns, 2, false, (struct start){.kind = START_AFTER, .after = 2});
	client_drain(&client);
	assert_int_equal(client.subscriber->state, LIVE);
	expect_new(&expected);
	expect_start(&expected, 2);
	expect_gap(&expected, STREAMS_TAG ":2", 3, "expired", 2);
	expect_some(&expected, 3, 102, 1000);
	expect_some(&expected, 104, 104, 1000);
	client_check(&client, &expected);
	client_close(&client);
	streams_close(&f);
}

/* It wants two topics; one has lost an event that is newer than the one that was cut. */
static void the_rest_of_a_cut_event_comes_before_a_gap(void **state)
{
	static const char *const patterns[] = {"a", "b"};
	static char data[LARGE];
	struct streams f;
	struct client client;
	struct buf expected;

	(void)state;
	streams_open(&f, 1 << 16);
	client_open_many(&client, &f, patterns, 2, false, now);
	fill(data, LARGE, 'A');
	streams_publish(&f, "a", data, LARGE);
	streams_settle(&f);
	assert_true(client.subscriber->skip > 0);
	streams_publish_text(&f, "b", "will be gone");
	streams_publish_some(&f, "a", 300, 500);
	streams_remove(&f, 2);
	client_drain(&client);
	assert_int_equal(client.subscriber->state, LIVE);
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_event(&expected, 1, data, LARGE);
	expect_gap(&expected, STREAMS_TAG ":1", 3, "expired", 2);
	expect_some(&expected, 3, 302, 500);
	client_check(&client, &expected);
	assert_int_equal(streams_delivered(&f), 301);
	client_close(&client);
	streams_close(&f);
}

static void a_log_that_cannot_be_read_ends_the_stream(void **state)
{
	static char data[LARGE];
	struct streams f;
	struct client client;

	(void)state;
	streams_open(&f, 1 << 16);
	open_stopped(&client, &f, data);
	streams_publish_some(&f, "a", 500, 500);
	f.broken = true;
	assert_true(client_is_closed(&client));
	client_close(&client);
	streams_close(&f);
}

/* --- ephemeral events --- */

static void an_ephemeral_event_that_was_cut_is_finished_from_memory(void **state)
{
	static char data[LARGE];
	struct streams f;
	struct client client;
	struct buf expected;

	(void)state;
	streams_open(&f, 1 << 16);
	client_open(&client, &f, "a", now);
	fill(data, LARGE, 'E');
	streams_publish_ephemeral(&f, "a", data, LARGE);
	streams_settle(&f);
	assert_int_equal(client.subscriber->state, WAITING);
	assert_non_null(client.subscriber->pending);
	assert_int_equal(client.subscriber->skip, 0);
	/* The window loses it, and those that come now are old when the stream comes to them. */
	streams_publish_ephemeral(&f, "a", "old", 3);
	streams_publish_some(&f, "a", 500, 500);
	client_drain(&client);
	assert_int_equal(client.subscriber->state, LIVE);
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_ephemeral(&expected, data, LARGE);
	expect_some(&expected, 1, 500, 500);
	client_check(&client, &expected);
	assert_int_equal(streams_delivered(&f), 501);
	client_close(&client);
	streams_close(&f);
}

static void an_ephemeral_event_that_was_cut_comes_once(void **state)
{
	static char data[LARGE];
	struct streams f;
	struct client client;
	struct buf expected;

	(void)state;
	streams_open(&f, 1 << 20);
	client_open(&client, &f, "a", now);
	fill(data, LARGE, 'E');
	streams_publish_some(&f, "a", 1, 50);
	streams_publish_ephemeral(&f, "a", data, LARGE);
	streams_publish_ephemeral(&f, "a", "new", 3);
	streams_settle(&f);
	assert_non_null(client.subscriber->pending);
	/* It is still in the window, and was never served from the log. */
	client_drain(&client);
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_some(&expected, 1, 1, 50);
	expect_ephemeral(&expected, data, LARGE);
	expect_ephemeral(&expected, "new", 3);
	client_check(&client, &expected);
	assert_int_equal(streams_delivered(&f), 3);
	client_close(&client);
	streams_close(&f);
}

static void one_that_resumes_gets_ephemeral_events_when_it_is_live(void **state)
{
	struct streams f;
	struct client client;
	struct buf expected;

	(void)state;
	streams_open(&f, 1 << 16);
	streams_publish_some(&f, "a", 3, 50);
	streams_publish_ephemeral(&f, "a", "old", 3);
	streams_publish_some(&f, "a", 1, 50);
	streams_settle(&f);
	client_open(&client, &f, "a", (struct start){.kind = START_AFTER, .after = 2});
	assert_true(client.subscriber->resumed);
	client_drain(&client);
	streams_publish_ephemeral(&f, "a", "new", 3);
	client_drain(&client);
	expect_new(&expected);
	expect_start(&expected, 2);
	expect_some(&expected, 3, 4, 50);
	expect_ephemeral(&expected, "new", 3);
	client_check(&client, &expected);
	client_close(&client);
	streams_close(&f);
}

/* --- where a stream starts --- */

static void a_new_stream_starts_where_it_says(void **state)
{
	struct streams f;
	struct client client, since, unknown;
	struct buf expected;

	(void)state;
	streams_open(&f, 1 << 16);
	streams_publish_some(&f, "a", 10, 50);
	streams_settle(&f);
	client_open(&client, &f, "a", now);
	client_open(&since, &f, "a", (struct start){.kind = START_SINCE, .since = 8000});
	assert_int_equal(since.subscriber->state, READING);
	client_open(&unknown, &f, "a",
		(struct start){.kind = START_UNKNOWN, .unknown = strdup("other:7")});
	assert_int_equal(unknown.subscriber->state, READING);
	client_drain(&client);
	client_drain(&since);
	client_drain(&unknown);
	expect_new(&expected);
	expect_start(&expected, 10);
	client_check(&client, &expected);
	expect_start(&expected, 7);
	expect_some(&expected, 8, 10, 50);
	client_check(&since, &expected);
	assert_true(buf_add_text(&expected, STREAMS_HEAD));
	expect_gap(&expected, "other:7", 1, "unknown-log", 0);
	expect_some(&expected, 1, 10, 50);
	client_check(&unknown, &expected);
	client_close(&client);
	client_close(&since);
	client_close(&unknown);
	streams_close(&f);
}

static void a_stream_of_envelopes_gets_them_from_the_log_and_the_window(void **state)
{
	static const char *const patterns[] = {"a"};
	static const char form[] =
		"event: update\ndata: {\"topic\":\"a\",\"id\":\"" STREAMS_TAG ":%d\","
		"\"time\":\"1970-01-01T00:00:0%d.000Z\",\"event\":\"update\",\"data\":\"%s\"}\n"
		"id: " STREAMS_TAG ":%d\n\n";
	struct streams f;
	struct client client;
	struct buf expected;

	(void)state;
	streams_open(&f, 1 << 16);
	/* No stream wanted its envelope then: it is in the log only. */
	streams_publish_text(&f, "a", "one");
	client_open_many(&client, &f, patterns, 1, true, (struct start){.kind = START_AFTER});
	client_drain(&client);
	assert_int_equal(f.reads, 1);
	streams_publish_text(&f, "a", "two");
	client_drain(&client);
	assert_int_equal(f.reads, 1);
	expect_new(&expected);
	expect_start(&expected, 0);
	assert_true(buf_addf(&expected, form, 1, 1, "one", 1));
	assert_true(buf_addf(&expected, form, 2, 2, "two", 2));
	client_check(&client, &expected);
	client_close(&client);
	streams_close(&f);
}

/* The names in "a". */
static size_t present(struct presence *presence)
{
	struct buf names;
	size_t count;

	buf_init(&names, 1000);
	assert_int_equal(presence_names(presence, "a", &names, &count), 0);
	buf_free(&names);
	return count;
}

static void a_named_stream_is_present_from_its_head_to_its_end(void **state)
{
	static const char *const topics[] = {"a"};
	struct presence *presence = presence_new(10, 0);
	struct opening *opening = calloc(1, sizeof(*opening));
	struct streams f;
	int pair[2];
	bool full;

	(void)state;
	streams_open(&f, 1 << 16);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_non_null(opening);
	opening->fanout = channel_place(&f.shared);
	opening->fd = pair[0];
	opening->selection = selection_new(topics, 1, &f.types, false);
	assert_int_equal(limits_admit(f.limits, NULL, &opening->address), LIMITS_OK);
	opening->lease = presence_reserve(presence, topics, 1, "Ada", &full);
	assert_non_null(opening->lease);
	assert_int_equal(present(presence), 0);
	opening_start(opening);
	assert_int_equal(present(presence), 1);
	close(pair[1]);
	streams_settle(&f);
	assert_int_equal(f.fanout.streams, 0);
	assert_int_equal(present(presence), 0);
	streams_close(&f);
	presence_free(presence);
}

static void a_stream_that_comes_after_the_end_is_refused(void **state)
{
	struct streams f;
	struct client client;
	char byte;

	(void)state;
	streams_open(&f, 1 << 16);
	fanout_close(&f.fanout);
	client_open(&client, &f, "a", now);
	assert_null(client.subscriber);
	assert_int_equal(recv(client.fd, &byte, 1, 0), 0);
	assert_int_equal(f.fanout.placed, 0);
	client_close(&client);
	streams_close(&f);
}

/* --- a reader that goes --- */

static void a_reader_that_goes_ends_its_stream_in_any_state(void **state)
{
	static char data[LARGE];
	struct streams f;
	struct client client;

	(void)state;
	streams_open(&f, 1 << 16);
	/* LIVE: told by epoll. */
	client_open(&client, &f, "a", now);
	client_close(&client);
	streams_settle(&f);
	assert_int_equal(f.fanout.streams, 0);
	/* LIVE: told by the send. */
	client_open(&client, &f, "a", now);
	streams_publish_text(&f, "a", "x");
	client_close(&client);
	fanout_work(&f.fanout);
	assert_int_equal(f.fanout.streams, 0);
	streams_settle(&f);
	/* WAITING */
	open_stopped(&client, &f, data);
	client_close(&client);
	streams_settle(&f);
	assert_int_equal(f.fanout.streams, 0);
	/* READY: it is in the list of those to serve. */
	client_open(&client, &f, "a", (struct start){.kind = START_AFTER, .after = f.count});
	assert_int_equal(client.subscriber->state, READY);
	client_close(&client);
	streams_settle(&f);
	assert_int_equal(f.fanout.streams, 0);
	assert_null(f.fanout.ready);
	/* READY: told by the send from the window. */
	client_open(&client, &f, "a", (struct start){.kind = START_AFTER, .after = f.count - 1});
	client_close(&client);
	fanout_work(&f.fanout);
	assert_int_equal(f.fanout.streams, 0);
	fanout_bury(&f.fanout);
	/* READING: the chunk comes back to a stream that is closed. */
	client_open(&client, &f, "a", (struct start){.kind = START_SINCE});
	assert_int_equal(client.subscriber->state, READING);
	client_close(&client);
	client.subscriber->source.ready(&client.subscriber->source, EPOLLHUP);
	assert_int_equal(f.fanout.streams, 0);
	assert_int_equal(streams_behind(&f), 0);
	streams_close(&f);
}

/* The chunk is sent to a reader that has gone meanwhile. */
static void a_reader_that_goes_while_the_log_is_read_ends_its_stream(void **state)
{
	struct streams f;
	struct client client;

	(void)state;
	streams_open(&f, 1 << 16);
	streams_publish_some(&f, "a", 10, 50);
	streams_settle(&f);
	client_open(&client, &f, "a", (struct start){.kind = START_SINCE});
	client_close(&client);
	while (client.subscriber->state == READING) {
		mailbox_handle(&f.mailbox);
		sched_yield();
	}
	assert_int_equal(client.subscriber->state, CLOSED);
	assert_int_equal(streams_delivered(&f), 0);
	assert_int_equal(f.fanout.streams, 0);
	streams_close(&f);
}

/* --- silence --- */

static void one_that_takes_nothing_is_closed_when_the_stall_timeout_is_over(void **state)
{
	static char data[LARGE];
	struct streams f;
	struct client client;
	uint32_t step, at;

	(void)state;
	streams_open(&f, 1 << 20);
	step = STREAMS_HEARTBEAT / WHEEL_SLOTS + 1;
	f.fanout.now = 3000;
	open_stopped(&client, &f, data);
	for (at = 3000; at < 3000 + STREAMS_STALL; at += 100) {
		streams_at(&f, at);
		assert_int_equal(f.fanout.streams, 1);
	}
	for (; f.fanout.streams > 0; at += 100)
		streams_at(&f, at);
	/* It is looked at once in a heartbeat. */
	assert_true(at <= 3000 + STREAMS_STALL + STREAMS_HEARTBEAT + step);
	assert_true(client_is_closed(&client));
	client_close(&client);
	streams_close(&f);
}

static void one_that_reads_slowly_is_not_closed(void **state)
{
	static char data[LARGE];
	struct streams f;
	struct client client;
	struct buf expected;
	uint64_t position;

	(void)state;
	streams_open(&f, 1 << 20);
	position = open_stopped(&client, &f, data);
	for (uint32_t at = 0; at < 5 * STREAMS_STALL; at += 1000) {
		if (at % 10000 == 0)
			assert_true(client_read(&client, 3000) > 0);
		streams_at(&f, at);
		assert_int_equal(f.fanout.streams, 1);
	}
	client_drain(&client);
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_event(&expected, position, data, LARGE);
	client_check(&client, &expected);
	client_close(&client);
	streams_close(&f);
}

static void a_silent_stream_gets_a_comment_and_a_busy_one_none(void **state)
{
	struct streams f;
	struct client silent, busy;
	struct buf expected;

	(void)state;
	streams_open(&f, 1 << 20);
	client_open(&busy, &f, "busy", now);
	streams_at(&f, 300);
	client_open(&silent, &f, "silent", now);
	for (uint32_t at = 300; at <= 2 * STREAMS_HEARTBEAT + 1000; at += 20) {
		/* As the wheel's steps are whole ms, some ms more than the heartbeat. */
		assert_true(at - silent.subscriber->sent <= STREAMS_HEARTBEAT + WHEEL_SLOTS + 20);
		streams_publish_some(&f, "busy", at % 500 == 0, 50);
		streams_at(&f, at);
		client_drain(&busy);
	}
	client_drain(&silent);
	client_drain(&busy);
	expect_new(&expected);
	expect_start(&expected, 0);
	assert_true(buf_add_text(&expected, ":\n\n:\n\n"));
	client_check(&silent, &expected);
	expect_start(&expected, 0);
	expect_some(&expected, 1, f.count, 50);
	client_check(&busy, &expected);
	client_close(&silent);
	client_close(&busy);
	streams_close(&f);
}

int main(void)
{
	/* Where a socket stops, a session takes the rest of a record. */
	const struct CMUnitTest plain[] = {
		cmocka_unit_test(a_send_of_many_pieces_goes_on_where_it_stopped),
		cmocka_unit_test(one_that_the_window_overtook_reads_the_log_and_comes_back),
		cmocka_unit_test(one_that_comes_back_from_the_log_skips_ephemeral_events),
		cmocka_unit_test(a_gap_that_a_full_socket_cut_is_kept),
		cmocka_unit_test(a_stream_that_comes_after_the_end_is_refused),
		cmocka_unit_test(one_that_reads_slowly_is_not_closed),
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_socket_waits_and_goes_on_where_it_stopped),
		cmocka_unit_test(wherever_a_frame_is_cut_its_rest_follows),
		cmocka_unit_test(an_event_counts_as_delivered_when_its_last_byte_is_sent),
		cmocka_unit_test(since_a_time_a_slow_reader_gets_all),
		cmocka_unit_test(events_that_come_while_it_reads_follow_once),
		cmocka_unit_test(one_that_is_ahead_of_the_loop_gets_each_event_once),
		cmocka_unit_test(one_that_is_cut_ahead_of_the_loop_gets_the_rest_of_the_event),
		cmocka_unit_test(a_gap_is_told_where_the_log_has_lost_events),
		cmocka_unit_test(a_gap_is_told_for_each_topic_that_lost_events),
		cmocka_unit_test(a_cut_event_that_is_gone_ends_the_stream),
		cmocka_unit_test(a_cut_event_that_is_gone_from_the_log_comes_from_the_window),
		cmocka_unit_test(a_cut_event_that_was_deleted_ends_the_stream),
		cmocka_unit_test(a_cut_event_before_one_that_was_deleted_is_finished),
		cmocka_unit_test(what_goes_before_the_told_gap_is_told_too),
		cmocka_unit_test(a_cut_event_after_many_others_is_finished),
		cmocka_unit_test(a_gap_is_told_once_to_a_slow_reader),
		cmocka_unit_test(the_rest_of_a_cut_event_comes_before_a_gap),
		cmocka_unit_test(a_log_that_cannot_be_read_ends_the_stream),
		cmocka_unit_test(an_ephemeral_event_that_was_cut_is_finished_from_memory),
		cmocka_unit_test(an_ephemeral_event_that_was_cut_comes_once),
		cmocka_unit_test(one_that_resumes_gets_ephemeral_events_when_it_is_live),
		cmocka_unit_test(a_new_stream_starts_where_it_says),
		cmocka_unit_test(a_stream_of_envelopes_gets_them_from_the_log_and_the_window),
		cmocka_unit_test(a_named_stream_is_present_from_its_head_to_its_end),
		cmocka_unit_test(a_reader_that_goes_ends_its_stream_in_any_state),
		cmocka_unit_test(a_reader_that_goes_while_the_log_is_read_ends_its_stream),
		cmocka_unit_test(one_that_takes_nothing_is_closed_when_the_stall_timeout_is_over),
		cmocka_unit_test(a_silent_stream_gets_a_comment_and_a_busy_one_none),
	};

	return cmocka_run_group_tests_name("serve_subscriber plain", plain, NULL, NULL) +
	       cmocka_run_group_tests_name("serve_subscriber", tests, NULL, NULL) +
	       cmocka_run_group_tests_name(
		       "serve_subscriber TLS", tests, streams_secure, streams_plain);
}
