/* SPDX-License-Identifier: MIT */
/* Tests of an event's subject: cmd/sse-serve/log/subject.c, envelopes, the window, lines of a log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "log/envelope.h"
#include "log/subject.h"
#include "log/window.h"
#include "maintain/import_line.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct sse_text text_of(const char *text)
{
	return (struct sse_text){text, strlen(text)};
}

static void subjects_are_utf8_without_controls(void **state)
{
	static const struct {
		const char *text, *fault;
	} rows[] = {
		{"web1", NULL},
		{" ", NULL},
		{"rack 7/web\xc3\xa9", NULL},
		{"\"\\", NULL},
		{"", "is empty"},
		{"a\tb", "contains a control character"},
		{"a\nb", "contains a control character"},
		{"\x7f", "contains a control character"},
		{"\xc2\x85", "contains a control character"},
		{"\xff", "is not valid UTF-8"},
		{"\xed\xa0\x80", "is not valid UTF-8"},
	};
	char longest[EVENT_SUBJECT_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *fault = subject_fault(text_of(rows[i].text));

		if (rows[i].fault == NULL)
			assert_null(fault);
		else
			assert_string_equal(fault, rows[i].fault);
	}
	memset(longest, 'x', sizeof(longest));
	assert_null(subject_fault((struct sse_text){longest, EVENT_SUBJECT_MAX}));
	assert_string_equal(subject_fault((struct sse_text){longest, EVENT_SUBJECT_MAX + 1}),
		"is longer than 200 bytes");
	assert_string_equal(
		subject_fault((struct sse_text){"a\0b", 3}), "contains a control character");
}

static void an_empty_string_is_no_data_where_there_is_a_subject(void **state)
{
	struct event event = {.json = true, .data = text_of("\"\""), .subject = text_of("web1")};
	struct event full = {.json = true, .data = text_of("{}"), .subject = text_of("web1")};
	struct event without = {.json = true, .data = text_of("\"\"")};

	(void)state;
	subject_settle(&event);
	assert_false(event.json);
	assert_int_equal(event.data.len, 0);
	subject_settle(&event);
	assert_int_equal(event.data.len, 0);
	subject_settle(&full);
	assert_true(full.json);
	assert_int_equal(full.data.len, 2);
	subject_settle(&without);
	assert_true(without.json);
	assert_int_equal(without.data.len, 2);
}

static void an_envelope_has_it_after_the_type(void **state)
{
	struct topics *topics = topics_new();
	struct event event = {.topic = topics_add(topics, "hosts"),
		.type = text_of("update"),
		.data = text_of("{}"),
		.subject = text_of("a\"b\xc3\xa9"),
		.json = true};
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	assert_true(envelope_add(&out, &event, "x:1") && buf_add_byte(&out, '\0'));
	assert_string_equal(out.data,
		"{\"topic\":\"hosts\",\"id\":\"x:1\",\"time\":\"1970-01-01T00:00:00.000Z\","
		"\"event\":\"update\",\"subject\":\"a\\\"b\xc3\xa9\",\"data\":{}}");
	buf_free(&out);
	topics_free(topics);
}

/* Add it to the window, where it is visible. */
static void add(struct window *window, struct topic *topic, uint64_t position, const char *data,
	const char *subject)
{
	struct event event = {.position = position,
		.topic = topic,
		.type = text_of("update"),
		.data = text_of(data),
		.subject = text_of(subject)};

	window_add(window, &event, "x:1", 3);
	window_publish(window);
}

static void assert_subject(const struct window *window, uint64_t entry, const char *subject)
{
	struct sse_text is = window_subject(window_entry(window, entry));

	assert_int_equal(is.len, strlen(subject));
	assert_memory_equal(is.data, subject, is.len);
}

