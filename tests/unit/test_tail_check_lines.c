/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-tail/check_lines.c: what is found in a stream, however it is torn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "check_lines.h"

#define BYTES(text) text, sizeof(text) - 1

/* What is to be found in a stream. */
static const struct row {
	const char *stream;
	size_t len;
	bool bom;
	int64_t retry;
	uint64_t not_utf8, no_field, no_data, bad_id, bad_retry;
	bool within;
} rows[] = {
	{BYTES(""), .retry = -1},
	{BYTES("data: 1\n\ndata:2\r\rid\r\n\r\n: comment\n\n"), .retry = -1},
	{BYTES("data: 1\n"), .retry = -1, .within = true},
	{BYTES("data: 1\n\n:"), .retry = -1, .within = true},
	{BYTES("\xef\xbb\xbf" "data: 1\n\n"), .bom = true, .retry = -1},
	{BYTES("\xef\xbb\xbf\n"), .bom = true, .retry = -1},
	{BYTES("data: 1\n\n\xef\xbb\xbf" "data: 1\n\n"), .retry = -1, .no_field = 1},
	{BYTES("retry: 2000\nretry:10\n"), .retry = 10, .within = true},
	{BYTES("retry: 1s\nretry\nretry: -1\n\n"), .retry = -1, .bad_retry = 3},
	{BYTES("retry: 99999999999999999999999\n\n"), .retry = 99999999999999999},
	{BYTES("{}\n\nDATA: 1\ndata : 1\n data: 1\ndatabase: 1\n\n"), .retry = -1, .no_field = 5},
	{BYTES("event: ping\n\nevent: a\ndata\n\ndata: 1\nevent: b\n\nevent: c\n\n"), .retry = -1,
		.no_data = 2},
	{BYTES("data: \xff\n: \xc3\nevent: \xed\xa0\x80\n\n"), .retry = -1, .not_utf8 = 3},
	{BYTES("id: \0\nid: a\0\nid: a\ndata: \0\n\n"), .retry = -1, .bad_id = 2},
};

static void compare(const struct check_lines *lines, const struct row *row)
{
	assert_int_equal(lines->bom, row->bom);
	assert_int_equal(lines->retry, row->retry);
	assert_int_equal(lines->not_utf8.count, row->not_utf8);
	assert_int_equal(lines->no_field.count, row->no_field);
	assert_int_equal(lines->no_data.count, row->no_data);
	assert_int_equal(lines->bad_id.count, row->bad_id);
	assert_int_equal(lines->bad_retry.count, row->bad_retry);
	assert_int_equal(check_lines_within(lines), row->within);
}

/* Each row in two pieces, torn at each place, from memory of just that size. */
static void each_row_is_found_however_torn(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];

		for (size_t at = 0; at <= row->len; at++) {
			char *head = malloc(at + 1), *rest = malloc(row->len - at + 1);
			struct check_lines lines;

			assert_non_null(head);
			assert_non_null(rest);
			memcpy(head, row->stream, at);
			memcpy(rest, row->stream + at, row->len - at);
			check_lines_init(&lines);
			check_lines_feed(&lines, head, at);
			check_lines_feed(&lines, rest, row->len - at);
			compare(&lines, row);
			check_lines_free(&lines);
			free(head);
			free(rest);
		}
	}
}

static void json_lines_have_no_fields(void **state)
{
	struct check_lines lines;

	(void)state;
	check_lines_init(&lines);
	lines.json = true;
	check_lines_feed(&lines, BYTES("\xef\xbb\xbf{\"a\":1}\r\n\nretry: 1\nid: \0\n\xff\n{"));
	check_lines_event(&lines, (struct sse_text){BYTES("{\"a\":1}")});
	check_lines_event(&lines, (struct sse_text){BYTES("retry: 1")});
	check_lines_event(&lines, (struct sse_text){BYTES("id: \0")});
	assert_true(lines.bom);
	assert_int_equal(lines.retry, -1);
	assert_int_equal(lines.no_field.count, 0);
	assert_int_equal(lines.bad_id.count, 0);
	assert_int_equal(lines.not_utf8.count, 1);
	assert_int_equal(lines.not_json.count, 2);
	assert_memory_equal(lines.not_json.text, "retry: 1", lines.not_json.len);
	assert_true(check_lines_within(&lines));
	check_lines_free(&lines);
}

static void the_first_of_its_kind_is_kept_cut(void **state)
{
	static const char word[] = "0123456789";
	struct check_lines lines;

	(void)state;
	check_lines_init(&lines);
	for (int i = 0; i < 20; i++)
		check_lines_feed(&lines, word, strlen(word));
	check_lines_feed(&lines, BYTES("\nsecond\n"));
	assert_int_equal(lines.no_field.count, 2);
	assert_int_equal(lines.no_field.len, CHECK_LINES_SHOWN);
	assert_memory_equal(lines.no_field.text, "01234567890123456789", 20);
	check_lines_free(&lines);
}

static void a_character_that_is_cut_with_its_line_is_no_fault(void **state)
{
	struct check_lines lines;

	(void)state;
	check_lines_init(&lines);
	check_lines_feed(&lines, BYTES("data: "));
	for (int i = 0; i < 100000; i++)
		check_lines_feed(&lines, BYTES("\xe2\x82\xac"));
	check_lines_feed(&lines, BYTES("\n\n"));
	assert_int_equal(lines.not_utf8.count, 0);
	check_lines_feed(&lines, BYTES("data: \xe2\x82\n\n"));
	assert_int_equal(lines.not_utf8.count, 1);
	check_lines_free(&lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_is_found_however_torn),
		cmocka_unit_test(json_lines_have_no_fields),
		cmocka_unit_test(the_first_of_its_kind_is_kept_cut),
		cmocka_unit_test(a_character_that_is_cut_with_its_line_is_no_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
