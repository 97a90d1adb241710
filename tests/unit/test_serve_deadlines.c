/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/stream/deadlines.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stream/deadlines.h"

#define COUNT 200

static void the_earliest_is_found_whatever_is_added_and_removed(void **state)
{
	/* Around where the clock wraps. */
	static const uint32_t start = UINT32_MAX - 5000;
	static struct deadline all[COUNT];
	struct deadlines deadlines = {0};
	uint32_t random = 1;

	(void)state;
	assert_null(deadlines_first(&deadlines));
	for (int step = 0; step < 20000; step++) {
		struct deadline *one, *earliest = NULL;

		random = random * 1103515245 + 12345;
		one = &all[(random >> 16) % COUNT];
		if (one->place != 0) {
			deadlines_remove(&deadlines, one);
			assert_int_equal(one->place, 0);
		} else {
			one->due = start + (random >> 8) % 10000;
			assert_int_equal(deadlines_add(&deadlines, one), 0);
		}
		for (size_t i = 0; i < COUNT; i++) {
			if (all[i].place != 0 &&
				(earliest == NULL || (int32_t)(all[i].due - earliest->due) < 0))
				earliest = &all[i];
		}
		if (earliest == NULL)
			assert_null(deadlines_first(&deadlines));
		else
			assert_int_equal(deadlines_first(&deadlines)->due, earliest->due);
	}
	while (deadlines_first(&deadlines) != NULL)
		deadlines_remove(&deadlines, deadlines_first(&deadlines));
	deadlines_remove(&deadlines, &all[0]);
	deadlines_free(&deadlines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_earliest_is_found_whatever_is_added_and_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
