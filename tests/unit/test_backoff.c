/* SPDX-License-Identifier: MIT */
/* Tests of lib/common/backoff.c: the range of each wait, its spread, reset and a server's floor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backoff.h"

#define DRAWS 4000

/* The range of the wait number ${count} since a reset, over many draws. */
static void find_range(
	int64_t floor_ms, int64_t cap_ms, unsigned count, int64_t *low, int64_t *high)
{
	struct backoff backoff;
	int64_t wait = -1;
	unsigned i, n;

	backoff_init(&backoff, floor_ms, cap_ms);
	backoff_seed(&backoff, 42);
	*low = INT64_MAX;
	*high = -1;
	for (i = 0; i < DRAWS; i++) {
		backoff_reset(&backoff);
		for (n = 0; n < count; n++)
			wait = backoff_next(&backoff);
		*low = wait < *low ? wait : *low;
		*high = wait > *high ? wait : *high;
	}
}

/* Every number of a short range is drawn, and none beside it. */
static void assert_range(
	int64_t floor_ms, int64_t cap_ms, unsigned count, int64_t low, int64_t high)
{
	int64_t found_low, found_high;

	find_range(floor_ms, cap_ms, count, &found_low, &found_high);
	assert_int_equal(found_low, low);
	assert_int_equal(found_high, high);
}

static void each_range_is_twice_the_one_before(void **state)
{
	(void)state;
	assert_range(10, 1000, 1, 10, 20);
	assert_range(10, 1000, 2, 10, 40);
	assert_range(10, 1000, 3, 10, 80);
	assert_range(10, 1000, 4, 10, 160);
}

static void no_range_reaches_beyond_the_cap(void **state)
{
	(void)state;
	assert_range(10, 50, 2, 10, 40);
	assert_range(10, 50, 3, 10, 50);
	assert_range(10, 50, 60, 10, 50);
	assert_range(10, 11, 1, 10, 11);
}

static void a_floor_at_or_above_the_cap_wins(void **state)
{
	(void)state;
	assert_range(50, 50, 1, 50, 50);
	assert_range(70, 50, 1, 70, 70);
	assert_range(70, 50, 9, 70, 70);
	assert_range(7, 0, 3, 7, 7);
	assert_range(0, 0, 3, 0, 0);
}

static void a_floor_of_nothing_grows_too(void **state)
{
	(void)state;
	assert_range(0, 1000, 1, 0, 2);
	assert_range(0, 1000, 5, 0, 32);
	assert_range(0, 50, 9, 0, 50);
}

static void waits_are_spread_over_the_range(void **state)
{
	struct backoff backoff;
	unsigned i, eighths[8] = {0};

	(void)state;
	backoff_init(&backoff, 1000, 8999);
	backoff_seed(&backoff, 7);
	for (i = 0; i < 10; i++)
		(void)backoff_next(&backoff);
	for (i = 0; i < 8 * DRAWS; i++)
		eighths[(backoff_next(&backoff) - 1000) / 1000]++;
	for (i = 0; i < 8; i++)
		assert_in_range(eighths[i], DRAWS * 9 / 10, DRAWS * 11 / 10);
}

static void the_largest_numbers_do_not_overflow(void **state)
{
	const int64_t floors[] = {0, 1, 3, INT64_MAX / 2, INT64_MAX - 1, INT64_MAX};
	struct backoff backoff;
	unsigned i, n;

	(void)state;
	for (i = 0; i < sizeof(floors) / sizeof(floors[0]); i++) {
		backoff_init(&backoff, floors[i], INT64_MAX);
		for (n = 0; n < 1000; n++)
			assert_true(backoff_next(&backoff) >= floors[i]);
	}
}

static void waits_for_hours_stay_in_range(void **state)
{
	struct backoff backoff;
	unsigned i;

	(void)state;
	backoff_init(&backoff, 1000, 3600000);
	for (i = 0; i < DRAWS; i++)
		assert_in_range(backoff_next(&backoff), 1000, 3600000);
}

static void a_seed_repeats_its_waits(void **state)
{
	struct backoff a, b;
	unsigned i, different = 0;

	(void)state;
	backoff_init(&a, 100, 1000000);
	backoff_init(&b, 100, 1000000);
	backoff_seed(&a, 1);
	backoff_seed(&b, 1);
	for (i = 0; i < 20; i++)
		assert_int_equal(backoff_next(&a), backoff_next(&b));
	backoff_seed(&b, 2);
	for (i = 0; i < 20; i++)
		different += backoff_next(&a) != backoff_next(&b);
	assert_true(different > 15);
}

