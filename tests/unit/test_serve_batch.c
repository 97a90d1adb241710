/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/api/batch.c: NDJSON bodies, with and without envelopes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "api/batch.h"
#include "api/content.h"
#include "hash.h"
#include "json.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A body read, with a copy of it of exactly its size: a sanitizer sees a read too far. */
struct fixture {
	struct batch_rules rules;
	struct batch batch;
	char *body;
	struct error error;
};

static struct sse_text text_of(const char *text)
{
	return (struct sse_text){text, strlen(text)};
}

static struct fixture plain(void)
{
	return (struct fixture){.rules = {.topic = "any", .type = text_of("update")}};
}

static struct fixture envelopes(void)
{
	struct fixture f = plain();

	f.rules.envelope = true;
	return f;
}

static void clear(struct fixture *f)
{
	batch_free(&f->batch);
	free(f->body);
	f->body = NULL;
	f->error = (struct error){0};
}

static enum batch_result read_bytes(struct fixture *f, const char *body, size_t len)
{
	clear(f);
	f->body = malloc(len > 0 ? len : 1);
	assert_non_null(f->body);
	memcpy(f->body, body, len);
	return batch_read(&f->batch, f->body, len, &f->rules, &f->error);
}

static enum batch_result read_text(struct fixture *f, const char *body)
{
	return read_bytes(f, body, strlen(body));
}

static void assert_text(struct sse_text is, const char *text)
{
	if (is.len != strlen(text) || (is.len > 0 && memcmp(is.data, text, is.len) != 0))
		fail_msg("'%.*s' is not '%s'", (int)is.len, is.data, text);
}

/* The event of that number has this kind, data, type and key. */
static void assert_event(const struct fixture *f, size_t number, bool json, const char *data,
	const char *type, const char *key)
{
	const struct store_append *append = &f->batch.appends[number];

	assert_true(number < f->batch.count);
	assert_int_equal(append->event.json, json);
	assert_text(append->event.data, data);
	assert_text(append->event.type, type);
	assert_text(append->key, key);
	assert_string_equal(append->topic, f->rules.topic);
	assert_false(append->event.ephemeral);
}

/* The body is refused, and the sentence has this in it. */
static void assert_refused(struct fixture *f, const char *body, const char *said)
{
	enum batch_result result = read_text(f, body);

	if (result != BATCH_WRONG || strstr(f->error.text, said) == NULL)
		fail_msg("'%s': %d, '%s', and not '%s'", body, (int)result, f->error.text, said);
	assert_int_equal(f->error.status, EX_DATAERR);
}

static void a_line_is_an_event(void **state)
{
	static const char *const bodies[] = {"{\"a\" : 1.0}\n\"x\"\n[]\n",
		"{\"a\" : 1.0}\n\"x\"\n[]", "{\"a\" : 1.0}\r\n\"x\"\r\n[]\r\n",
		"  {\"a\" : 1.0} \n\t\"x\"\r\n[]\r"};
	struct fixture f = plain();

	(void)state;
	for (size_t i = 0; i < COUNT(bodies); i++) {
		assert_int_equal(read_text(&f, bodies[i]), BATCH_OK);
		assert_int_equal(f.batch.count, 3);
		assert_event(&f, 0, true, "{\"a\" : 1.0}", "update", "");
		assert_event(&f, 1, true, "\"x\"", "update", "");
		assert_event(&f, 2, true, "[]", "update", "");
		assert_int_equal(f.batch.lines[2], 3);
	}
	/* What needs no decoding stands where it came. */
	assert_true(f.batch.appends[2].event.data.data > f.body);
	assert_int_equal(f.batch.text.len, 0);
	clear(&f);
}

static void blank_lines_are_skipped_and_counted(void **state)
{
	struct fixture f = plain();

	(void)state;
	assert_int_equal(read_text(&f, "\n\r\n1\n \t\r\n\n2\n\n\n"), BATCH_OK);
	assert_int_equal(f.batch.count, 2);
	assert_int_equal(f.batch.lines[0], 3);
	assert_int_equal(f.batch.lines[1], 6);
	assert_refused(&f, "\n\n1\n\nx\n", "line 5 is not JSON: at byte 1");
	assert_refused(&f, "", "no event");
	assert_refused(&f, "\n\r\n  \n", "no event");
	clear(&f);
}

