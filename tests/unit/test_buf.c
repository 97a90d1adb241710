/* SPDX-License-Identifier: MIT */
/* Tests of lib/common/buf.c: growing, the cap, and that a refused addition changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"

static void assert_content(const struct buf *buf, const char *expected)
{
	assert_int_equal(buf->len, strlen(expected));
	assert_memory_equal(buf->data, expected, buf->len);
	assert_true(buf->len <= buf->cap);
	assert_true(buf->len <= buf->size);
}

static void starts_empty_without_memory(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 10);
	assert_null(buf.data);
	assert_int_equal(buf.len, 0);
	assert_int_equal(buf.size, 0);
	assert_int_equal(buf.cap, 10);
	buf_free(&buf);
}

static void additions_follow_each_other(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 100);
	assert_true(buf_add(&buf, "ab", 2));
	assert_true(buf_add_byte(&buf, 'c'));
	assert_true(buf_add_text(&buf, "de"));
	assert_true(buf_addf(&buf, "%s-%d", "f", 7));
	assert_content(&buf, "abcdef-7");
	buf_free(&buf);
}

static void keeps_nul_bytes(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 100);
	assert_true(buf_add(&buf, "a\0b", 3));
	assert_true(buf_add_byte(&buf, '\0'));
	assert_int_equal(buf.len, 4);
	assert_memory_equal(buf.data, "a\0b\0", 4);
	buf_free(&buf);
}

static void adding_nothing_succeeds(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 0);
	assert_true(buf_add(&buf, NULL, 0));
	assert_true(buf_add(&buf, "", 0));
	assert_true(buf_add_text(&buf, ""));
	assert_non_null(buf_reserve(&buf, 0));
	assert_int_equal(buf.len, 0);
	assert_false(buf_add_byte(&buf, 'x'));
	assert_null(buf_reserve(&buf, 1));
	buf_free(&buf);
}

static void fills_up_to_the_cap_and_no_further(void **state)
{
	size_t cap, i;

	(void)state;
	for (cap = 0; cap < 300; cap++) {
		struct buf buf;

		buf_init(&buf, cap);
		for (i = 0; i < cap; i++)
			assert_true(buf_add_byte(&buf, (char)i));
		assert_false(buf_add_byte(&buf, 'x'));
		assert_int_equal(buf.len, cap);
		assert_true(buf.size <= cap);
		for (i = 0; i < cap; i++)
			assert_int_equal(buf.data[i], (char)i);
		buf_free(&buf);
	}
}

static void a_refused_addition_changes_nothing(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 8);
	assert_true(buf_add_text(&buf, "12345"));
	assert_false(buf_add_text(&buf, "6789"));
	assert_false(buf_addf(&buf, "%d", 6789));
	assert_null(buf_reserve(&buf, 4));
	assert_null(buf_reserve(&buf, SIZE_MAX));
	assert_content(&buf, "12345");
	assert_true(buf_add_text(&buf, "678"));
	assert_content(&buf, "12345678");
	buf_free(&buf);
}

/* By default the address sanitizer ends the program where malloc() would return NULL. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void an_addition_without_memory_is_refused(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, SIZE_MAX);
	assert_true(buf_add_text(&buf, "abc"));
	assert_null(buf_reserve(&buf, SIZE_MAX - 3));
	assert_null(buf_reserve(&buf, SIZE_MAX / 2));
	assert_content(&buf, "abc");
	assert_true(buf_add_text(&buf, "def"));
	assert_content(&buf, "abcdef");
	buf_free(&buf);
}

static void formatted_text_may_fill_the_buffer_to_its_cap(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 8);
	assert_true(buf_addf(&buf, "%s", "1234"));
	assert_true(buf_addf(&buf, "%d", 5678));
	assert_content(&buf, "12345678");
	assert_false(buf_addf(&buf, "%d", 9));
	assert_true(buf_addf(&buf, "%s", ""));
	assert_content(&buf, "12345678");
	buf_free(&buf);
}

static void reserved_room_can_be_written(void **state)
{
	struct buf buf;
	size_t i;

	(void)state;
	buf_init(&buf, 100000);
	for (i = 1; i < 400; i++) {
		char *room = buf_reserve(&buf, i);

		assert_non_null(room);
		assert_ptr_equal(room, buf.data + buf.len);
		assert_true(buf.size - buf.len >= i);
		memset(room, (int)i & 0x7f, i);
		buf.len += i;
	}
	assert_int_equal(buf.len, 399 * 400 / 2);
	assert_int_equal(buf.data[0], 1);
	assert_int_equal(buf.data[buf.len - 1], 399 & 0x7f);
	buf_free(&buf);
}

/* Growing must not copy the content at each addition: the size at least doubles below the cap. */
static void grows_seldom(void **state)
{
	struct buf buf;
	size_t i, size = 0, growths = 0;

	(void)state;
	buf_init(&buf, (size_t)1 << 30);
	for (i = 0; i < 1000000; i++) {
		assert_true(buf_add_byte(&buf, 'x'));
		growths += buf.size != size;
		size = buf.size;
	}
	assert_true(growths < 20);
	buf_free(&buf);
}

