/* SPDX-License-Identifier: MIT */
/* Tests of lib/json/json_pointer.c: the examples of RFC 6901, and what leads nowhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "json_pointer.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* RFC 6901, section 5. */
static const char rfc[] = "{\"foo\": [\"bar\", \"baz\"], \"\": 0, \"a/b\": 1, \"c%d\": 2, "
			  "\"e^f\": 3, \"g|h\": 4, \"i\\\\j\": 5, \"k\\\"l\": 6, \" \": 7, "
			  "\"m~n\": 8}";

struct row {
	const char *pointer;
	const char *found; /* NULL: nowhere */
};

static void assert_rows(const char *text, const struct row *rows, size_t count)
{
	struct json_text value, found;
	struct json_error error;

	assert_true(json_check(text, strlen(text), &value, &error));
	for (size_t i = 0; i < count; i++) {
		bool there = json_pointer(value, rows[i].pointer, &found);

		assert_true(json_pointer_valid(rows[i].pointer));
		if (there != (rows[i].found != NULL))
			fail_msg("'%s': %d", rows[i].pointer, there);
		if (there && (found.len != strlen(rows[i].found) ||
				     memcmp(found.text, rows[i].found, found.len) != 0))
			fail_msg("'%s': '%.*s'", rows[i].pointer, (int)found.len, found.text);
	}
}

static void finds_what_the_rfc_says(void **state)
{
	static const struct row rows[] = {{"", rfc}, {"/foo", "[\"bar\", \"baz\"]"},
		{"/foo/0", "\"bar\""}, {"/", "0"}, {"/a~1b", "1"}, {"/c%d", "2"}, {"/e^f", "3"},
		{"/g|h", "4"}, {"/i\\j", "5"}, {"/k\"l", "6"}, {"/ ", "7"}, {"/m~0n", "8"}};

	(void)state;
	assert_rows(rfc, rows, COUNT(rows));
}

static void leads_nowhere_without_a_fault(void **state)
{
	static const struct row rows[] = {{"/foo/2", NULL}, {"/foo/-", NULL}, {"/foo/00", NULL},
		{"/foo/01", NULL}, {"/foo/", NULL}, {"/foo/ 1", NULL}, {"/foo/+1", NULL},
		{"/foo/18446744073709551616", NULL}, {"/foo/99999999999999999999999", NULL},
		{"/foo/0/x", NULL}, {"/bar", NULL}, {"/foo/1", "\"baz\""}, {"//", NULL}};

	(void)state;
	assert_rows(rfc, rows, COUNT(rows));
}

static void goes_deep_and_takes_the_last_of_two(void **state)
{
	static const struct row rows[] = {{"/a/0/b/1", "1.50"}, {"/a/0/c", "{ }"}, {"/d", "true"},
		{"/\xc3\xa9", "2"}, {"/~01", "3"}};

	(void)state;
	assert_rows("{\"a\":[{\"b\":[0,1.50],\"c\":{ }}],\"d\":false,\"d\":true,\"\\u00e9\":2,"
		    "\"~1\":3}",
		rows, COUNT(rows));
}

static void decodes_each_tilde_once(void **state)
{
	static const struct row rows[] = {{"/~01", "3"}, {"/~1", NULL}, {"/~0~1", "4"}};

	(void)state;
	assert_rows("{\"~1\":3,\"~/\":4}", rows, COUNT(rows));
}

static void refuses_what_is_no_pointer(void **state)
{
	static const char *const wrong[] = {"a", "a/b", "#/a", "/~", "/~2", "/a~", "/\xff", " /a"};
	char text[JSON_POINTER_PART + 3];

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		if (json_pointer_valid(wrong[i]))
			fail_msg("'%s' is taken", wrong[i]);
	}
	memset(text, 'x', sizeof(text));
	text[0] = '/';
	text[JSON_POINTER_PART + 2] = '\0';
	assert_false(json_pointer_valid(text));
	text[JSON_POINTER_PART + 1] = '\0';
	assert_true(json_pointer_valid(text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_the_rfc_says),
		cmocka_unit_test(leads_nowhere_without_a_fault),
		cmocka_unit_test(goes_deep_and_takes_the_last_of_two),
		cmocka_unit_test(decodes_each_tilde_once),
		cmocka_unit_test(refuses_what_is_no_pointer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
