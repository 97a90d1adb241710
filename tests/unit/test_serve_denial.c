/* SPDX-License-Identifier: MIT */
/*
 * Tests of stream/denial.c: a stream whose principal is over is told so between two events, or not at
 * all, and closed; the others go on.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "access/principal.h"
#include "clock.h"
#include "parts/streams.h"
#include "stream/denial.h"

static const struct start now = {.kind = START_NOW};

#define HOUR (3600 * INT64_C(1000))

/* Much more than the socket of a client takes. */
#define LARGE 50000

/* More than a turn of the loop serves. */
#define MANY 1000

struct fixture {
	struct streams streams;
	_Atomic uint64_t changes;
	struct principal *ann, *bob;
};

static struct principal *new_principal(int64_t expires)
{
	struct grants none = {0};
	struct principal *principal = principal_new(NULL, NULL, &none, expires, NULL);

	assert_non_null(principal);
	return principal;
}

static void set_up(struct fixture *f)
{
	streams_open(&f->streams, 1 << 20);
	f->changes = 0;
	f->streams.shared.access_changes = &f->changes;
	f->ann = new_principal(PRINCIPAL_FOREVER);
	f->bob = new_principal(PRINCIPAL_FOREVER);
}

static void tear_down(struct fixture *f)
{
	streams_close(&f->streams);
	/* No stream holds them any more. */
	assert_int_equal(f->ann->references, 1);
	assert_int_equal(f->bob->references, 1);
	principal_drop(f->ann);
	principal_drop(f->bob);
}

static void open_as(struct fixture *f, struct client *client, struct principal *principal,
	const char *topic, struct start start)
{
	f->streams.principal = principal;
	client_open(client, &f->streams, topic, start);
}

static void end(struct fixture *f, struct principal *principal)
{
	principal_end(principal, "it was enough");
	f->changes++;
}

static void expect_denied(struct buf *expected, const char *reason)
{
	assert_true(buf_addf(expected, "event: denied\ndata: {\"reason\":\"%s\"}\n\n", reason));
}

/* Close the reader of a stream that has got one event, and perhaps the end. */
static void check_and_close(struct client *client, bool denied)
{
	struct buf expected;

	assert_true(client_is_closed(client) == denied);
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_event(&expected, 1, "x", 1);
	if (denied)
		expect_denied(&expected, "it was enough");
	else
		expect_event(&expected, 2, "y", 1);
	client_check(client, &expected);
	client_close(client);
}

/* Close the reader of a stream that has got its end, and no event. */
static void check_only_denied(struct client *client)
{
	struct buf expected;

	assert_true(client_is_closed(client));
	expect_new(&expected);
	expect_start(&expected, 0);
	expect_denied(&expected, "it was enough");
	client_check(client, &expected);
	client_close(client);
}

/* --- who --- */

/* In each order that two principals can have in a channel of three. */
static void only_whose_principal_ended_is_told_and_closed(void **state)
{
	(void)state;
	for (unsigned whose = 0; whose < 8; whose++) {
		struct client clients[3], other;
		struct fixture f;

		set_up(&f);
		for (unsigned i = 0; i < 3; i++)
			open_as(&f, &clients[i], whose >> i & 1 ? f.ann : f.bob, "a", now);
		open_as(&f, &other, f.ann, "b", now);
		streams_publish_text(&f.streams, "a", "x");
		streams_settle(&f.streams);
		end(&f, f.ann);
		denial_look(&f.streams.fanout);
		streams_publish_text(&f.streams, "a", "y");
		for (unsigned i = 0; i < 3; i++)
			check_and_close(&clients[i], whose >> i & 1);
		assert_true(client_is_closed(&other));
		client_close(&other);
		tear_down(&f);
	}
}

static void streams_of_nobody_stay(void **state)
{
	struct client client, of_ann;
	struct fixture f;

	(void)state;
	set_up(&f);
	open_as(&f, &client, NULL, "a", now);
	open_as(&f, &of_ann, f.ann, "a", now);
	streams_publish_text(&f.streams, "a", "x");
	streams_settle(&f.streams);
	end(&f, f.ann);
	denial_look(&f.streams.fanout);
	streams_publish_text(&f.streams, "a", "y");
	check_and_close(&client, false);
	check_and_close(&of_ann, true);
	tear_down(&f);
}

