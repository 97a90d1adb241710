/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/api/cloudevent.c: the type and the key of a CloudEvent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "api/cloudevent.h"
#include "api/content.h"
#include "log/store.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BOTH (CLOUDEVENT_TYPE | CLOUDEVENT_KEY)

static int read_text(const char *text, unsigned uses, struct cloudevent *event, struct buf *out,
	struct error *error)
{
	struct json_text value;

	*error = (struct error){0};
	assert_true(json_check(text, strlen(text), &value, NULL));
	return cloudevent_read(value, uses, event, out, error);
}

static void same(struct sse_text text, const char *wanted)
{
	assert_int_equal(text.len, strlen(wanted));
	assert_memory_equal(text.len > 0 ? text.data : "", wanted, text.len);
}

static void type_and_key_are_found(void **state)
{
	static const struct {
		const char *text;
		unsigned uses;
		const char *type, *key;
	} rows[] = {
		{"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/a\",\"type\":\"t\",\"data\":{}}",
			BOTH, "t", "/a 1"},
		{"{\"id\":\"1\"}", BOTH, "", "1"},
		{"{\"source\":\"/a\",\"type\":\"t\"}", BOTH, "t", ""},
		{"{}", BOTH, "", ""},
		{"{\"id\":\"1\",\"type\":\"t\"}", CLOUDEVENT_TYPE, "t", ""},
		{"{\"id\":\"1\",\"type\":\"t\"}", CLOUDEVENT_KEY, "", "1"},
		/* Escapes are decoded, in names too; of what is inside the data nothing counts. */
		{"{\"t\\u0079pe\":\"\\u00e9\\\"\",\"data\":{\"type\":7,\"id\":\"\"},\"id\":\"\\u0041\"}",
			BOTH, "\xc3\xa9\"", "A"},
		{"{\"ID\":7,\"Type\":\"\",\"id\":\"x\"}", BOTH, "", "x"},
		/* What is not to be used need not be fit for it. */
		{"{\"type\":\"gap\",\"id\":\"a\\nb\"}", 0, "", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cloudevent event;
		struct error error;
		struct buf out;

		if (read_text(rows[i].text, rows[i].uses, &event, &out, &error) != 0)
			fail_msg("%s: %s", rows[i].text, error.text);
		same(event.type, rows[i].type);
		same(event.key, rows[i].key);
		buf_free(&out);
	}
}

static void a_subject_is_found_if_it_is_one_of_ours(void **state)
{
	static const struct {
		const char *text, *subject;
	} rows[] = {
		{"{\"id\":\"1\",\"subject\":\"w\\u00e9b\"}", "w\xc3\xa9"
							     "b"},
		{"{\"id\":\"1\"}", ""},
		{"{\"subject\":null}", ""},
		{"{\"subject\":null,\"subject\":\"a\"}", "a"},
	};
	struct cloudevent event;
	struct error error;
	struct buf out;
	char text[3000];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(
			read_text(rows[i].text, BOTH | CLOUDEVENT_SUBJECT, &event, &out, &error),
			0);
		same(event.subject, rows[i].subject);
		buf_free(&out);
		assert_int_equal(read_text(rows[i].text, BOTH, &event, &out, &error), 0);
		same(event.subject, "");
		buf_free(&out);
	}
	/* One that is too long is left out, and takes no room from the key. */
	for (int len = 199; len < 2500; len += len < 202 ? 1 : 200) {
		snprintf(text, sizeof(text), "{\"subject\":\"%0*d\",\"id\":\"%0*d\"}", len, 0,
			EVENT_KEY_MAX, 0);
		assert_int_equal(
			read_text(text, BOTH | CLOUDEVENT_SUBJECT, &event, &out, &error), 0);
		assert_int_equal(event.subject.len, len <= EVENT_SUBJECT_MAX ? len : 0);
		assert_int_equal(event.key.len, EVENT_KEY_MAX);
		buf_free(&out);
	}
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *text, *named;
	} rows[] = {
		{"[]", "a CloudEvent is a JSON object"},
		{"\"x\"", "a CloudEvent is a JSON object"},
		{"{\"id\":7}", "the 'id' of the CloudEvent must be a string that is not empty"},
		{"{\"id\":\"\"}", "the 'id' of the CloudEvent must be"},
		{"{\"id\":null}", "the 'id' of the CloudEvent must be"},
		{"{\"source\":[\"a\"]}", "the 'source' of the CloudEvent must be"},
		{"{\"source\":\"\"}", "the 'source' of the CloudEvent must be"},
		{"{\"type\":{}}", "the 'type' of the CloudEvent must be"},
		{"{\"type\":\"\",\"id\":\"1\"}", "the 'type' of the CloudEvent must be"},
		{"{\"id\":\"1\",\"id\":\"1\"}", "the 'id' of the CloudEvent appears twice"},
		{"{\"type\":\"a\",\"t\\u0079pe\":\"a\"}",
			"the 'type' of the CloudEvent appears twice"},
		{"{\"type\":\"gap\"}", "the 'type' of the CloudEvent is one of gap,"},
		{"{\"type\":\"a\\nb\"}", "the 'type' of the CloudEvent contains a newline"},
		{"{\"type\":\"a\\u0000b\"}", "the 'type' of the CloudEvent contains a NUL"},
		{"{\"subject\":7}", "the 'subject' of the CloudEvent must be a string"},
		{"{\"subject\":\"\"}", "the 'subject' of the CloudEvent must be"},
		{"{\"subject\":\"a\\nb\"}", "the 'subject' of the CloudEvent contains a control"},
		{"{\"subject\":\"a\",\"subject\":\"a\"}",
			"'subject' of the CloudEvent appears twice"},
		{"{\"id\":\"a\\tb\"}", "which is its 'id', contains a control character"},
		{"{\"id\":\"a\",\"source\":\"\\u0000\"}",
			"which is its 'source' and 'id', contains a control character: send an "
			"Idempotency-Key"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cloudevent event;
		struct error error;
		struct buf out;

		if (read_text(rows[i].text, BOTH | CLOUDEVENT_SUBJECT, &event, &out, &error) != -1)
			fail_msg("%s was taken", rows[i].text);
		assert_int_equal(error.status, EX_DATAERR);
		if (strstr(error.text, rows[i].named) == NULL)
			fail_msg("%s: %s", rows[i].text, error.text);
		buf_free(&out);
	}
}