static void a_bad_line_is_named_with_the_byte(void **state)
{
	static const struct {
		const char *body, *said;
	} rows[] = {
		{"1\n2\n[1,]\n", "line 3 is not JSON: at byte 4: a comma with nothing after it"},
		{"1\n01\n", "line 2 is not JSON: at byte 1"},
		{"1\r2\n", "line 1 is not JSON: at byte 3: text after the value"},
		{"\r1\r2", "line 1 is not JSON: at byte 4"},
		{"1 2\n", "line 1 is not JSON: at byte 3"},
		{"1\n\"a\nb\"\n", "line 2 is not JSON: at byte 3: the text ends inside a string"},
		{"1\n\"a\r\nb\"\n", "line 2 is not JSON: at byte 3: the text ends inside a string"},
		{"\xef\xbb\xbf{}\n", "line 1 is not JSON: at byte 1: a byte order mark"},
		{"1\n\"\xff\"", "line 2 is not JSON: at byte 2: invalid UTF-8"},
		{"\"\xed\xa0\x80\"", "line 1 is not JSON: at byte 2: invalid UTF-8"},
		{"1\n{\"a\":\n1}", "line 2 is not JSON: at byte 6"},
		{"1\n\x0b\n", "line 2 is not JSON: at byte 1"},
		{"\"a\tb\"", "line 1 is not JSON: at byte 3"},
	};
	struct fixture f = plain();
	char deep[402];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_refused(&f, rows[i].body, rows[i].said);
	assert_int_equal(read_bytes(&f, "1\n\0\n", 4), BATCH_WRONG);
	assert_non_null(strstr(f.error.text, "line 2 is not JSON: at byte 1: a NUL byte"));
	assert_int_equal(read_bytes(&f, "1\n\"\0\"\n", 6), BATCH_WRONG);
	assert_non_null(strstr(f.error.text, "line 2 is not JSON: at byte 2: a NUL byte"));
	memset(deep, '[', 201);
	memset(deep + 201, ']', 201);
	assert_int_equal(read_bytes(&f, deep, sizeof(deep)), BATCH_WRONG);
	assert_non_null(strstr(f.error.text, "line 1 is not JSON: at byte 201: nested deeper"));
	assert_int_equal(read_bytes(&f, deep + 1, sizeof(deep) - 2), BATCH_OK);
	clear(&f);
}

static void a_carriage_return_between_tokens_becomes_a_line_feed(void **state)
{
	struct fixture f = plain();

	(void)state;
	assert_int_equal(read_text(&f, "[\r1,\r\r2]\r\n3\n"), BATCH_OK);
	assert_event(&f, 0, true, "[\n1,\n\n2]", "update", "");
	assert_event(&f, 1, true, "3", "update", "");
	clear(&f);
}

static void more_than_the_limit_is_told_apart(void **state)
{
	static char body[2 * (BATCH_EVENTS_MAX + 1)];
	struct fixture f = plain();

	(void)state;
	for (size_t i = 0; i < sizeof(body); i += 2)
		memcpy(body + i, "1\n", 2);
	assert_int_equal(read_bytes(&f, body, sizeof(body) - 2), BATCH_OK);
	assert_int_equal(f.batch.count, BATCH_EVENTS_MAX);
	assert_int_equal(f.batch.lines[BATCH_EVENTS_MAX - 1], BATCH_EVENTS_MAX);
	/* About 150 bytes an event. */
	assert_true(batch_bytes(&f.batch) < (size_t)BATCH_EVENTS_MAX * 150);
	assert_int_equal(read_bytes(&f, body, sizeof(body)), BATCH_TOO_MANY);
	assert_non_null(strstr(f.error.text, "16384"));
	assert_null(f.batch.appends);
	clear(&f);
}

