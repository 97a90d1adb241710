/* SPDX-License-Identifier: MIT */
/* The trail of a shared log; see log/trail.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "log/trail.h"

static void add(struct trail *trail, uint64_t from, uint64_t upto)
{
	for (uint64_t i = from; i <= upto; i++)
		trail_add(trail, i, (int64_t)i, &i, sizeof(i));
}

static void equal_trails_have_one_hash(void **state)
{
	static struct trail one, two;
	uint32_t first, second;

	(void)state;
	add(&one, 1, 10000);
	/* A node that came later. */
	add(&two, 9000, 10000);
	assert_true(trail_hash(&one, 9500, &first));
	assert_true(trail_hash(&two, 9500, &second));
	assert_int_equal(first, second);
	assert_true(trail_hash(&one, 9501, &second));
	assert_int_not_equal(first, second);
}

static void another_message_or_time_is_another_hash(void **state)
{
	static struct trail one, two, three;
	uint64_t other = 0, same = 1000;
	uint32_t first, second;

	(void)state;
	add(&one, 1, 1100);
	add(&two, 1, 999);
	trail_add(&two, 1000, 1000, &other, sizeof(other));
	add(&two, 1001, 1100);
	add(&three, 1, 999);
	trail_add(&three, 1000, 1001, &same, sizeof(same));
	add(&three, 1001, 1100);
	assert_true(trail_hash(&one, 1100, &first));
	assert_true(trail_hash(&two, 1100, &second));
	assert_int_not_equal(first, second);
	assert_true(trail_hash(&three, 1100, &second));
	assert_int_not_equal(first, second);
}

static void too_few_messages_have_no_hash(void **state)
{
	static struct trail trail;
	uint32_t hash;

	(void)state;
	assert_false(trail_hash(&trail, 0, &hash));
	add(&trail, 1, TRAIL_HASHED - 1);
	assert_false(trail_hash(&trail, TRAIL_HASHED - 1, &hash));
	add(&trail, TRAIL_HASHED, TRAIL_HASHED);
	assert_true(trail_hash(&trail, TRAIL_HASHED, &hash));
	assert_false(trail_hash(&trail, TRAIL_HASHED + 1, &hash));
	add(&trail, TRAIL_HASHED + 1, 2 * TRAIL_KEPT);
	/* Its oldest message was overwritten by the newest one. */
	assert_false(trail_hash(&trail, TRAIL_KEPT + TRAIL_HASHED - 1, &hash));
	assert_true(trail_hash(&trail, TRAIL_KEPT + TRAIL_HASHED, &hash));
	/* A hole begins a new one. */
	add(&trail, 3 * TRAIL_KEPT, 3 * TRAIL_KEPT);
	assert_false(trail_hash(&trail, 3 * TRAIL_KEPT, &hash));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_trails_have_one_hash),
		cmocka_unit_test(another_message_or_time_is_another_hash),
		cmocka_unit_test(too_few_messages_have_no_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