/* It came to its end after the request was accepted, and before the stream was on its loop. */
static void a_stream_that_opens_after_its_end_is_closed_at_once(void **state)
{
	struct client client;
	struct fixture f;

	(void)state;
	set_up(&f);
	end(&f, f.ann);
	assert_int_equal(denial_look(&f.streams.fanout), -1);
	f.streams.fanout.access_changes = f.changes;
	open_as(&f, &client, f.ann, "a", now);
	denial_look(&f.streams.fanout);
	check_only_denied(&client);
	tear_down(&f);
}

/* --- when --- */

static void a_look_is_due_when_the_next_one_expires(void **state)
{
	static const char expired[] =
		"event: denied\ndata: {\"reason\":\"the token, or the session, has expired\"}\n\n";
	int64_t begin = clock_wall_ms();
	struct principal *first = new_principal(begin + HOUR),
			 *second = new_principal(begin + 2 * HOUR);
	struct client clients[4];
	struct fixture f;
	struct fanout *fanout = &f.streams.fanout;

	(void)state;
	set_up(&f);
	open_as(&f, &clients[0], f.ann, "a", now);
	assert_true(fanout->denial_due == PRINCIPAL_FOREVER);
	open_as(&f, &clients[1], second, "b", now);
	assert_true(fanout->denial_due == begin + 2 * HOUR);
	open_as(&f, &clients[2], first, "a", now);
	open_as(&f, &clients[3], second, "a", now);
	assert_true(fanout->denial_due == begin + HOUR);
	/* However far it is, somebody may end sooner. */
	assert_int_equal(denial_look(fanout), DENIAL_LOOK_MS);
	assert_true(fanout->denial_due == begin + HOUR);
	/* The hour is over. */
	first->expires = fanout->denial_due = 1;
	assert_int_equal(denial_look(fanout), DENIAL_LOOK_MS);
	assert_true(client_is_closed(&clients[2]));
	assert_non_null(memmem(clients[2].got.data, clients[2].got.len, expired, strlen(expired)));
	assert_true(fanout->denial_due == begin + 2 * HOUR);
	end(&f, second);
	denial_look(fanout);
	assert_true(fanout->denial_due == PRINCIPAL_FOREVER);
	assert_int_equal(fanout->streams, 1);
	for (unsigned i = 0; i < 4; i++)
		client_close(&clients[i]);
	tear_down(&f);
	principal_drop(first);
	principal_drop(second);
}

static void a_look_comes_no_later_than_the_next_expires(void **state)
{
	struct principal *soon = new_principal(clock_wall_ms() + DENIAL_LOOK_MS - 100);
	struct client client;
	struct fixture f;
	int due;

	(void)state;
	set_up(&f);
	open_as(&f, &client, soon, "a", now);
	due = denial_look(&f.streams.fanout);
	/* Unless this machine took so long that it was over by then. */
	if (principal_over(soon, clock_wall_ms()) == NULL)
		assert_in_range(due, 1, DENIAL_LOOK_MS - 100);
	client_close(&client);
	tear_down(&f);
	principal_drop(soon);
}

static void nothing_is_looked_at_where_nobody_proves_anything(void **state)
{
	struct client client;
	struct fixture f;

	(void)state;
	set_up(&f);
	assert_int_equal(denial_look(&f.streams.fanout), -1);
	open_as(&f, &client, NULL, "a", now);
	assert_int_equal(denial_look(&f.streams.fanout), DENIAL_LOOK_MS);
	f.streams.shared.access_changes = NULL;
	assert_int_equal(denial_look(&f.streams.fanout), -1);
	client_close(&client);
	tear_down(&f);
}

/* --- between events, or not at all --- */

/* All that comes after the start are the first bytes of one frame. */
static void check_torn(struct client *client, const char *data, bool stored)
{
	struct buf expected;

	assert_true(client_is_closed(client));
	expect_new(&expected);
	expect_start(&expected, 0);
	if (stored)
		expect_event(&expected, 1, data, LARGE);
	else
		expect_ephemeral(&expected, data, LARGE);
	assert_true(client->got.len < expected.len);
	assert_memory_equal(client->got.data, expected.data, client->got.len);
	buf_free(&expected);
	client_close(client);
}