/* Read an event whose source, id and type have so many letters.  The sentence, or "". */
static const char *read_lengths(int source, int id, int type)
{
	static char text[8000];
	static struct error error;
	struct cloudevent event;
	struct buf out;

	snprintf(text, sizeof(text), "{\"source\":\"%0*d\",\"id\":\"%0*d\",\"type\":\"%0*d\"}",
		source, 0, id, 0, type, 0);
	if (read_text(text, BOTH, &event, &out, &error) == 0) {
		assert_int_equal(event.key.len, source + 1 + id);
		assert_int_equal(event.type.len, type);
	}
	buf_free(&out);
	return error.text;
}

static void lengths_have_their_limits(void **state)
{
	(void)state;
	assert_string_equal(read_lengths(200, EVENT_KEY_MAX - 201, EVENT_TYPE_MAX), "");
	assert_non_null(strstr(read_lengths(200, EVENT_KEY_MAX - 200, 1), "longer than 255 bytes"));
	assert_non_null(strstr(read_lengths(1, 1, EVENT_TYPE_MAX + 1), "longer than 200 bytes"));
	/* More than is decoded at all. */
	for (int len = 500; len < 2500; len += 200) {
		assert_non_null(strstr(read_lengths(len, 1, 1), "longer than 255 bytes"));
		assert_non_null(strstr(read_lengths(1, len, 1), "longer than 255 bytes"));
		assert_non_null(strstr(read_lengths(1, 1, len), "longer than 200 bytes"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(type_and_key_are_found),
		cmocka_unit_test(a_subject_is_found_if_it_is_one_of_ours),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(lengths_have_their_limits),
	};

	return cmocka_run_group_tests_name("serve_cloudevent", tests, NULL, NULL);
}