static void an_envelope_gives_key_type_and_data(void **state)
{
	struct fixture f = envelopes();

	(void)state;
	assert_int_equal(
		read_text(&f, "{\"key\":\"k 1\",\"event\":\"news\",\"data\":{\"b\":1.0, \"a\":2}}\n"
			      "{\"data\":null}\r\n"
			      "{\"data\":\"text\"}\n"
			      " { \"d\\u0061ta\" : \"a\\r\\nb\\rc\\n\\u00e9\\ud83d\\ude00\" , "
			      "\"\\u0065vent\":\"n\\u00e9\",\"key\":\"\\u006b\" } \n"
			      "{\"data\":\"\"}\n"
			      "{\"data\":\"\xc3\xa9\",\"key\":\"\xc3\xa9\"}\n"),
		BATCH_OK);
	assert_int_equal(f.batch.count, 6);
	assert_event(&f, 0, true, "{\"b\":1.0, \"a\":2}", "news", "k 1");
	assert_event(&f, 1, true, "null", "update", "");
	assert_event(&f, 2, false, "text", "update", "");
	assert_event(&f, 3, false, "a\nb\nc\n\xc3\xa9\xf0\x9f\x98\x80", "n\xc3\xa9", "k");
	assert_event(&f, 4, false, "", "update", "");
	assert_event(&f, 5, false, "\xc3\xa9", "update", "\xc3\xa9");
	clear(&f);
}

static void what_a_list_prints_can_be_sent_again(void **state)
{
	struct fixture f = envelopes();

	(void)state;
	assert_int_equal(
		read_text(&f,
			"{\"topic\":\"any\",\"id\":\"x:1\",\"time\":\"2026-11-22T19:00:00.000Z\","
			"\"event\":\"update\",\"data\":[1]}\n"
			"{\"topic\":\"any\",\"id\":null,\"time\":7,\"event\":\"x\",\"data\":\"\"}\n"
			"{\"event\":\"m\",\"data\":\"d\",\"id\":\"\",\"origin\":\"http://x\"}\n"),
		BATCH_OK);
	assert_event(&f, 0, true, "[1]", "update", "");
	assert_event(&f, 1, false, "", "x", "");
	assert_event(&f, 2, false, "d", "m", "");
	clear(&f);
}

static void a_bad_envelope_is_named_with_the_member(void **state)
{
	static const struct {
		const char *line, *said;
	} rows[] = {
		{"1", "line 2 is not an object"},
		{"[{\"data\":1}]", "line 2 is not an object"},
		{"{}", "line 2: the member \"data\" is missing"},
		{"{\"Data\":1}", "line 2: the member \"Data\" is not data, event, key or subject"},
		{"{\"data\":1,\"x\":1}",
			"line 2: the member \"x\" is not data, event, key or subject"},
		{"{\"data\":1,\"\":1}",
			"line 2: the member \"\" is not data, event, key or subject"},
		{"{\"data\":1,\"data\\u0000\":1}", "line 2: the member \"data\\u0000\" is not"},
		{"{\"data\":1,\"data\":1}", "line 2: the member \"data\" appears twice"},
		{"{\"data\":1,\"d\\u0061ta\":1}", "line 2: the member \"data\" appears twice"},
		{"{\"key\":\"a\",\"data\":1,\"key\":\"a\"}", "\"key\" appears twice"},
		{"{\"id\":1,\"data\":1,\"id\":2}", "\"id\" appears twice"},
		{"{\"data\":1,\"key\":1}", "line 2: the member \"key\" must be a string"},
		{"{\"data\":1,\"event\":null}", "line 2: the member \"event\" must be a string"},
		{"{\"data\":1,\"topic\":null}", "line 2: the member \"topic\" must be a string"},
		{"{\"data\":1,\"topic\":\"other\"}", "line 2: its topic is not any"},
		{"{\"data\":1,\"topic\":\"any/x\"}", "line 2: its topic is not any"},
		{"{\"data\":1,\"key\":\"\"}", "line 2: the key is empty"},
		{"{\"data\":1,\"key\":\"a\\nb\"}", "line 2: the key contains a control character"},
		{"{\"data\":1,\"key\":\"\\u0000\"}",
			"line 2: the key contains a control character"},
		{"{\"data\":1,\"key\":\"\x7f\"}", "line 2: the key contains a control character"},
		{"{\"data\":1,\"key\":\"\\u0085\"}",
			"line 2: the key contains a control character"},
		{"{\"data\":1,\"event\":\"\"}", "line 2: the event type is empty"},
		{"{\"data\":1,\"event\":\"gap\"}", "line 2: the event type is one of gap, join"},
		{"{\"data\":1,\"event\":\"j\\u006fin\"}", "line 2: the event type is one of gap"},
		{"{\"data\":1,\"event\":\"a\\nb\"}", "line 2: the event type contains a newline"},
		{"{\"data\":1,\"event\":\"a\\u0000\"}", "line 2: the event type contains a NUL"},
		{"{\"data\":\"a\\u0000b\"}", "line 2: the data contains a NUL"},
		{"{\"data\":1,\"subject\":\"\"}",
			"line 2: the subject is empty: a subject is 1 to"},
		{"{\"data\":1,\"subject\":null}", "\"subject\" must be a string"},
		{"{\"data\":1,\"subject\":\"a\\nb\"}", "the subject contains a control character"},
		{"{\"data\":1,\"subject\":\"\\ud800\"}", "the subject has half of a surrogate"},
		{"{\"data\":1", "line 2 is not JSON: at byte 10"},
	};
	struct fixture f = envelopes();
	char body[400];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(body, sizeof(body), "{\"data\":1}\n%s\n{\"data\":2}\n", rows[i].line);
		assert_refused(&f, body, rows[i].said);
	}
	clear(&f);
}

