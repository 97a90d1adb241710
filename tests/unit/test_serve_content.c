/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/api/content.c and quota.c: types, keys, text, and what many hold together. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/content.h"
#include "base/name.h"
#include "hash.h"
#include "http/quota.h"
#include "log/store.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct sse_text text_of(const char *text)
{
	return (struct sse_text){text, strlen(text)};
}

static void keys_of_a_header_are_printable_ascii(void **state)
{
	char key[EVENT_KEY_MAX + 1];

	(void)state;
	memset(key, '~', sizeof(key));
	assert_null(content_header_key_fault((struct sse_text){key, EVENT_KEY_MAX}));
	assert_non_null(content_header_key_fault((struct sse_text){key, EVENT_KEY_MAX + 1}));
	assert_null(content_header_key_fault(text_of("\"8e03978e-40d5\" ")));
	assert_non_null(content_header_key_fault(text_of("")));
	assert_non_null(content_header_key_fault(text_of("a\tb")));
	assert_non_null(content_header_key_fault(text_of("\xc3\xa9")));
	assert_non_null(content_header_key_fault(text_of("\x7f")));
}

static void keys_are_utf8_without_controls(void **state)
{
	static const char *const bad[] = {
		"", "\n", "a\x1f", "\x7f", "\xc2\x80", "x\xc2\x9f", "\xff", "\xc2"};
	static const char *const good[] = {" ", "k", "\xc2\xa0", "\xc3\xa9", "\xf0\x9f\x98\x80"};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_non_null(content_key_fault(text_of(bad[i])));
	for (size_t i = 0; i < COUNT(good); i++)
		assert_null(content_key_fault(text_of(good[i])));
	assert_non_null(content_key_fault((struct sse_text){"a\0b", 3}));
}

static void names_are_utf8_without_controls(void **state)
{
	static const char *const bad[] = {"", "a\nb", "\x7f", "\xc2\x85", "\xff", "\xed\xa0\x80"};
	static const char name[66] = "0123456789012345678901234567890123456789012345678901234567890"
				     "1234";

	(void)state;
	assert_null(name_fault("Ada", 3));
	assert_null(name_fault("\xec\x97\x90\xec\x9d\xb4\xeb\x8b\xa4 <b>\"\\",
		strlen("\xec\x97\x90\xec\x9d\xb4\xeb\x8b\xa4 <b>\"\\")));
	assert_null(name_fault(name, 64));
	assert_non_null(name_fault(name, 65));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(name_fault(bad[i], strlen(bad[i])));
}

static void types_are_one_line_and_not_the_servers(void **state)
{
	static const char *const bad[] = {
		"", "gap", "join", "leave", "closed", "a\nb", "\r", "\xff"};
	static const char *const good[] = {"update", "gaps", "Gap", "ga", "b\xc3\xa4 news", "\x01"};
	char type[EVENT_TYPE_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_non_null(content_type_fault(text_of(bad[i])));
	for (size_t i = 0; i < COUNT(good); i++)
		assert_null(content_type_fault(text_of(good[i])));
	assert_non_null(content_type_fault((struct sse_text){"a\0b", 3}));
	memset(type, 'x', sizeof(type));
	assert_null(content_type_fault((struct sse_text){type, EVENT_TYPE_MAX}));
	assert_non_null(content_type_fault((struct sse_text){type, EVENT_TYPE_MAX + 1}));
}

static void each_line_end_becomes_a_line_feed(void **state)
{
	static const char *const rows[][2] = {{"", ""}, {"a", "a"}, {"a\nb", "a\nb"}, {"\r", "\n"},
		{"\r\n", "\n"}, {"\r\r\n\n\r", "\n\n\n\n"}, {"a\rb\r\nc\n", "a\nb\nc\n"}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = strlen(rows[i][0]);
		char *text = malloc(len + 1);

		assert_non_null(text);
		memcpy(text, rows[i][0], len + 1);
		len = content_normalize(text, len);
		assert_int_equal(len, strlen(rows[i][1]));
		assert_memory_equal(text, rows[i][1], len);
		free(text);
	}
	assert_int_equal(content_normalize(NULL, 0), 0);
}

static void a_fingerprint_never_changes(void **state)
{
	struct event event = {.json = true, .type = text_of("update"), .data = text_of("[1]")};

	(void)state;
	/* A database outlives the program. */
	assert_true(content_fingerprint(HASH_START, &event) == UINT64_C(0x343191145fc6dc19));
}

static void a_fingerprint_tells_type_kind_and_data_apart(void **state)
{
	struct event a = {.json = true, .type = text_of("ab"), .data = text_of("c")};
	struct event b = {.json = true, .type = text_of("a"), .data = text_of("bc")};
	struct event c = {.json = false, .type = text_of("ab"), .data = text_of("c")};
	struct event d = a, e = a;

	(void)state;
	d.subject = text_of("web1");
	e.subject = text_of("web2");
	assert_true(content_fingerprint(1, &a) == content_fingerprint(1, &a));
	assert_true(content_fingerprint(1, &a) != content_fingerprint(2, &a));
	assert_true(content_fingerprint(1, &a) != content_fingerprint(1, &b));
	assert_true(content_fingerprint(1, &a) != content_fingerprint(1, &c));
	assert_true(content_fingerprint(1, &a) != content_fingerprint(1, &d));
	assert_true(content_fingerprint(1, &d) != content_fingerprint(1, &e));
}

static void a_quota_is_kept_but_by_one_alone(void **state)
{
	struct quota quota = {.limit = 100};

	(void)state;
	/* Alone: any amount, also in pieces. */
	assert_true(quota_take(&quota, 0, 90));
	assert_true(quota_take(&quota, 90, 60));
	assert_false(quota_take(&quota, 0, 1));
	quota_give(&quota, 150);
	assert_true(quota_take(&quota, 0, 60));
	assert_true(quota_take(&quota, 0, 40));
	assert_false(quota_take(&quota, 40, 1));
	quota_give(&quota, 60);
	assert_true(quota_take(&quota, 40, 1));
	quota_give(&quota, 41);
	assert_true(quota.held == 0);
}

static void *take_and_give(void *context)
{
	struct quota *quota = context;

	for (int i = 0; i < 20000; i++) {
		if (quota_take(quota, 0, 40)) {
			if (quota->held > 100)
				return quota;
			quota_give(quota, 40);
		}
	}
	return NULL;
}

static void a_quota_is_kept_by_threads(void **state)
{
	struct quota quota = {.limit = 100};
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, &quota), 0);
	for (size_t i = 0; i < COUNT(threads); i++) {
		void *failed;

		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	assert_true(quota.held == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_a_header_are_printable_ascii),
		cmocka_unit_test(keys_are_utf8_without_controls),
		cmocka_unit_test(names_are_utf8_without_controls),
		cmocka_unit_test(types_are_one_line_and_not_the_servers),
		cmocka_unit_test(each_line_end_becomes_a_line_feed),
		cmocka_unit_test(a_fingerprint_never_changes),
		cmocka_unit_test(a_fingerprint_tells_type_kind_and_data_apart),
		cmocka_unit_test(a_quota_is_kept_but_by_one_alone),
		cmocka_unit_test(a_quota_is_kept_by_threads),
	};

	return cmocka_run_group_tests_name("serve_content", tests, NULL, NULL);
}
