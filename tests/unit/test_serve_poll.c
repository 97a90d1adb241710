/* SPDX-License-Identifier: MIT */
/* Tests of polls: cmd/sse-serve/stream/poll.c, and how catch_up.c and fanout.c serve them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "parts/streams.h"
#include "stream/poll_reply.h"
#include "stream/subscriber.h"

#define WAIT 5000

static const struct start now = {.kind = START_NOW};

static struct start after(uint64_t position)
{
	return (struct start){.kind = START_AFTER, .after = position};
}

static void open_polls(struct streams *f, size_t window, enum form form)
{
	streams_open(f, window);
	f->polls = true;
	f->wait = WAIT;
	f->form = form;
}

/* What a list should answer. */
static void expect_reply(
	struct buf *expected, enum poll_answer answer, uint64_t position, size_t len)
{
	assert_true(
		buf_addf(expected, STREAMS_REPLY, (int)answer, (unsigned long long)position, len));
}

static void check_list(struct client *client, uint64_t position, const char *list)
{
	struct buf expected;

	assert_true(client_is_closed(client));
	expect_new(&expected);
	expect_reply(&expected, POLL_EVENTS, position, strlen(list));
	assert_true(buf_add_text(&expected, list));
	client_check(client, &expected);
	client_close(client);
}

static void check_nothing(struct client *client, enum poll_answer answer, uint64_t position)
{
	struct buf expected;

	assert_true(client_is_closed(client));
	expect_new(&expected);
	expect_reply(&expected, answer, position, 0);
	client_check(client, &expected);
	client_close(client);
}

static void a_stream_that_waits_gets_what_comes_and_ends(void **state)
{
	struct streams f;
	struct client client, stream;
	struct buf expected;

	(void)state;
	open_polls(&f, 1 << 16, FORM_PLAIN);
	client_open(&client, &f, "a", now);
	f.polls = false;
	client_open(&stream, &f, "a", now);
	streams_publish_text(&f, "b", "other");
	streams_publish_ephemeral(&f, "a", "gone", 4);
	streams_settle(&f);
	assert_int_equal(client.subscriber->state, LIVE);
	streams_publish_text(&f, "a", "one");
	streams_publish_text(&f, "a", "two");
	assert_true(client_is_closed(&client));
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_event(&expected, 2, "one", 3);
	expect_event(&expected, 3, "two", 3);
	expect_mark(&expected, 3);
	client_check(&client, &expected);
	assert_int_equal(f.fanout.deadlines.count, 0);
	/* Whom it shares the topic with goes on. */
	assert_int_equal(stream.subscriber->state, LIVE);
	client_close(&client);
	client_close(&stream);
	streams_close(&f);
}

static void a_stream_that_has_waited_in_vain_ends(void **state)
{
	struct streams f;
	struct client client;
	struct buf expected;

	(void)state;
	open_polls(&f, 1 << 16, FORM_PLAIN);
	streams_publish_text(&f, "a", "old");
	streams_settle(&f);
	client_open(&client, &f, "a", now);
	streams_publish_text(&f, "b", "other");
	streams_at(&f, WAIT - 1);
	assert_int_equal(client.subscriber->state, LIVE);
	streams_at(&f, WAIT);
	assert_true(client_is_closed(&client));
	expect_new(&expected);
	expect_start(&expected, 1);
	expect_mark(&expected, 2);
	client_check(&client, &expected);
	client_close(&client);
	streams_close(&f);
}

