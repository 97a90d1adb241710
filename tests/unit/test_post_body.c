/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-post/body.c: batches, and what the answers to them say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "body.h"

static void add(struct group *group, enum event_kind kind, const char *type, const char *key,
	const char *data)
{
	struct event event = {.kind = kind};

	assert_true(group_put(group, data, strlen(data), &event.data));
	assert_true(group_put(group, type, strlen(type), &event.type));
	assert_true(group_put(group, key, strlen(key), &event.key));
	event.alone = event_is_alone(group, &event);
	assert_true(group_add(group, &event));
}

static void assert_batch(const struct group *group, size_t from, size_t max, size_t bytes,
	size_t count, const char *want)
{
	struct buf out;

	buf_init(&out, SIZE_MAX / 2);
	assert_int_equal(body_batch(group, from, max, bytes, &out), count);
	if (want != NULL) {
		assert_int_equal(out.len, strlen(want));
		assert_memory_equal(out.data, want, out.len);
	}
	buf_free(&out);
}

static void a_line_has_key_type_and_data(void **state)
{
	struct group group;

	(void)state;
	group_init(&group);
	add(&group, EVENT_JSON, "", "k1", "{\"n\":1.10}");
	add(&group, EVENT_TEXT, "note", "k\"2", "two\nlines");
	add(&group, EVENT_TEXT, "", "", "");
	assert_batch(&group, 0, 10, 1000, 3,
		"{\"key\":\"k1\",\"data\":{\"n\":1.10}}\n"
		"{\"key\":\"k\\\"2\",\"event\":\"note\",\"data\":\"two\\nlines\"}\n"
		"{\"data\":\"\"}\n");
	group_free(&group);
}

static void a_line_names_its_topic(void **state)
{
	struct group group;

	(void)state;
	group_init(&group);
	add(&group, EVENT_JSON, "", "k1", "{\"n\":\n1}");
	add(&group, EVENT_TEXT, "note", "", "x");
	assert_true(group_put(&group, "a/b", 3, &group.all[0].topic));
	assert_true(group_put(&group, "c", 1, &group.all[1].topic));
	assert_true(group.all[0].alone);
	for (size_t i = 0; i < 2; i++) {
		group.all[i].alone = event_is_alone(&group, &group.all[i]);
		assert_false(group.all[i].alone);
	}
	/* A line end between tokens is one that the line can have. */
	assert_batch(&group, 0, 10, 1000, 2,
		"{\"topic\":\"a/b\",\"key\":\"k1\",\"data\":{\"n\":\r1}}\n"
		"{\"topic\":\"c\",\"event\":\"note\",\"data\":\"x\"}\n");
	group_free(&group);
}

static void a_line_has_the_subject_after_the_type(void **state)
{
	struct group group;

	(void)state;
	group_init(&group);
	add(&group, EVENT_TEXT, "note", "k", "");
	add(&group, EVENT_JSON, "", "", "1");
	assert_true(group_put(&group, "w\"1", 3, &group.all[0].subject));
	assert_true(group_put(&group, "w2", 2, &group.all[1].subject));
	assert_batch(&group, 0, 10, 1000, 2,
		"{\"key\":\"k\",\"event\":\"note\",\"subject\":\"w\\\"1\",\"data\":\"\"}\n"
		"{\"subject\":\"w2\",\"data\":1}\n");
	group_free(&group);
}

static void a_batch_ends_at_its_limits(void **state)
{
	struct group group;

	(void)state;
	group_init(&group);
	for (int i = 0; i < 10; i++)
		add(&group, EVENT_JSON, "", "", "1");
	assert_batch(&group, 0, 4, 1000, 4, NULL);
	assert_batch(&group, 8, 4, 1000, 2, NULL);
	/* A line has 11 bytes; one is always taken. */
	assert_batch(&group, 0, 10, 33, 3, NULL);
	assert_batch(&group, 0, 10, 1, 1, "{\"data\":1}\n");
	group_free(&group);
}

static void what_a_batch_would_change_goes_alone(void **state)
{
	struct group group;

	(void)state;
	group_init(&group);
	add(&group, EVENT_JSON, "", "", "1");
	add(&group, EVENT_JSON, "", "", "\"a string\"");
	add(&group, EVENT_JSON, "", "", "[1,\n2]");
	add(&group, EVENT_FORM, "", "", "a=b");
	add(&group, EVENT_JSON, "", "", "2");
	assert_batch(&group, 0, 10, 1000, 1, NULL);
	for (size_t i = 1; i < 4; i++)
		assert_batch(&group, i, 10, 1000, 1, NULL);
	assert_batch(&group, 4, 10, 1000, 1, NULL);
	group_free(&group);
}

static struct buf buf_of(const char *text)
{
	return (struct buf){.data = (char *)(uintptr_t)text, .len = strlen(text)};
}

static void results_are_read_line_by_line(void **state)
{
	struct buf answer = buf_of("{\"id\":\"a:1\",\"duplicate\":false}\n"
				   "{\"id\":\"a:2\",\"duplicate\":true}\nno\n");
	struct body_result result;
	size_t cursor = 0;

	(void)state;
	assert_int_equal(body_results(&answer), 3);
	assert_true(body_result(&answer, &cursor, &result));
	assert_true(result.id.len == 3 && memcmp(result.id.data, "a:1", 3) == 0);
	assert_false(result.duplicate);
	assert_true(body_result(&answer, &cursor, &result));
	assert_true(result.duplicate);
	assert_false(body_result(&answer, &cursor, &result));
	answer = buf_of("");
	assert_int_equal(body_results(&answer), 0);
}

static void the_wrong_line_is_found(void **state)
{
	static const struct {
		const char *body;
		uint64_t line;
	} rows[] = {{"{\"detail\":\"line 3: the field 'x' is missing\"}", 3},
		{"{\"detail\":\"line 12\"}", 12}, {"{\"detail\":\"a line 3\"}", 0},
		{"{\"detail\":\"line x\"}", 0}, {"{\"detail\":3}", 0},
		{"{\"title\":\"line 3\"}", 0}, {"line 3", 0}, {"[]", 0}, {"", 0},
		{"{\"detail\":\"line 99999999999999999999\"}", 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf answer = buf_of(rows[i].body);

		if (body_wrong_line(&answer) != rows[i].line)
			fail_msg("'%s'", rows[i].body);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_has_key_type_and_data),
		cmocka_unit_test(a_line_names_its_topic),
		cmocka_unit_test(a_line_has_the_subject_after_the_type),
		cmocka_unit_test(a_batch_ends_at_its_limits),
		cmocka_unit_test(what_a_batch_would_change_goes_alone),
		cmocka_unit_test(results_are_read_line_by_line),
		cmocka_unit_test(the_wrong_line_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
