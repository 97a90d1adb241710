/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/log/identity.c: which ids are of this log. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "log/identity.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A log that was opened at 0, at 10, and at 10 again; its head is 15. */
static struct identity three(void)
{
	struct identity identity = {0};

	assert_int_equal(identity_add(&identity, "AAAAAAAA", 0), 0);
	assert_int_equal(identity_add(&identity, "BBBBBBBB", 10), 0);
	assert_int_equal(identity_add(&identity, "CCCCCCCC", 10), 0);
	return identity;
}

static void tags_are_random_letters(void **state)
{
	char one[IDENTITY_TAG + 1], two[IDENTITY_TAG + 1];

	(void)state;
	assert_int_equal(identity_new_tag(one), 0);
	assert_int_equal(identity_new_tag(two), 0);
	assert_int_equal(strlen(one), IDENTITY_TAG);
	for (int i = 0; i < IDENTITY_TAG; i++)
		assert_true(isalnum((unsigned char)one[i]));
	assert_string_not_equal(one, two);
}

static void a_position_belongs_to_whoever_wrote_it(void **state)
{
	static const struct {
		uint64_t position;
		const char *id;
	} rows[] = {{0, "AAAAAAAA:0"}, {1, "AAAAAAAA:1"}, {10, "AAAAAAAA:10"}, {11, "CCCCCCCC:11"},
		{UINT64_MAX, "CCCCCCCC:18446744073709551615"}};
	struct identity identity = three();
	char text[IDENTITY_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = identity_format(&identity, rows[i].position, text);

		assert_string_equal(text, rows[i].id);
		assert_int_equal(len, strlen(text));
	}
	identity_free(&identity);
}

static void ids_of_this_log_are_known(void **state)
{
	struct identity identity = three();
	char text[IDENTITY_TEXT];
	uint64_t position;

	(void)state;
	for (uint64_t i = 0; i <= 15; i++) {
		identity_format(&identity, i, text);
		position = 99;
		assert_true(identity_parse(&identity, text, 15, &position));
		assert_true(position == i);
	}
	identity_free(&identity);
}

static void other_ids_are_not(void **state)
{
	static const char *const ids[] = {"", ":", "AAAAAAAA", "AAAAAAAA:", "AAAAAAAA:11",
		"BBBBBBBB:11", "CCCCCCCC:9", "CCCCCCCC:16", "DDDDDDDD:1", "aaaaaaaa:1", "AAAAAAA:1",
		"AAAAAAAAA:1", "AAAAAAAA;1", "AAAAAAAA:-1", "AAAAAAAA:+1", "AAAAAAAA: 1",
		"AAAAAAAA:1 ", "AAAAAAAA:1x", "AAAAAAAA:0x1", "AAAAAAAA:1:1",
		"AAAAAAAA:18446744073709551617", "AAAAAAAA:9223372036854775808",
		"AAAAAAAA:99999999999999999999999999", "1", "AAAAAAAA:1\n",
		"\xff\xff\xff\xff\xff\xff\xff\xff:1"};
	struct identity identity = three();

	(void)state;
	for (size_t i = 0; i < COUNT(ids); i++) {
		uint64_t position;

		if (identity_parse(&identity, ids[i], 15, &position))
			fail_msg("'%s' was taken", ids[i]);
	}
	identity_free(&identity);
}

static void an_empty_log_knows_its_start(void **state)
{
	struct identity identity = {0};
	uint64_t position = 7;

	(void)state;
	assert_int_equal(identity_add(&identity, "AAAAAAAA", 0), 0);
	assert_true(identity_parse(&identity, "AAAAAAAA:0", 0, &position));
	assert_true(position == 0);
	assert_false(identity_parse(&identity, "AAAAAAAA:1", 0, &position));
	identity_free(&identity);
}

static void many_incarnations_are_told_apart(void **state)
{
	struct identity identity = {0};
	char tag[IDENTITY_TAG + 1] = "t0000000", text[IDENTITY_TEXT];
	uint64_t position;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		tag[5] = (char)('0' + i / 100);
		tag[6] = (char)('0' + i / 10 % 10);
		tag[7] = (char)('0' + i % 10);
		assert_int_equal(identity_add(&identity, tag, i * 3), 0);
	}
	for (uint64_t i = 0; i <= 3000; i++) {
		identity_format(&identity, i, text);
		assert_true(identity_parse(&identity, text, 3000, &position));
		assert_true(position == i);
	}
	identity_free(&identity);
	assert_int_equal(identity.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tags_are_random_letters),
		cmocka_unit_test(a_position_belongs_to_whoever_wrote_it),
		cmocka_unit_test(ids_of_this_log_are_known),
		cmocka_unit_test(other_ids_are_not),
		cmocka_unit_test(an_empty_log_knows_its_start),
		cmocka_unit_test(many_incarnations_are_told_apart),
	};

	return cmocka_run_group_tests_name("serve_identity", tests, NULL, NULL);
}
