/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/api/condition.c: If-Match and If-None-Match. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "api/condition.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Read the headers for a log with two incarnations, the second from position 10 on. */
static int read_headers(
	const char *match, const char *none_match, struct store_group *group, struct error *error)
{
	const struct condition_headers headers = {match, none_match};
	struct identity identity = {0};
	int result;

	assert_int_equal(identity_add(&identity, "aaaaaaaa", 0), 0);
	assert_int_equal(identity_add(&identity, "bbbbbbbb", 10), 0);
	*group = (struct store_group){0};
	*error = (struct error){0};
	result = condition_read(&headers, &identity, group, error);
	identity_free(&identity);
	return result;
}

static void the_newest_event_is_expected(void **state)
{
	static const struct {
		const char *match, *none_match;
		enum store_condition condition;
		uint64_t expected;
	} rows[] = {
		{"aaaaaaaa:7", NULL, STORE_IF_NEWEST, 7},
		{"\"aaaaaaaa:7\"", NULL, STORE_IF_NEWEST, 7},
		{" \t\"bbbbbbbb:11\" ", NULL, STORE_IF_NEWEST, 11},
		{"*", NULL, STORE_IF_ANY, 0},
		{" * ", NULL, STORE_IF_ANY, 0},
		{NULL, "*", STORE_IF_NONE, 0},
		/* Of another log, of another incarnation, or made up: the id of no event. */
		{"cccccccc:7", NULL, STORE_IF_NEWEST, 0},
		{"\"aaaaaaaa:11\"", NULL, STORE_IF_NEWEST, 0},
		{"bbbbbbbb:9", NULL, STORE_IF_NEWEST, 0},
		{"\"*\"", NULL, STORE_IF_NEWEST, 0},
		{"7", NULL, STORE_IF_NEWEST, 0},
		{"aaaaaaaa:0000000000000000000000000007", NULL, STORE_IF_NEWEST, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct store_group group;
		struct error error;

		if (read_headers(rows[i].match, rows[i].none_match, &group, &error) != 0)
			fail_msg("%s: %s", rows[i].match, error.text);
		if (group.condition != rows[i].condition || group.expected != rows[i].expected)
			fail_msg("%s: %d, %d", rows[i].match, (int)group.condition,
				(int)group.expected);
	}
}

static void what_cannot_be_a_condition_is_refused(void **state)
{
	static const struct {
		const char *match, *none_match, *said;
	} rows[] = {
		{"", NULL, "'' is neither"},
		{"  ", NULL, "'' is neither"},
		{"\"", NULL, "'\"' is neither"},
		{"\"\"", NULL, "is neither"},
		{"\"aaaaaaaa:7", NULL, "is neither"},
		{"aaaaaaaa:7\"", NULL, "is neither"},
		{"aaaaaaaa:7 aaaaaaaa:8", NULL, "is neither"},
		{"\xc3\xa9", NULL, "is neither"},
		{"W/\"aaaaaaaa:7\"", NULL, "weak"},
		{"\"aaaaaaaa:7\", \"aaaaaaaa:8\"", NULL, "one id"},
		{"aaaaaaaa:7,", NULL, "one id"},
		{NULL, "\"aaaaaaaa:7\"", "If-None-Match takes * alone"},
		{NULL, "", "If-None-Match takes * alone"},
		{NULL, "*, *", "If-None-Match takes * alone"},
		{"*", "*", "not both"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct store_group group;
		struct error error;

		if (read_headers(rows[i].match, rows[i].none_match, &group, &error) == 0 ||
			strstr(error.text, rows[i].said) == NULL)
			fail_msg("%zu: %s", i, error.text);
		assert_int_equal(error.status, EX_DATAERR);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_event_is_expected),
		cmocka_unit_test(what_cannot_be_a_condition_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
