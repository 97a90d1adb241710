/* SPDX-License-Identifier: MIT */
/* Tests of clock_due() of lib/common/clock.c: what is due again and again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"

static void it_is_due_once_an_interval(void **state)
{
	uint32_t due = 1000;

	(void)state;
	assert_false(clock_due(&due, 100, 999));
	assert_true(clock_due(&due, 100, 1000));
	assert_false(clock_due(&due, 100, 1099));
	/* A late look does not shift those that follow. */
	assert_true(clock_due(&due, 100, 1150));
	assert_int_equal(due, 1200);
}

static void after_a_pause_it_is_due_once(void **state)
{
	uint32_t due = 1000;

	(void)state;
	assert_true(clock_due(&due, 100, 5000));
	assert_false(clock_due(&due, 100, 5099));
	assert_true(clock_due(&due, 100, 5100));
}

static void the_clock_may_wrap_around(void **state)
{
	uint32_t due = UINT32_MAX - 10;

	(void)state;
	assert_false(clock_due(&due, 100, UINT32_MAX - 11));
	assert_true(clock_due(&due, 100, 5));
	assert_int_equal(due, 89);
	assert_false(clock_due(&due, 100, 88));
	assert_true(clock_due(&due, 100, 89));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_due_once_an_interval),
		cmocka_unit_test(after_a_pause_it_is_due_once),
		cmocka_unit_test(the_clock_may_wrap_around),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