static void a_long_name_is_cut_between_characters(void **state)
{
	struct fixture f = envelopes();
	char body[400] = "{\"a";

	(void)state;
	for (int i = 0; i < 60; i++)
		strcat(body, "\xc3\xa9");
	strcat(body, "\":1}");
	assert_int_equal(read_text(&f, body), BATCH_WRONG);
	assert_int_equal(sse_utf8_valid(f.error.text, strlen(f.error.text)), strlen(f.error.text));
	clear(&f);
}

static void keys_have_a_longest_length(void **state)
{
	struct fixture f = envelopes();
	char body[400], key[EVENT_KEY_MAX + 2] = {0};

	(void)state;
	memset(key, 'k', EVENT_KEY_MAX);
	snprintf(body, sizeof(body), "{\"data\":1,\"key\":\"%s\"}", key);
	assert_int_equal(read_text(&f, body), BATCH_OK);
	assert_event(&f, 0, true, "1", "update", key);
	key[EVENT_KEY_MAX] = 'k';
	snprintf(body, sizeof(body), "{\"data\":1,\"key\":\"%s\"}", key);
	assert_refused(&f, body, "line 1: the key is longer than 255 bytes");
	clear(&f);
}

static void a_key_of_the_batch_becomes_a_key_for_each_line(void **state)
{
	struct fixture f = envelopes();
	char key[EVENT_KEY_MAX];

	(void)state;
	f.rules.key = text_of("K");
	assert_int_equal(
		read_text(&f, "{\"data\":1}\n\n{\"data\":2,\"key\":\"own\"}\n{\"data\":3}"),
		BATCH_OK);
	assert_event(&f, 0, true, "1", "update", "K:1");
	assert_event(&f, 1, true, "2", "update", "own");
	assert_event(&f, 2, true, "3", "update", "K:4");
	f.rules.envelope = false;
	memset(key, 'k', sizeof(key));
	f.rules.key = (struct sse_text){key, EVENT_KEY_MAX - 2};
	assert_int_equal(read_text(&f, "1\n2\n"), BATCH_OK);
	assert_int_equal(f.batch.appends[1].key.len, EVENT_KEY_MAX);
	assert_refused(&f, "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n", "line 10: its key");
	clear(&f);
}

/* The fingerprint of the event of that number. */
static uint64_t fingerprint(struct fixture *f, const char *body, size_t number)
{
	assert_int_equal(read_text(f, body), BATCH_OK);
	return f->batch.appends[number].fingerprint;
}