static void in_the_middle_of_an_event_nothing_is_said(void **state)
{
	static char data[LARGE];

	(void)state;
	memset(data, 'x', sizeof(data));
	for (int stored = 0; stored < 2; stored++) {
		struct client client;
		struct fixture f;

		set_up(&f);
		open_as(&f, &client, f.ann, "a", now);
		if (stored)
			streams_publish(&f.streams, "a", data, LARGE);
		else
			streams_publish_ephemeral(&f.streams, "a", data, LARGE);
		streams_settle(&f.streams);
		assert_int_equal(client.subscriber->state, WAITING);
		/* Now there would be room. */
		assert_true(client_read(&client, SIZE_MAX) > 0);
		end(&f, f.ann);
		denial_look(&f.streams.fanout);
		check_torn(&client, data, stored);
		tear_down(&f);
	}
}

static void a_full_socket_is_closed_without_a_word(void **state)
{
	static const char line[] = ":\n";
	struct client client;
	struct fixture f;
	size_t filled = 0;

	(void)state;
	set_up(&f);
	open_as(&f, &client, f.ann, "a", now);
	while (send(client.subscriber->fd, line, 2, MSG_DONTWAIT) == 2)
		filled += 2;
	assert_int_equal(errno, EAGAIN);
	end(&f, f.ann);
	denial_look(&f.streams.fanout);
	assert_true(client_is_closed(&client));
	assert_true(client.got.len > filled);
	assert_memory_equal(client.got.data + client.got.len - 2, line, 2);
	client_close(&client);
	tear_down(&f);
}

/* The replay thread has it, so it is freed when that is done. */
static void a_stream_that_is_being_read_from_the_log_is_closed(void **state)
{
	static const struct start first = {.kind = START_AFTER};
	struct client client;
	struct fixture f;

	(void)state;
	set_up(&f);
	streams_publish_some(&f.streams, "a", 3, 100);
	streams_remove(&f.streams, 1);
	streams_settle(&f.streams);
	open_as(&f, &client, f.ann, "a", first);
	fanout_work(&f.streams.fanout);
	assert_int_equal(client.subscriber->state, READING);
	end(&f, f.ann);
	denial_look(&f.streams.fanout);
	assert_int_equal(f.streams.fanout.streams, 0);
	streams_stop(&f.streams);
	check_only_denied(&client);
	tear_down(&f);
}

/* A turn has served some of the streams: each has got the whole event, or nothing of it. */
static void in_the_middle_of_a_pass_all_are_closed(void **state)
{
	struct client *clients = calloc(MANY, sizeof(*clients));
	unsigned served = 0;
	struct fixture f;

	(void)state;
	assert_non_null(clients);
	set_up(&f);
	for (unsigned i = 0; i < MANY; i++)
		open_as(&f, &clients[i], f.ann, "a", now);
	streams_publish_text(&f.streams, "a", "x");
	assert_true(streams_turn(&f.streams));
	end(&f, f.ann);
	denial_look(&f.streams.fanout);
	assert_int_equal(f.streams.fanout.streams, 0);
	for (unsigned i = 0; i < MANY; i++) {
		struct buf expected;

		assert_true(client_is_closed(&clients[i]));
		expect_new(&expected);
		expect_start(&expected, 0);
		if (memmem(clients[i].got.data, clients[i].got.len, "update", 6) != NULL) {
			expect_event(&expected, 1, "x", 1);
			served++;
		}
		expect_denied(&expected, "it was enough");
		client_check(&clients[i], &expected);
		client_close(&clients[i]);
	}
	assert_in_range(served, 1, MANY - 1);
	tear_down(&f);
	free(clients);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_whose_principal_ended_is_told_and_closed),
		cmocka_unit_test(streams_of_nobody_stay),
		cmocka_unit_test(a_stream_that_opens_after_its_end_is_closed_at_once),
		cmocka_unit_test(a_look_is_due_when_the_next_one_expires),
		cmocka_unit_test(a_look_comes_no_later_than_the_next_expires),
		cmocka_unit_test(nothing_is_looked_at_where_nobody_proves_anything),
		cmocka_unit_test(in_the_middle_of_an_event_nothing_is_said),
		cmocka_unit_test(a_full_socket_is_closed_without_a_word),
		cmocka_unit_test(a_stream_that_is_being_read_from_the_log_is_closed),
		cmocka_unit_test(in_the_middle_of_a_pass_all_are_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
