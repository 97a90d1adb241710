/* SPDX-License-Identifier: MIT */
/* Taking events out of envelopes (cmd/sse-tail/envelope.h), and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "envelope.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct sse_text text_of(const char *text)
{
	return (struct sse_text){text, strlen(text)};
}

static void assert_text(struct sse_text text, const char *want)
{
	if (text.len != strlen(want) || memcmp(text.data, want, text.len) != 0)
		fail_msg("'%.*s' instead of '%s'", (int)text.len, text.data, want);
}

struct row {
	const char *data, *inner, *topic, *subject;
	int64_t time;
};

static void assert_row(struct envelope *envelope, const struct row *row)
{
	const struct sse_event event = {
		text_of("update"), text_of(row->data), text_of("x:1"), true};
	struct sse_event inner;
	struct error error;

	assert_int_equal(envelope_open(envelope, &event, &inner, &error), 0);
	assert_text(inner.data, row->inner);
	assert_text(inner.type, "update");
	assert_text(inner.id, "x:1");
	assert_true(inner.has_id);
	assert_text(envelope->topic, row->topic);
	assert_text(envelope->subject, row->subject);
	if (envelope->time != row->time)
		fail_msg("%s: time %lld", row->data, (long long)envelope->time);
}

static void an_envelope_is_opened(void **state)
{
	static const struct row rows[] = {
		{"{\"topic\":\"a/b\",\"id\":\"x:1\",\"time\":\"2025-11-30T20:07:41.509Z\",\"event\":\"update\","
		 "\"data\":{\"n\": 1.0, \"n\":[ ]}}",
			"{\"n\": 1.0, \"n\":[ ]}", "a/b", "", INT64_C(1764533261509)},
		{"{\"topic\":\"a\",\"time\":\"2025-11-30T20:07:41.509Z\",\"event\":\"update\","
		 "\"subject\":\"s \\u00e9\",\"data\":\"two\\nlines\"}",
			"two\nlines", "a", "s \xc3\xa9", INT64_C(1764533261509)},
		/* What was imported may have no time; text may be empty. */
		{"{\"topic\":\"a\",\"event\":\"update\",\"data\":\"\"}", "", "a", "",
			ENVELOPE_NO_TIME},
		{"{\"topic\":\"a\",\"event\":\"update\",\"subject\":\"s\",\"data\":null}", "null",
			"a", "s", ENVELOPE_NO_TIME},
		{"{\"topic\":\"a\",\"time\":\"yesterday\",\"event\":\"update\",\"data\":1}", "1",
			"a", "", ENVELOPE_NO_TIME},
	};
	struct envelope envelope;

	(void)state;
	envelope_init(&envelope, NULL);
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(&envelope, &rows[i]);
	envelope_free(&envelope);
}

static void anything_else_stays_as_it_is(void **state)
{
	static const char *const others[] = {"", "text", "{}", "[1]", "{\"topic\":\"a\"}",
		/* Of another type, in another order, with other members, twice, or not JSON. */
		"{\"topic\":\"a\",\"event\":\"message\",\"data\":1}",
		"{\"event\":\"update\",\"topic\":\"a\",\"data\":1}",
		"{\"topic\":\"a\",\"event\":\"update\",\"data\":1,\"id\":\"x\"}",
		"{\"topic\":\"a\",\"event\":\"update\",\"more\":2,\"data\":1}",
		"{\"topic\":\"a\",\"topic\":\"b\",\"event\":\"update\",\"data\":1}",
		"{\"topic\":\"a\",\"id\":7,\"event\":\"update\",\"data\":1}",
		"{\"topic\":\"a\",\"event\":\"update\",\"data\":1",
		"{\"topic\":\"a\",\"event\":\"update\"}", "{\"topic\":\"a\",\"data\":1}",
		"{\"after\":\"x:1\",\"reason\":\"expired\"}"};
	struct envelope envelope;

	(void)state;
	envelope_init(&envelope, "only");
	for (size_t i = 0; i < COUNT(others); i++)
		assert_row(&envelope,
			&(struct row){others[i], others[i], "only", "", ENVELOPE_NO_TIME});
	envelope_free(&envelope);
}

/* What one envelope says is not said of the next event. */
static void nothing_is_left_of_the_envelope_before(void **state)
{
	static const struct row first = {
		"{\"topic\":\"a\",\"time\":\"2025-11-30T20:07:41.509Z\",\"event\":\"update\","
		"\"subject\":\"s\",\"data\":\"x\"}",
		"x", "a", "s", INT64_C(1764533261509)};
	static const struct row second = {"plain", "plain", "", "", ENVELOPE_NO_TIME};
	struct envelope envelope;

	(void)state;
	envelope_init(&envelope, NULL);
	assert_row(&envelope, &first);
	assert_row(&envelope, &second);
	envelope_free(&envelope);
}

/* Data may be as deep as JSON may be anywhere; the envelope does not count. */
static void an_envelope_holds_the_deepest_data(void **state)
{
	enum { DEEP = 200 };
	static char data[DEEP * 2 + 60], inner[DEEP * 2 + 1];
	struct envelope envelope;

	(void)state;
	memset(inner, '[', DEEP);
	memset(inner + DEEP, ']', DEEP);
	strcpy(data, "{\"topic\":\"a\",\"event\":\"update\",\"data\":");
	strcat(strcat(data, inner), "}");
	envelope_init(&envelope, NULL);
	assert_row(&envelope, &(struct row){data, inner, "a", "", ENVELOPE_NO_TIME});
	envelope_free(&envelope);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_envelope_is_opened),
		cmocka_unit_test(anything_else_stays_as_it_is),
		cmocka_unit_test(nothing_is_left_of_the_envelope_before),
		cmocka_unit_test(an_envelope_holds_the_deepest_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