/* Subjects lie between the frames, which must be whole. */
static void a_window_that_is_the_log_keeps_it(void **state)
{
	static const char longest[] =
		"0123456789012345678901234567890123456789012345678901234567890123"
		"4567890123456789012345678901234567890123456789012345678901234567"
		"8901234567890123456789012345678901234567890123456789012345678901"
		"23456789";
	struct topics *topics = topics_new();
	struct topic *topic = topics_add(topics, "hosts");
	struct error error = {0};
	struct window *window = window_new(4096, 1, 0, true, &error);
	struct topic_set set = {0};
	struct window_view view = {.topics = &set}, lines = {.topics = &set, .form = FORM_LINE};
	struct window_chunk chunk;
	uint64_t entry;
	size_t len;

	(void)state;
	assert_non_null(window);
	assert_int_equal(strlen(longest), EVENT_SUBJECT_MAX);
	assert_int_equal(topic_set_add(&set, topic), 0);
	add(window, topic, 1, "one", "web1");
	add(window, topic, 2, "two", "");
	window_want_form(window, FORM_LINE, 1);
	add(window, topic, 3, "", longest);
	assert_true(window_seek(window, 0, 0, &entry));
	assert_subject(window, entry, "web1");
	assert_subject(window, entry + 1, "");
	assert_subject(window, entry + 2, longest);
	window_gather(window, &view, entry, window_head(window), 0, 0, &chunk);
	assert_int_equal(chunk.events, 3);
	assert_int_equal(chunk.len, 3 * strlen("event: update\ndata: \nid: x:1\n\n") + 6);
	assert_memory_equal(window_frame(&view, window_entry(window, entry + 2), &len),
		"event: update\ndata: \nid: x:1\n\n", chunk.len / 3 - 2);
	assert_non_null(window_frame(&lines, window_entry(window, entry + 2), &len));
	/* Round the ring, many times. */
	for (uint64_t i = 4; i < 400; i++) {
		window_withdraw(window, 0);
		add(window, topic, i, "data", i % 3 == 0 ? longest : "web1");
		assert_true(window_announce(window, 0, i - 1));
		assert_subject(window, i - 1, i % 3 == 0 ? longest : "web1");
	}
	window_withdraw(window, 0);
	topic_set_free(&set);
	window_free(window);
	topics_free(topics);
}

static void a_window_before_a_database_does_not_keep_it(void **state)
{
	struct topics *topics = topics_new();
	struct topic *topic = topics_add(topics, "hosts");
	struct error error = {0};
	struct window *window = window_new(4096, 1, 0, false, &error);

	(void)state;
	assert_non_null(window);
	add(window, topic, 1, "one", "web1");
	assert_int_equal(window_announce_oldest(window, 0), 0);
	assert_subject(window, 0, "");
	window_withdraw(window, 0);
	window_free(window);
	topics_free(topics);
}

static void a_line_of_a_log_may_have_one(void **state)
{
	static const struct {
		const char *subject, *is, *fault;
	} rows[] = {
		{"", "", NULL},
		{",\"subject\":\"a\\u00e9\"", "a\xc3\xa9", NULL},
		{",\"subject\":\"\"", NULL, "the subject is empty"},
		{",\"subject\":\"a\\nb\"", NULL, "the subject contains a control character"},
		{",\"subject\":7", NULL, "subject is not a string"},
		{",\"subject\":null", NULL, "subject is not a string"},
	};
	struct buf out;

	(void)state;
	buf_init(&out, SIZE_MAX / 2);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[200] = "{\"topic\":\"t\",\"id\":\"x:1\",\"time\":\"\",\"event\":\"e\"";
		struct sse_text subject = {"", 0};
		struct error error = {0};
		struct import_line line;

		strcat(strcat(text, rows[i].subject), ",\"data\":1}");
		assert_int_equal(import_line_read(text, strlen(text), &line, &error), 0);
		assert_int_equal(line.kind, IMPORT_EVENT);
		if (rows[i].is != NULL) {
			assert_int_equal(import_line_subject(&line, &out, &subject, &error), 0);
			assert_int_equal(subject.len, strlen(rows[i].is));
			assert_memory_equal(subject.data, rows[i].is, subject.len);
		} else {
			assert_int_equal(import_line_subject(&line, &out, &subject, &error), -1);
			assert_int_equal(error.status, EX_DATAERR);
			assert_string_equal(error.text, rows[i].fault);
		}
	}
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(subjects_are_utf8_without_controls),
		cmocka_unit_test(an_empty_string_is_no_data_where_there_is_a_subject),
		cmocka_unit_test(an_envelope_has_it_after_the_type),
		cmocka_unit_test(a_window_that_is_the_log_keeps_it),
		cmocka_unit_test(a_window_before_a_database_does_not_keep_it),
		cmocka_unit_test(a_line_of_a_log_may_have_one),
	};

	return cmocka_run_group_tests_name("serve_subject", tests, NULL, NULL);
}