static void a_fingerprint_is_of_the_event_and_not_of_how_it_was_sent(void **state)
{
	static const char key[] = "{\"key\":\"k\",\"data\":[1]}";
	struct fixture f = envelopes();
	struct event event = {.json = true, .type = text_of("update"), .data = text_of("[1]")};
	uint64_t one = fingerprint(&f, key, 0);

	(void)state;
	assert_true(one == content_fingerprint(HASH_START, &event));
	assert_true(one == fingerprint(&f,
				   "{\"data\":1}\n {\"event\":\"update\",\"id\":7, "
				   "\"data\": [1] ,\"key\":\"k\"}\r\n",
				   1));
	assert_true(one != fingerprint(&f, "{\"key\":\"k\",\"data\":[2]}", 0));
	assert_true(one != fingerprint(&f, "{\"key\":\"k\",\"data\":\"[1]\"}", 0));
	assert_true(one != fingerprint(&f, "{\"key\":\"k\",\"event\":\"x\",\"data\":[1]}", 0));
	/* Without a key it is of no use. */
	assert_true(fingerprint(&f, "{\"data\":[1]}", 0) == 0);
	clear(&f);
}

static void a_line_may_have_a_subject_or_that_of_the_rules(void **state)
{
	struct fixture f = envelopes();
	struct event event = {.json = true,
		.type = text_of("update"),
		.data = text_of("1"),
		.subject = text_of("a")};

	(void)state;
	f.rules.subject = text_of("all");
	assert_int_equal(
		read_text(&f, "{\"data\":1,\"subject\":\"w\\u00e9b \"}\n{\"data\":\"\"}\n"),
		BATCH_OK);
	assert_text(f.batch.appends[0].event.subject, "w\xc3\xa9"
						      "b ");
	assert_text(f.batch.appends[1].event.subject, "all");
	assert_event(&f, 1, false, "", "update", "");
	f.rules.envelope = false;
	assert_int_equal(read_text(&f, "7\n\"\"\n"), BATCH_OK);
	assert_text(f.batch.appends[0].event.subject, "all");
	/* The empty string is no data, as it is in an envelope. */
	assert_event(&f, 1, false, "", "update", "");
	clear(&f);
	f = envelopes();
	assert_true(fingerprint(&f, "{\"data\":1,\"subject\":\"a\",\"key\":\"k\"}", 0) ==
		    content_fingerprint(HASH_START, &event));
	event.subject = text_of("b");
	assert_true(f.batch.appends[0].fingerprint != content_fingerprint(HASH_START, &event));
	event.subject = text_of("");
	assert_true(f.batch.appends[0].fingerprint != content_fingerprint(HASH_START, &event));
	clear(&f);
}

static void a_key_of_the_batch_is_good_for_this_batch_alone(void **state)
{
	static const char body[] = "{\"data\":1}\n{\"data\":2,\"key\":\"own\"}\n";
	struct fixture f = envelopes();
	uint64_t derived, own;

	(void)state;
	f.rules.key = text_of("K");
	derived = fingerprint(&f, body, 0);
	own = fingerprint(&f, body, 1);
	assert_true(derived == fingerprint(&f, body, 0));
	assert_true(derived != fingerprint(&f, "{\"data\":1}\n{\"data\":3,\"key\":\"own\"}\n", 0));
	assert_true(derived != fingerprint(&f, "{\"data\":1}\n", 0));
	/* A key of the line's own is good in any batch. */
	assert_true(own == fingerprint(&f, "{\"data\":5}\n{\"data\":2,\"key\":\"own\"}", 1));
	clear(&f);
}

static void a_topic_that_requires_fields_does_so_for_each_line(void **state)
{
	struct fixture f = plain();

	(void)state;
	f.rules.topic = "users";
	assert_int_equal(read_text(&f, "{\"lastname\":\"B\\u00e9\",\"age\":7,\"firstname\":\"A\"}\n"
				       "{\"firstname\":\"\",\"lastname\":\"\"}\n"),
		BATCH_OK);
	assert_event(&f, 0, true, "{\"firstname\":\"A\",\"lastname\":\"B\\u00e9\"}", "update", "");
	assert_event(&f, 1, true, "{\"firstname\":\"\",\"lastname\":\"\"}", "update", "");
	assert_refused(&f, "{\"firstname\":\"a\",\"lastname\":\"b\"}\n{\"firstname\":\"a\"}\n",
		"line 2: the field 'lastname' is missing");
	f.rules.envelope = true;
	assert_int_equal(
		read_text(&f, "{\"data\":{\"firstname\":\"a\",\"lastname\":\"b\",\"x\":1}}"),
		BATCH_OK);
	assert_event(&f, 0, true, "{\"firstname\":\"a\",\"lastname\":\"b\"}", "update", "");
	assert_refused(&f, "{\"data\":{\"firstname\":\"a\",\"lastname\":\"b\"}}\n{\"data\":\"x\"}",
		"line 2: users takes a JSON object");
	clear(&f);
}