static void two_clients_of_one_instant_differ(void **state)
{
	struct backoff a, b;
	unsigned i, different = 0;

	(void)state;
	backoff_init(&a, 1000, INT64_MAX);
	backoff_init(&b, 1000, INT64_MAX);
	for (i = 0; i < 40; i++)
		different += backoff_next(&a) != backoff_next(&b);
	assert_true(different > 20);
}

static void reset_starts_over(void **state)
{
	struct backoff backoff;
	unsigned i;

	(void)state;
	backoff_init(&backoff, 10, 100000);
	for (i = 0; i < 100; i++) {
		(void)backoff_next(&backoff);
		(void)backoff_next(&backoff);
		(void)backoff_next(&backoff);
		backoff_reset(&backoff);
		assert_in_range(backoff_next(&backoff), 10, 20);
		backoff_reset(&backoff);
	}
}

static void what_a_server_asks_for_keeps_the_count(void **state)
{
	struct backoff backoff;
	unsigned i;
	int64_t wait, high = 0;

	(void)state;
	for (i = 0; i < DRAWS; i++) {
		backoff_init(&backoff, 10, 100000);
		backoff_seed(&backoff, i);
		(void)backoff_next(&backoff);
		backoff_ask_floor(&backoff, 200);
		wait = backoff_next(&backoff);
		assert_in_range(wait, 200, 800);
		high = wait > high ? wait : high;
	}
	assert_true(high > 780);
}

/* Streams that end after each event, and streams that bring none. */
static void no_server_gets_less_than_its_least_floor(void **state)
{
	const int64_t asked[] = {INT64_MIN, -5, 0, 1, BACKOFF_ASKED_MIN - 1, BACKOFF_ASKED_MIN};
	struct backoff backoff;
	unsigned i, n;

	(void)state;
	for (i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		int64_t most[8] = {0};

		backoff_init(&backoff, 10, 30000);
		backoff_seed(&backoff, i);
		backoff_ask_floor(&backoff, asked[i]);
		for (n = 0; n < DRAWS; n++) {
			backoff_reset(&backoff);
			assert_in_range(backoff_next(&backoff), 100, 200);
		}
		for (n = 0; n < DRAWS; n++) {
			int64_t wait;

			if (n % 8 == 0)
				backoff_reset(&backoff);
			wait = backoff_next(&backoff);
			assert_in_range(wait, 100, 100 << (n % 8 + 1));
			most[n % 8] = wait > most[n % 8] ? wait : most[n % 8];
		}
		for (n = 1; n < 8; n++)
			assert_true(most[n] > most[n - 1] * 3 / 2);
	}
}

static void a_wait_fits_what_the_server_allows_and_the_time_that_is_left(void **state)
{
	static const struct {
		int64_t asked, left, least, most;
	} rows[] = {
		{-1, INT64_MAX, 100, 200},
		{0, INT64_MAX, 100, 200},
		{150, INT64_MAX, 150, 200},
		{5000, INT64_MAX, 5000, 5000},
		{5000, 5000, 5000, 5000},
		{5001, 5000, -1, -1},
		{-1, 150, 100, 150},
		{-1, 50, 50, 50},
		{-1, 1, 1, 1},
		{-1, 0, -1, -1},
		{0, 0, -1, -1},
		{-1, -5, -1, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (unsigned seed = 0; seed < 100; seed++) {
			struct backoff backoff;
			int64_t wait;

			backoff_init(&backoff, 100, 30000);
			backoff_seed(&backoff, seed);
			wait = backoff_within(&backoff, rows[i].asked, rows[i].left);
			if (wait < rows[i].least || wait > rows[i].most)
				fail_msg("row %zu: %lld", i, (long long)wait);
			assert_int_equal(backoff.count, 1);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_range_is_twice_the_one_before),
		cmocka_unit_test(no_range_reaches_beyond_the_cap),
		cmocka_unit_test(a_floor_at_or_above_the_cap_wins),
		cmocka_unit_test(a_floor_of_nothing_grows_too),
		cmocka_unit_test(waits_are_spread_over_the_range),
		cmocka_unit_test(the_largest_numbers_do_not_overflow),
		cmocka_unit_test(waits_for_hours_stay_in_range),
		cmocka_unit_test(a_seed_repeats_its_waits),
		cmocka_unit_test(two_clients_of_one_instant_differ),
		cmocka_unit_test(reset_starts_over),
		cmocka_unit_test(what_a_server_asks_for_keeps_the_count),
		cmocka_unit_test(no_server_gets_less_than_its_least_floor),
		cmocka_unit_test(a_wait_fits_what_the_server_allows_and_the_time_that_is_left),
	};

	return cmocka_run_group_tests_name("backoff", tests, NULL, NULL);
}