static void drops_from_the_front(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 10);
	buf_drop(&buf, 0);
	buf_drop(&buf, 5);
	assert_int_equal(buf.len, 0);
	assert_true(buf_add_text(&buf, "abcdefghij"));
	buf_drop(&buf, 0);
	assert_content(&buf, "abcdefghij");
	buf_drop(&buf, 3);
	assert_content(&buf, "defghij");
	assert_true(buf_add_text(&buf, "klm"));
	assert_content(&buf, "defghijklm");
	buf_drop(&buf, 10);
	assert_int_equal(buf.len, 0);
	assert_true(buf_add_text(&buf, "xyz"));
	buf_drop(&buf, SIZE_MAX);
	assert_int_equal(buf.len, 0);
	buf_free(&buf);
}

static void can_be_used_again_after_free(void **state)
{
	struct buf buf;

	(void)state;
	buf_free(NULL);
	buf_init(&buf, 4);
	assert_true(buf_add_text(&buf, "abcd"));
	buf_free(&buf);
	assert_null(buf.data);
	assert_int_equal(buf.len, 0);
	buf_free(&buf);
	assert_true(buf_add_text(&buf, "efgh"));
	assert_content(&buf, "efgh");
	assert_false(buf_add_byte(&buf, 'x'));
	buf_free(&buf);
}

/* --- passing on ------------------------------------------------------------------------------ */

static size_t drained, drains, kept_back;

/* Passes on all but a few bytes, which must be the ones that follow what was passed on. */
static bool pass_on(struct buf *buf)
{
	size_t len = buf->len - kept_back;

	assert_true(buf->len >= BUF_DRAIN);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(buf->data[i], (char)(drained + i));
	drained += len;
	drains++;
	buf_drop(buf, len);
	return true;
}

static bool pass_nothing_on(struct buf *buf)
{
	(void)buf;
	drains++;
	return false;
}

static void what_can_be_passed_on_is_not_held(void **state)
{
	enum { TOTAL = 10 << 20 };

	(void)state;
	for (kept_back = 0; kept_back < 10; kept_back += 9) {
		struct buf buf;

		drained = drains = 0;
		buf_init(&buf, (size_t)1 << 30);
		buf.drain = pass_on;
		for (size_t i = 0; i < TOTAL; i++)
			assert_true(buf_add_byte(&buf, (char)i));
		assert_int_equal(drained + buf.len, TOTAL);
		assert_int_equal(drains, kept_back > 0 ? 10 : 9);
		assert_int_equal(buf.size, BUF_DRAIN);
		buf_free(&buf);
		assert_ptr_equal(buf.drain, pass_on);
	}
}

static void an_addition_larger_than_what_is_passed_on_has_its_room(void **state)
{
	struct buf buf;
	char *room;

	(void)state;
	drained = drains = kept_back = 0;
	buf_init(&buf, (size_t)1 << 30);
	buf.drain = pass_on;
	for (size_t i = 0; i < BUF_DRAIN; i++)
		assert_true(buf_add_byte(&buf, (char)i));
	room = buf_reserve(&buf, 5 * BUF_DRAIN);
	assert_non_null(room);
	assert_ptr_equal(room, buf.data);
	assert_int_equal(drains, 1);
	assert_true(buf.size >= 5 * BUF_DRAIN);
	buf_free(&buf);
}

static void an_addition_fails_where_nothing_can_be_passed_on(void **state)
{
	struct buf buf;

	(void)state;
	drains = 0;
	buf_init(&buf, (size_t)1 << 30);
	buf.drain = pass_nothing_on;
	for (size_t i = 0; i < BUF_DRAIN; i++)
		assert_true(buf_add_byte(&buf, 'x'));
	assert_int_equal(drains, 0);
	assert_false(buf_add_byte(&buf, 'x'));
	assert_int_equal(drains, 1);
	assert_int_equal(buf.len, BUF_DRAIN);
	buf_free(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_empty_without_memory),
		cmocka_unit_test(additions_follow_each_other),
		cmocka_unit_test(keeps_nul_bytes),
		cmocka_unit_test(adding_nothing_succeeds),
		cmocka_unit_test(fills_up_to_the_cap_and_no_further),
		cmocka_unit_test(a_refused_addition_changes_nothing),
		cmocka_unit_test(an_addition_without_memory_is_refused),
		cmocka_unit_test(formatted_text_may_fill_the_buffer_to_its_cap),
		cmocka_unit_test(reserved_room_can_be_written),
		cmocka_unit_test(grows_seldom),
		cmocka_unit_test(drops_from_the_front),
		cmocka_unit_test(can_be_used_again_after_free),
		cmocka_unit_test(what_can_be_passed_on_is_not_held),
		cmocka_unit_test(an_addition_larger_than_what_is_passed_on_has_its_room),
		cmocka_unit_test(an_addition_fails_where_nothing_can_be_passed_on),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
