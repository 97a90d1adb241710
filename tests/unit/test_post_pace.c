/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-post/pace.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pace.h"

static void without_a_rate_nothing_waits(void **state)
{
	struct pace pace = {0};

	(void)state;
	assert_int_equal(pace_at_once(&pace, 4096), 4096);
	pace_start(&pace, 4096, 5000);
	assert_int_equal(pace.start_at, 0);
}

static void about_a_tenth_of_a_second_goes_together(void **state)
{
	static const struct {
		double rate;
		size_t max, want;
	} rows[] = {{0.5, 100, 1}, {1, 100, 1}, {20, 100, 1}, {21, 100, 2}, {200, 100, 20},
		{1000, 100, 100}, {5000, 100, 100}, {50, 1, 1}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pace pace = {.rate = rows[i].rate};

		assert_int_equal(pace_at_once(&pace, rows[i].max), rows[i].want);
	}
}

static void the_rate_is_kept_on_average(void **state)
{
	struct pace pace = {.rate = 10};

	(void)state;
	pace_start(&pace, 1, 50000);
	assert_int_equal(pace.start_at, 50100);
	/* A little late: the next one is not. */
	pace_start(&pace, 1, 50130);
	assert_int_equal(pace.start_at, 50200);
	pace_start(&pace, 5, 50200);
	assert_int_equal(pace.start_at, 50700);
	/* After a long pause nothing is made up for. */
	pace_start(&pace, 1, 60000);
	assert_int_equal(pace.start_at, 60100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_rate_nothing_waits),
		cmocka_unit_test(about_a_tenth_of_a_second_goes_together),
		cmocka_unit_test(the_rate_is_kept_on_average),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