static void a_list_is_answered_at_once_or_when_something_comes(void **state)
{
	static const struct {
		enum form form;
		const char *old, *more;
	} rows[] = {
		{FORM_LIST, "[\"one\",\n\"two\"]\n", "[\"three\"]\n"},
		{FORM_LIST_LINE, "\"one\"\n\"two\"\n", "\"three\"\n"},
	};
	struct streams f;
	struct client client;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		open_polls(&f, 1 << 16, rows[i].form);
		streams_publish_text(&f, "a", "one");
		streams_publish_text(&f, "a", "two");
		/* The loop has not seen them yet, or it has. */
		for (int j = 0; j < 2; j++) {
			client_open(&client, &f, "a", after(0));
			check_list(&client, 2, rows[i].old);
		}
		client_open(&client, &f, "a", after(2));
		streams_settle(&f);
		assert_int_equal(client.subscriber->state, LIVE);
		assert_int_equal(client_read(&client, SIZE_MAX), 0);
		streams_publish_text(&f, "b", "other");
		streams_publish_text(&f, "a", "three");
		check_list(&client, 4, rows[i].more);
		streams_close(&f);
	}
}

static void one_that_is_ahead_of_the_loop_gets_only_what_is_newer(void **state)
{
	struct streams f;
	struct client client;

	(void)state;
	open_polls(&f, 1 << 16, FORM_LIST);
	streams_publish_text(&f, "a", "one");
	client_open(&client, &f, "a", after(1));
	streams_settle(&f);
	assert_int_equal(client_read(&client, SIZE_MAX), 0);
	streams_publish_text(&f, "a", "two");
	check_list(&client, 2, "[\"two\"]\n");
	streams_close(&f);
}

static void a_list_without_events_says_where_to_go_on(void **state)
{
	struct streams f;
	struct client client;

	(void)state;
	open_polls(&f, 1 << 16, FORM_LIST);
	client_open(&client, &f, "a", after(0));
	streams_publish_text(&f, "b", "other");
	streams_publish_ephemeral(&f, "a", "gone", 4);
	streams_settle(&f);
	/* Silent for longer than a heartbeat takes: nothing may come before the head. */
	f.wait = 3 * STREAMS_HEARTBEAT;
	streams_at(&f, WAIT);
	check_nothing(&client, POLL_NOTHING, 1);
	client_open(&client, &f, "a", after(1));
	streams_at(&f, WAIT + 2 * STREAMS_HEARTBEAT);
	assert_int_equal(client_read(&client, SIZE_MAX), 0);
	streams_at(&f, WAIT + 3 * STREAMS_HEARTBEAT);
	check_nothing(&client, POLL_NOTHING, 1);
	assert_int_equal(f.fanout.streams, 0);
	streams_close(&f);
}

static void a_list_that_is_read_slowly_is_as_long_as_its_head_says(void **state)
{
	struct streams f;
	struct client client;
	const char *body;
	size_t len, events = 1;

	(void)state;
	open_polls(&f, 1 << 13, FORM_LIST);
	streams_publish_some(&f, "a", 100, 3000);
	streams_settle(&f);
	client_open(&client, &f, "a", after(0));
	for (size_t i = 1; !client_is_closed(&client); i++) {
		streams_settle(&f);
		client_read(&client, i % 700 + 1);
	}
	assert_true(buf_add_byte(&client.got, '\0'));
	body = strchr(client.got.data, '\n') + 1;
	assert_int_equal(sscanf(client.got.data, "0 " STREAMS_TAG ":100 %zu\n", &len), 1);
	assert_int_equal(strlen(body), len);
	assert_int_equal(body[0], '[');
	assert_string_equal(body + len - 2, "]\n");
	for (const char *p = body; (p = strstr(p, ",\n")) != NULL; p++)
		events++;
	assert_int_equal(events, 100);
	client_close(&client);
	streams_close(&f);
}

static void a_list_of_which_the_rest_is_gone_is_cut_off(void **state)
{
	struct streams f;
	struct client client;
	size_t len;

	(void)state;
	open_polls(&f, 1 << 13, FORM_LIST);
	streams_publish_some(&f, "a", 100, 3000);
	streams_settle(&f);
	client_open(&client, &f, "a", after(0));
	streams_settle(&f);
	assert_int_equal(client.subscriber->state, WAITING);
	for (uint64_t position = 50; position < 100; position++)
		streams_remove(&f, position);
	assert_true(client_is_closed(&client));
	assert_true(buf_add_byte(&client.got, '\0'));
	assert_int_equal(sscanf(client.got.data, "0 " STREAMS_TAG ":100 %zu\n", &len), 1);
	assert_true(client.got.len < len);
	client_close(&client);
	streams_close(&f);
}

