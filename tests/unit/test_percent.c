/* SPDX-License-Identifier: MIT */
/* Tests of lib/common/percent.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "percent.h"

static void only_visible_ascii_stays(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *encoded;
	} rows[] = {
		{"", 0, ""},
		{"tag:7", 5, "tag:7"},
		{"!~", 2, "!~"},
		{"a b", 3, "a%20b"},
		{"50%", 3, "50%25"},
		{"\x1f\x7f\xff", 3, "%1F%7F%FF"},
		{"a\0b", 3, "a%00b"},
		{"\xc3\xa9", 2, "%C3%A9"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out;

		buf_init(&out, 100);
		assert_true(percent_encode(rows[i].text, rows[i].len, &out));
		if (!buf_is(&out, rows[i].encoded, strlen(rows[i].encoded)))
			fail_msg("row %zu: %.*s", i, (int)out.len, out.data);
		buf_free(&out);
	}
}

static void a_full_buffer_is_an_error(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 5);
	assert_true(percent_encode("abc", 3, &out));
	assert_false(percent_encode(" ", 1, &out));
	assert_false(percent_encode("abc", 3, &out));
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_visible_ascii_stays),
		cmocka_unit_test(a_full_buffer_is_an_error),
	};

	return cmocka_run_group_tests_name("percent", tests, NULL, NULL);
}
