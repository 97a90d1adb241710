/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/api/schema.c: what the topic users requires, and what it keeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "api/schema.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int apply(const char *text, struct buf *out, struct error *error)
{
	struct json_text value;
	struct json_error reason;

	if (!json_check(text, strlen(text), &value, &reason))
		fail_msg("the test's '%s' is not JSON", text);
	return schema_apply("users", value, out, error);
}

static void only_users_requires_anything(void **state)
{
	(void)state;
	assert_true(schema_requires("users"));
	assert_false(schema_requires("user"));
	assert_false(schema_requires("users/x"));
	assert_false(schema_requires(""));
}

static void keeps_the_fields_as_they_came_in_their_order(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"{\"firstname\":\"John\",\"lastname\":\"DOE\"}",
			"{\"firstname\":\"John\",\"lastname\":\"DOE\"}"},
		{" { \"lastname\" : \"\\u00e9\\n\" , \"x\":[{\"firstname\":1}], \"firstname\":\"\" } ",
			"{\"firstname\":\"\",\"lastname\":\"\\u00e9\\n\"}"},
		{"{\"first\\u006eame\":\"a\",\"\\u006castname\":\"b\",\"x\":1,\"x\":2}",
			"{\"firstname\":\"a\",\"lastname\":\"b\"}"},
		{"{\"firstname\":\"}\\\"{\",\"lastname\":\"\xf0\x9f\x98\x80\"}",
			"{\"firstname\":\"}\\\"{\",\"lastname\":\"\xf0\x9f\x98\x80\"}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error error = {0, ""};
		struct buf out;

		buf_init(&out, 1000);
		assert_int_equal(apply(rows[i].in, &out, &error), 0);
		assert_int_equal(out.len, strlen(rows[i].out));
		assert_memory_equal(out.data, rows[i].out, out.len);
		buf_free(&out);
	}
}

static void refuses_and_names_the_field(void **state)
{
	static const struct {
		const char *in, *named;
	} rows[] = {
		{"{}", "firstname"},
		{"{\"firstname\":\"a\"}", "lastname"},
		{"{\"lastname\":\"a\"}", "firstname"},
		{"{\"Firstname\":\"a\",\"lastname\":\"b\"}", "firstname"},
		{"{\"firstname\":1,\"lastname\":\"b\"}", "firstname"},
		{"{\"firstname\":\"a\",\"lastname\":null}", "lastname"},
		{"{\"firstname\":\"a\",\"lastname\":[\"b\"]}", "lastname"},
		{"{\"firstname\":\"a\",\"lastname\":\"b\",\"lastname\":\"b\"}", "lastname"},
		{"{\"firstname\":\"a\",\"lastname\":\"b\",\"lastnam\\u0065\":\"b\"}", "lastname"},
		{"{\"firstname\\u0000\":\"a\",\"lastname\":\"b\"}", "firstname"},
		{"[]", "object"},
		{"null", "object"},
		{"\"firstname\"", "object"},
		{"7", "object"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error error = {0, ""};
		struct buf out;

		buf_init(&out, 1000);
		if (apply(rows[i].in, &out, &error) != -1)
			fail_msg("'%s' was taken", rows[i].in);
		assert_int_equal(error.status, EX_DATAERR);
		if (strstr(error.text, rows[i].named) == NULL)
			fail_msg("'%s' does not name %s", error.text, rows[i].named);
		buf_free(&out);
	}
}

static void a_full_buffer_is_an_error(void **state)
{
	struct error error = {0, ""};
	struct buf out;

	(void)state;
	buf_init(&out, 20);
	assert_int_equal(apply("{\"firstname\":\"John\",\"lastname\":\"DOE\"}", &out, &error), -1);
	assert_int_equal(error.status, EX_DATAERR);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_users_requires_anything),
		cmocka_unit_test(keeps_the_fields_as_they_came_in_their_order),
		cmocka_unit_test(refuses_and_names_the_field),
		cmocka_unit_test(a_full_buffer_is_an_error),
	};

	return cmocka_run_group_tests_name("serve_shape", tests, NULL, NULL);
}
