/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/http/request_id.c, and of the buckets of base/counter.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/counter.h"
#include "http/request_id.h"

static void no_two_requests_have_the_same_id(void **state)
{
	struct request_ids ids;
	char one[REQUEST_ID], two[REQUEST_ID];

	(void)state;
	request_id_start(&ids);
	request_id_new(&ids, one);
	request_id_new(&ids, two);
	assert_int_equal(strlen(one), 16);
	assert_int_equal(strspn(one, "0123456789abcdef"), 16);
	assert_memory_equal(one, two, 8);
	assert_string_equal(one + 8, "00000000");
	assert_string_equal(two + 8, "00000001");
	ids.next = UINT32_MAX;
	request_id_new(&ids, one);
	assert_string_equal(one + 8, "ffffffff");
}

static void an_id_is_taken_over_only_if_it_is_clean(void **state)
{
	static const char *const dirty[] = {
		"", "a b", "a\n", "\"", "a{}", "\xc3\xa4", "a/b", "a:b"};
	char id[REQUEST_ID] = "old", letters[REQUEST_ID + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(dirty) / sizeof(dirty[0]); i++)
		assert_false(request_id_take(dirty[i], id));
	memset(letters, 'x', sizeof(letters));
	letters[REQUEST_ID] = '\0';
	assert_false(request_id_take(letters, id));
	assert_string_equal(id, "old");
	letters[REQUEST_ID - 1] = '\0';
	assert_true(request_id_take(letters, id));
	assert_string_equal(id, letters);
	assert_true(request_id_take("4bf92f35-77b3_A.9", id));
	assert_string_equal(id, "4bf92f35-77b3_A.9");
}

static void each_duration_is_in_one_bucket(void **state)
{
	struct counter_times times = {0};
	struct counter_sum sum = {0};

	(void)state;
	counter_took(&times, 0);
	counter_took(&times, 500);
	counter_took(&times, 501);
	counter_took(&times, 10000000);
	counter_took(&times, 10000001);
	counter_add_times(&sum, &times);
	counter_add_times(&sum, &times);
	assert_int_equal(sum.buckets[0], 4);
	assert_int_equal(sum.buckets[1], 2);
	assert_int_equal(sum.buckets[COUNTER_BOUNDS - 1], 2);
	assert_int_equal(sum.buckets[COUNTER_BOUNDS], 2);
	assert_int_equal(sum.total, 2 * 20001002);
	for (int i = 1; i < COUNTER_BOUNDS; i++)
		assert_true(counter_bounds[i] > counter_bounds[i - 1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_two_requests_have_the_same_id),
		cmocka_unit_test(an_id_is_taken_over_only_if_it_is_clean),
		cmocka_unit_test(each_duration_is_in_one_bucket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