/* --- lines that name their topics --- */

static struct fixture many(void)
{
	struct fixture f = envelopes();

	f.rules.topic = NULL;
	return f;
}

static void assert_topic(const struct fixture *f, size_t number, const char *topic)
{
	assert_true(number < f->batch.count);
	assert_string_equal(f->batch.appends[number].topic, topic);
}

static void each_line_may_name_another_topic(void **state)
{
	struct fixture f = many();

	(void)state;
	assert_int_equal(
		read_text(&f,
			"{\"topic\":\"a\",\"data\":1}\n"
			"{\"data\":\"x\\n\",\"key\":\"k\",\"event\":\"e\",\"topic\":\"b/c\"}\n\n"
			"{\"topic\":\"b\\/c\",\"id\":\"t:1\",\"time\":\"T\",\"origin\":\"\",\"data\":[]}\n"
			"{\"data\":null,\"topic\":\"a\"}"),
		BATCH_OK);
	assert_int_equal(f.batch.count, 4);
	assert_topic(&f, 0, "a");
	assert_topic(&f, 1, "b/c");
	assert_topic(&f, 2, "b/c");
	assert_topic(&f, 3, "a");
	/* A name that is repeated is there once. */
	assert_ptr_equal(f.batch.appends[1].topic, f.batch.appends[2].topic);
	assert_text(f.batch.appends[1].event.data, "x\n");
	assert_text(f.batch.appends[1].key, "k");
	assert_int_equal(f.batch.lines[3], 5);
	/* What a topic requires applies to its lines, wherever the topic stands. */
	assert_int_equal(
		read_text(&f, "{\"data\":{\"lastname\":\"B\",\"x\":1,\"firstname\":\"A\"},"
			      "\"topic\":\"users\"}\n{\"topic\":\"a\",\"data\":{\"x\":1}}"),
		BATCH_OK);
	assert_text(f.batch.appends[0].event.data, "{\"firstname\":\"A\",\"lastname\":\"B\"}");
	assert_text(f.batch.appends[1].event.data, "{\"x\":1}");
	clear(&f);
}

static void a_line_without_a_good_topic_is_named(void **state)
{
	static const struct {
		const char *line, *said;
	} rows[] = {
		{"1", "line 2 is not an object with the members \"topic\" and \"data\""},
		{"{\"data\":1}", "line 2: the member \"topic\" is missing"},
		{"{\"topic\":\"a\"}", "line 2: the member \"data\" is missing"},
		{"{\"topic\":1,\"data\":1}", "line 2: the member \"topic\" must be a string"},
		{"{\"topic\":\"a\",\"topic\":\"a\",\"data\":1}",
			"line 2: the member \"topic\" appears"},
		{"{\"topic\":\"\",\"data\":1}", "line 2: this is not a valid topic"},
		{"{\"topic\":\"a/\",\"data\":1}", "line 2: this is not a valid topic"},
		{"{\"topic\":\"a b\",\"data\":1}", "line 2: this is not a valid topic"},
		{"{\"topic\":\"a\\u0000\",\"data\":1}", "line 2: this is not a valid topic"},
		{"{\"topic\":\"*\",\"data\":1}", "line 2: this is not a valid topic"},
		{"{\"topic\":\"$sys\",\"data\":1}", "line 2: this is not a valid topic"},
		{"{\"topic\":\"session\",\"data\":1}", "line 2: this is not a valid topic"},
		{"{\"topic\":\"x/event\",\"data\":1}", "line 2: this is not a valid topic"},
		{"{\"topic\":\"users\",\"data\":1}", "line 2: users takes a JSON object"},
		{"{\"topic\":\"a\",\"event\":\"gap\",\"data\":1}",
			"line 2: the event type is one of"},
	};
	struct fixture f = many();
	char body[400];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(body, sizeof(body), "{\"topic\":\"a\",\"data\":1}\n%s\n", rows[i].line);
		assert_refused(&f, body, rows[i].said);
	}
	clear(&f);
}

