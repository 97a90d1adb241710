/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/http/connection.c: deadlines, and what is pending, over pairs of sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "http/connection.h"

#define COUNT 3

struct fixture {
	struct connection *list;
	struct connection *all[COUNT];
	int ours[COUNT], clients[COUNT];
};

/* Three connections, each with a minute for its first step. */
static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	for (int i = 0; i < COUNT; i++) {
		int pair[2];

		assert_int_equal(
			socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair),
			0);
		f->ours[i] = pair[0];
		f->clients[i] = pair[1];
		f->all[i] = connection_new(&f->list, pair[0], 60000);
		assert_non_null(f->all[i]);
	}
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	while (f->list != NULL)
		connection_free(f->list);
	for (int i = 0; i < COUNT; i++) {
		close(f->ours[i]);
		close(f->clients[i]);
	}
	free(f);
	return 0;
}

/* Does the client see the end of its connection? */
static bool is_cut(const struct fixture *f, int i)
{
	char byte;

	return recv(f->clients[i], &byte, 1, 0) == 0;
}

static void a_connection_is_cut_off_at_its_deadline(void **state)
{
	struct fixture *f = *state;
	int64_t now = clock_now_ms();

	connection_set_deadline(f->all[1], 1000);
	connection_tick(f->list, now);
	connection_tick(f->list, f->all[1]->deadline - 1);
	for (int i = 0; i < COUNT; i++)
		assert_false(is_cut(f, i));
	connection_tick(f->list, f->all[1]->deadline);
	assert_true(is_cut(f, 1));
	assert_int_equal(f->all[1]->deadline, CONNECTION_NEVER);
	assert_false(is_cut(f, 0) || is_cut(f, 2));
	connection_tick(f->list, now + 61000);
	assert_true(is_cut(f, 0) && is_cut(f, 2));
}

static void a_connection_without_a_deadline_stays(void **state)
{
	struct fixture *f = *state;

	connection_set_deadline(f->all[0], CONNECTION_NEVER);
	connection_tick(f->list, CONNECTION_NEVER - 1);
	assert_false(is_cut(f, 0));
	assert_true(is_cut(f, 1) && is_cut(f, 2));
}

static void a_connection_that_ended_is_looked_at_no_more(void **state)
{
	static const int orders[][COUNT] = {{0, 1, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

	(void)state;
	for (size_t row = 0; row < sizeof(orders) / sizeof(orders[0]); row++) {
		const int *order = orders[row];
		struct fixture *f;
		void *own;

		set_up(&own);
		f = own;
		connection_free(f->all[order[0]]);
		connection_free(f->all[order[1]]);
		assert_ptr_equal(f->list, f->all[order[2]]);
		connection_tick(f->list, clock_now_ms() + 61000);
		assert_true(is_cut(f, order[2]));
		assert_false(is_cut(f, order[0]) || is_cut(f, order[1]));
		connection_free(f->list);
		assert_null(f->list);
		tear_down(&own);
	}
	connection_free(NULL);
}

/* Nothing can be asked of a socket that is closed. */
static void the_address_that_it_came_in_on_is_asked_for_once(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(connection_local(f->all[0])->sa_family, AF_UNIX);
	close(f->ours[0]);
	assert_int_equal(connection_local(f->all[0])->sa_family, AF_UNIX);
	f->ours[0] = dup(f->ours[1]);
}

static void a_request_that_has_not_ended_or_may_be_on_its_way_is_pending(void **state)
{
	struct fixture *f = *state;
	struct request *request = (struct request *)f;
	int64_t later = f->all[COUNT - 1]->began + 1;

	assert_true(connection_pending(f->list, 0));
	assert_true(connection_pending(f->list, f->all[COUNT - 1]->began));
	assert_false(connection_pending(f->list, later));
	for (int i = 0; i < COUNT; i++)
		f->all[i]->used = true;
	assert_false(connection_pending(f->list, 0));
	f->all[1]->request = request;
	assert_true(connection_pending(f->list, later));
	assert_false(connection_pending(NULL, 0));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_connection_is_cut_off_at_its_deadline),
		TEST(a_connection_without_a_deadline_stays),
		TEST(the_address_that_it_came_in_on_is_asked_for_once),
		TEST(a_request_that_has_not_ended_or_may_be_on_its_way_is_pending),
		cmocka_unit_test(a_connection_that_ended_is_looked_at_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