static void events_that_are_gone_are_not_skipped_in_silence(void **state)
{
	struct streams f;
	struct client client;

	(void)state;
	open_polls(&f, 1 << 16, FORM_LIST);
	for (int i = 0; i < 3; i++)
		streams_publish_text(&f, "a", "x");
	streams_settle(&f);
	streams_remove(&f, 2);
	client_open(&client, &f, "a", after(1));
	check_nothing(&client, POLL_GONE, 3);
	client_open(&client, &f, "a", after(2));
	check_list(&client, 3, "[\"x\"]\n");
	streams_close(&f);
}

static void the_log_is_read_once_for_many_polls(void **state)
{
	enum { POLLS = 200 };
	static struct client clients[POLLS];
	struct streams f;
	unsigned reads;

	(void)state;
	open_polls(&f, 1 << 16, FORM_LIST);
	for (size_t i = 0; i < POLLS; i++) {
		client_open(&clients[i], &f, "a", after(0));
		streams_settle(&f);
	}
	reads = f.reads;
	streams_publish_text(&f, "a", "one");
	streams_settle(&f);
	assert_int_equal(f.reads, reads + 1);
	for (size_t i = 0; i < POLLS; i++)
		check_list(&clients[i], 1, "[\"one\"]\n");
	assert_int_equal(f.fanout.streams, 0);
	assert_null(f.fanout.channels);
	streams_close(&f);
}

static void polls_that_wait_when_the_server_stops_are_answered(void **state)
{
	struct streams f;
	struct client list, stream;

	(void)state;
	open_polls(&f, 1 << 16, FORM_LIST);
	client_open(&list, &f, "a", after(0));
	f.form = FORM_PLAIN;
	client_open(&stream, &f, "a", now);
	streams_settle(&f);
	fanout_close(&f.fanout);
	check_nothing(&list, POLL_NOTHING, 0);
	assert_true(client_is_closed(&stream));
	assert_true(buf_add_byte(&stream.got, '\0'));
	assert_non_null(strstr(stream.got.data, "event: uptodate\n"));
	client_close(&stream);
	streams_close(&f);
}

static void a_client_that_goes_leaves_nothing(void **state)
{
	struct streams f;
	struct client client;

	(void)state;
	open_polls(&f, 1 << 16, FORM_LIST);
	client_open(&client, &f, "a", after(0));
	streams_settle(&f);
	assert_int_equal(f.fanout.deadlines.count, 1);
	client_close(&client);
	streams_settle(&f);
	assert_int_equal(f.fanout.deadlines.count, 0);
	assert_int_equal(f.fanout.streams, 0);
	assert_null(f.fanout.channels);
	streams_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stream_that_waits_gets_what_comes_and_ends),
		cmocka_unit_test(a_stream_that_has_waited_in_vain_ends),
		cmocka_unit_test(a_list_is_answered_at_once_or_when_something_comes),
		cmocka_unit_test(one_that_is_ahead_of_the_loop_gets_only_what_is_newer),
		cmocka_unit_test(a_list_without_events_says_where_to_go_on),
		cmocka_unit_test(a_list_that_is_read_slowly_is_as_long_as_its_head_says),
		cmocka_unit_test(a_list_of_which_the_rest_is_gone_is_cut_off),
		cmocka_unit_test(events_that_are_gone_are_not_skipped_in_silence),
		cmocka_unit_test(the_log_is_read_once_for_many_polls),
		cmocka_unit_test(polls_that_wait_when_the_server_stops_are_answered),
		cmocka_unit_test(a_client_that_goes_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