static void topics_keys_and_texts_fit_together(void **state)
{
	static char body[60 * 3000];
	struct fixture f = many();
	char text[40];
	size_t len = 0;

	(void)state;
	f.rules.key = text_of("batch");
	for (int i = 0; i < 3000; i++)
		len += (size_t)snprintf(body + len, sizeof(body) - len,
			"{\"topic\":\"t%d\",\"data\":\"\\u0041%d\"}\n", i % 7 == 0 ? 0 : i, i);
	assert_int_equal(read_bytes(&f, body, len), BATCH_OK);
	for (size_t i = 0; i < 3000; i++) {
		snprintf(text, sizeof(text), "t%zu", i % 7 == 0 ? 0 : i);
		assert_topic(&f, i, text);
		snprintf(text, sizeof(text), "A%zu", i);
		assert_text(f.batch.appends[i].event.data, text);
	}
	clear(&f);
}

/* Data as deep as it may be alone may be as deep in an envelope. */
static void an_envelope_takes_nothing_from_the_depth_of_its_data(void **state)
{
	char data[2 * JSON_DEPTH + 3], body[2 * JSON_DEPTH + 40];
	struct fixture f = many();

	(void)state;
	memset(data, '[', JSON_DEPTH);
	memset(data + JSON_DEPTH, ']', JSON_DEPTH);
	data[2 * JSON_DEPTH] = '\0';
	snprintf(body, sizeof(body), "{\"topic\":\"a\",\"data\":%s}", data);
	assert_int_equal(read_text(&f, body), BATCH_OK);
	snprintf(body, sizeof(body), "{\"topic\":\"a\",\"data\":[%s]}", data);
	assert_refused(&f, body, "line 1 is not JSON");
	clear(&f);
}

static void many_decoded_strings_stay_where_they_are(void **state)
{
	static char body[40 * 2000];
	struct fixture f = envelopes();
	char data[40];
	size_t len = 0;

	(void)state;
	f.rules.key = text_of("batch");
	for (int i = 0; i < 2000; i++)
		len += (size_t)snprintf(body + len, sizeof(body) - len,
			"{\"data\":\"\\u00%02x%d\"}\n", 'A' + i % 26, i);
	assert_int_equal(read_bytes(&f, body, len), BATCH_OK);
	for (int i = 0; i < 2000; i++) {
		char key[40];

		snprintf(data, sizeof(data), "%c%d", 'A' + i % 26, i);
		snprintf(key, sizeof(key), "batch:%d", i + 1);
		assert_event(&f, (size_t)i, false, data, "update", key);
	}
	clear(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_an_event),
		cmocka_unit_test(blank_lines_are_skipped_and_counted),
		cmocka_unit_test(a_bad_line_is_named_with_the_byte),
		cmocka_unit_test(a_carriage_return_between_tokens_becomes_a_line_feed),
		cmocka_unit_test(more_than_the_limit_is_told_apart),
		cmocka_unit_test(an_envelope_gives_key_type_and_data),
		cmocka_unit_test(what_a_list_prints_can_be_sent_again),
		cmocka_unit_test(a_bad_envelope_is_named_with_the_member),
		cmocka_unit_test(a_long_name_is_cut_between_characters),
		cmocka_unit_test(keys_have_a_longest_length),
		cmocka_unit_test(a_key_of_the_batch_becomes_a_key_for_each_line),
		cmocka_unit_test(a_fingerprint_is_of_the_event_and_not_of_how_it_was_sent),
		cmocka_unit_test(a_line_may_have_a_subject_or_that_of_the_rules),
		cmocka_unit_test(a_key_of_the_batch_is_good_for_this_batch_alone),
		cmocka_unit_test(a_topic_that_requires_fields_does_so_for_each_line),
		cmocka_unit_test(each_line_may_name_another_topic),
		cmocka_unit_test(a_line_without_a_good_topic_is_named),
		cmocka_unit_test(topics_keys_and_texts_fit_together),
		cmocka_unit_test(an_envelope_takes_nothing_from_the_depth_of_its_data),
		cmocka_unit_test(many_decoded_strings_stay_where_they_are),
	};

	return cmocka_run_group_tests_name("serve_batch", tests, NULL, NULL);
}
