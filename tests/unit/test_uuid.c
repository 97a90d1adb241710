/* SPDX-License-Identifier: MIT */
/* Tests of lib/common/uuid.c: form, order and time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "uuid.h"

#define NOW INT64_C(1764115200123)

static void has_the_form_of_version_7(void **state)
{
	struct uuid_source source = {0};
	char text[UUID_TEXT];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		assert_true(uuid_make(&source, NOW + i, text));
		assert_int_equal(strlen(text), 36);
		assert_int_equal(strspn(text, "0123456789abcdef-"), 36);
		assert_true(
			text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-');
		assert_int_equal(text[14], '7');
		assert_non_null(strchr("89ab", text[19]));
	}
}

static void begins_with_the_time(void **state)
{
	struct uuid_source source = {0};
	char text[UUID_TEXT], digits[13];

	(void)state;
	assert_true(uuid_make(&source, NOW, text));
	memcpy(digits, text, 8);
	memcpy(digits + 8, text + 9, 4);
	digits[12] = '\0';
	assert_true(strtoull(digits, NULL, 16) == (unsigned long long)NOW);
}

/* Also within a millisecond, and while the clock goes back. */
static void each_is_greater_than_the_one_before(void **state)
{
	struct uuid_source source = {0};
	char last[UUID_TEXT] = "", text[UUID_TEXT];

	(void)state;
	for (int i = 0; i < 100000; i++) {
		assert_true(uuid_make(&source, i < 50000 ? NOW + i / 20000 : NOW - i, text));
		assert_true(strcmp(last, text) < 0);
		memcpy(last, text, sizeof(last));
	}
}

static void two_sources_differ_in_the_same_instant(void **state)
{
	struct uuid_source one = {0}, other = {0};
	char a[UUID_TEXT], b[UUID_TEXT];

	(void)state;
	assert_true(uuid_make(&one, NOW, a) && uuid_make(&other, NOW, b));
	assert_string_not_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_the_form_of_version_7),
		cmocka_unit_test(begins_with_the_time),
		cmocka_unit_test(each_is_greater_than_the_one_before),
		cmocka_unit_test(two_sources_differ_in_the_same_instant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
