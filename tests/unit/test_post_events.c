/* SPDX-License-Identifier: MIT */
/* Tests of what sse-post makes of its input: split.c, sniff.c, event_builder.c, key.c and entry.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "spool/entry.h"
#include "event_builder.h"
#include "sniff.h"
#include "split.h"

/* --- splitting ------------------------------------------------------------------------------- */

static void assert_records(char end, const char *text, size_t len, const char *want)
{
	struct split split;
	struct sse_text record;
	char got[200] = "";

	split_init(&split, end, 1000);
	/* One byte at a time; a record is there with its last byte, not before. */
	for (size_t i = 0; i <= len; i++) {
		if (i < len)
			assert_true(buf_add(&split.bytes, text + i, 1));
		while (split_next(&split, i == len, &record)) {
			snprintf(got + strlen(got), sizeof(got) - strlen(got), "%d[%.*s]",
				(int)split.line, (int)record.len, record.data);
			split_compact(&split);
		}
	}
	assert_string_equal(got, want);
	split_free(&split);
}

static void lines_are_counted_and_blank_ones_left_out(void **state)
{
	static const char lines[] = "one\r\n\n \t\ntwo\rx\n  three  \nlast";
	static const char nuls[] = "a\nb\0\0c\r\0d";

	(void)state;
	assert_records('\n', lines, sizeof(lines) - 1, "1[one]4[two\rx]5[  three  ]6[last]");
	assert_records('\0', nuls, sizeof(nuls) - 1, "1[a\nb]3[c\r]4[d]");
	assert_records('\n', "", 0, "");
}

static void a_record_that_is_dropped_is_counted_and_the_next_one_is_whole(void **state)
{
	struct split split;
	struct sse_text record;

	(void)state;
	split_init(&split, '\n', 4);
	assert_true(buf_add_text(&split.bytes, "long"));
	assert_false(split_next(&split, false, &record));
	split_drop(&split);
	assert_false(split_next(&split, false, &record));
	split_compact(&split);
	assert_true(buf_add_text(&split.bytes, "er\nx"));
	assert_false(split_next(&split, false, &record));
	assert_true(split_next(&split, true, &record));
	assert_memory_equal(record.data, "x", record.len);
	assert_int_equal(split.line, 2);
	split_free(&split);
}

/* --- telling streams from other text --------------------------------------------------------- */

static void assert_stream(const char *text, bool is_stream, bool is_other)
{
	struct sniff torn = {0}, whole = {0};

	for (size_t i = 0; i < strlen(text); i++)
		sniff_feed(&torn, text + i, 1, false);
	sniff_feed(&torn, "", 0, true);
	sniff_feed(&whole, text, strlen(text), true);
	assert_int_equal(torn.is_stream, is_stream);
	assert_int_equal(whole.is_stream, is_stream);
	assert_int_equal(sniff_is_other(&torn, true), is_other);
	assert_int_equal(sniff_is_other(&whole, true), is_other);
}

static void a_stream_has_a_known_field_or_a_comment(void **state)
{
	(void)state;
	assert_stream("", false, false);
	assert_stream("\r\n\n", false, false);
	assert_stream(": x", true, false);
	assert_stream("data", true, false);
	assert_stream("new: x\nid:1", true, false);
	assert_stream("\xef\xbb\xbf"
		      "event: x\n",
		true, false);
	assert_stream("{\"data\":1}\n", false, true);
	assert_stream("database: x\n data: x\nDATA: x\na:data: x\n", false, true);
	assert_stream("\xef\xbb\xbf"
		      "database:\n",
		false, true);
}

/* --- keys ------------------------------------------------------------------------------------ */

static void assert_key(
	const struct options *options, const char *data, uint64_t line, const char *want)
{
	struct error error = {0};
	struct group group;
	struct builder builder;
	struct sse_text key;

	group_init(&group);
	event_builder_init(&builder, options);
	if (want == NULL) {
		assert_int_equal(
			event_builder_data(&builder, data, strlen(data), line, &group, &error), -1);
		assert_int_equal(error.status, EX_DATAERR);
		assert_int_equal(group.count, 0);
	} else {
		assert_int_equal(
			event_builder_data(&builder, data, strlen(data), line, &group, &error), 0);
		key = group_text(&group, group.all[0].key);
		assert_int_equal(key.len, strlen(want));
		assert_memory_equal(key.data, want, key.len);
	}
	event_builder_free(&builder);
	group_free(&group);
}

static void keys_come_from_where_the_options_say(void **state)
{
	const struct options fixed = {.key = "job"}, none = {.at_most_once = true};
	const struct options from = {.key_from = "/a/0"};

	(void)state;
	assert_key(&fixed, "x", 0, "job");
	assert_key(&fixed, "x", 7, "job:7");
	assert_key(&none, "x", 0, "");
	assert_key(&from, "{\"a\":[\"k 1\"]}", 1, "k%201");
	assert_key(&from, "{\"a\":[1.50]}", 1, "1.50");
	assert_key(&from, "{\"a\":[\"\xc3\xbc%\\u0001\"]}", 1, "%C3%BC%25%01");
	assert_key(&from, "{\"a\":[true]}", 1, NULL);
	assert_key(&from, "{\"a\":[\"\"]}", 1, NULL);
	assert_key(&from, "{\"a\":[]}", 1, NULL);
	assert_key(&from, "text", 1, NULL);
}

/* An empty pointer names all of the data, and has no name in a message. */
static void assert_no_key_from_all(const char *data, const char *want)
{
	const struct options options = {.key_from = ""};
	struct error error = {0};
	struct group group;
	struct builder builder;

	group_init(&group);
	event_builder_init(&builder, &options);
	assert_int_equal(event_builder_data(&builder, data, strlen(data), 3, &group, &error), -1);
	assert_int_equal(error.status, EX_DATAERR);
	assert_string_equal(error.text, want);
	event_builder_free(&builder);
	group_free(&group);
}

static void a_key_from_all_of_the_data_says_what_is_wrong(void **state)
{
	const struct options from = {.key_from = ""};

	(void)state;
	assert_key(&from, "\"k 1\"", 1, "k%201");
	assert_key(&from, "12", 1, "12");
	assert_no_key_from_all(
		"x", "line 3 is not JSON, and so has no value for its idempotency key");
	assert_no_key_from_all(
		"\"\"", "line 3: its value is empty, and so cannot be its idempotency key");
	assert_no_key_from_all("{\"a\":1}",
		"line 3: its value cannot be its idempotency key: it must be a string or a number; "
		"a pointer like /order/id names a part of it");
}

static void events_of_one_id_have_keys_of_their_own(void **state)
{
	static const char *const ids[] = {"a:1", "a:2", "a:2", "a:2", "a:3"};
	static const char *const want[] = {"a:1", "a:2", "a:2 1", "a:2 2", "a:3"};
	const struct options options = {0};
	struct error error = {0};
	struct group group;
	struct builder builder;

	(void)state;
	group_init(&group);
	event_builder_init(&builder, &options);
	for (size_t i = 0; i < 5; i++) {
		const struct sse_event event = {{"t", 1}, {"x", 1}, {ids[i], 3}, true};
		struct sse_text key;

		assert_int_equal(event_builder_stream(&builder, &event, i, &group, &error), 0);
		key = group_text(&group, group.all[i].key);
		assert_int_equal(key.len, strlen(want[i]));
		assert_memory_equal(key.data, want[i], key.len);
	}
	event_builder_free(&builder);
	group_free(&group);
}

/* --- envelopes for many topics --------------------------------------------------------------- */

/* Read an envelope; want is "topic|type|key|id|kind|data", or what is wrong. */
static void assert_envelope(struct builder *builder, const char *text, int result, const char *want)
{
	struct error error = {0};
	struct group group;
	char got[400] = "";

	group_init(&group);
	if (event_builder_envelope(builder, text, strlen(text), 1, &group, &error) != result)
		fail_msg("%s: %s", text, error.text);
	assert_int_equal(group.count, result == 0);
	if (result == 0) {
		const struct event *event = &group.all[0];
		const struct piece pieces[] = {
			event->topic, event->type, event->key, event->id, event->data};

		for (size_t i = 0; i < 5; i++) {
			struct sse_text part = group_text(&group, pieces[i]);

			snprintf(got + strlen(got), sizeof(got) - strlen(got), "%.*s%s",
				(int)part.len, part.data,
				i == 3	? event->kind == EVENT_JSON ? "|json|" : "|text|"
				: i < 4 ? "|"
					: "");
		}
		assert_string_equal(got, want);
	} else if (result < 0) {
		if (strstr(error.text, want) == NULL)
			fail_msg("%s: %s", text, error.text);
		assert_int_equal(error.status, EX_DATAERR);
	} else {
		struct sse_text id = builder->left_out.id;

		assert_int_equal(id.len, strlen(want));
		assert_memory_equal(id.data, want, id.len);
	}
	group_free(&group);
}

static void an_envelope_names_its_topic(void **state)
{
	const struct options options = {.topics = true}, one = {0};
	struct builder builder;

	(void)state;
	event_builder_init(&builder, &options);
	/* What a list with envelopes prints, and what one writes by hand. */
	assert_envelope(&builder,
		"{\"topic\":\"a/b\",\"id\":\"t:1\",\"time\":\"T\",\"event\":\"e\",\"data\":{\"n\":1.0}}",
		0, "a/b|e|t:1|t:1|json|{\"n\":1.0}");
	assert_envelope(
		&builder, "{\"data\":\"{}\",\"topic\":\"a\",\"key\":\"k\"}", 0, "a||k||text|{}");
	/* What sse-tail -o json prints of a stream of envelopes, and with --nest. */
	assert_envelope(&builder,
		"{\"event\":\"e\",\"data\":\"{\\\"topic\\\":\\\"a\\\",\\\"id\\\":\\\"t:2\\\",\\\"event\\\":\\\"e\\\","
		"\\\"data\\\":\\\"x\\\\n\\\"}\",\"id\":\"t:2\",\"origin\":\"http://h\"}",
		0, "a|e|t:2|t:2|text|x\n");
	assert_envelope(&builder,
		"{\"event\":\"e\",\"data\":{\"topic\":\"a\",\"id\":\"t:3\",\"data\":[1]},\"id\":\"t:3\"}",
		0, "a||t:3|t:3|json|[1]");
	/* An ephemeral event has no id of its own; what the server says itself is not sent on. */
	assert_envelope(&builder,
		"{\"event\":\"e\",\"data\":\"{\\\"topic\\\":\\\"a\\\",\\\"data\\\":1}\",\"id\":\"t:3\"}",
		1, "t:3");
	assert_envelope(&builder,
		"{\"event\":\"gap\",\"data\":\"{\\\"after\\\":null}\",\"id\":\"t:4\"}", 1, "t:4");
	assert_envelope(&builder, "{\"topic\":\"a\",\"event\":\"join\",\"data\":{}}", 1, "");
	/* An event without a topic. */
	assert_envelope(&builder, "{\"data\":1,\"id\":\"t:1\"}", -1, "line 1 has no topic");
	assert_envelope(
		&builder, "{\"data\":\"{\\\"topic\\\":\\\"a\\\"}\"}", -1, "line 1 has no topic");
	assert_envelope(&builder, "{\"topic\":\"\",\"data\":1}", -1, "line 1 has no topic");
	assert_envelope(&builder, "{\"topic\":5,\"data\":1}", -1, "'topic' must be a string");
	event_builder_free(&builder);
	/* Where the URL names the topic, that of the envelope is of no meaning. */
	event_builder_init(&builder, &one);
	assert_envelope(&builder, "{\"topic\":5,\"data\":1,\"key\":\"k\"}", 0, "||k||json|1");
	assert_envelope(
		&builder, "{\"event\":\"gap\",\"data\":1,\"key\":\"k\"}", 0, "|gap|k||json|1");
	event_builder_free(&builder);
}

/* The subject of the event in this envelope, or what is wrong with it. */
static void assert_subject(struct builder *builder, const char *text, const char *want)
{
	struct error error = {0};
	struct sse_text subject;
	struct group group;

	group_init(&group);
	if (event_builder_envelope(builder, text, strlen(text), 1, &group, &error) == 0) {
		subject = group_text(&group, group.all[0].subject);
		assert_int_equal(subject.len, strlen(want));
		assert_memory_equal(subject.data, want, subject.len);
	} else {
		assert_string_equal(error.text, want);
		assert_int_equal(error.status, EX_DATAERR);
	}
	group_free(&group);
}

static void an_envelope_may_have_a_subject(void **state)
{
	const struct options one = {.subject = "all"}, many = {.topics = true};
	struct builder builder;

	(void)state;
	event_builder_init(&builder, &one);
	assert_subject(&builder, "{\"subject\":\"w\\u00e9b\",\"data\":1}",
		"w\xc3\xa9"
		"b");
	assert_subject(&builder, "{\"data\":1}", "all");
	assert_subject(&builder, "{\"data\":1,\"subject\":null}", "all");
	assert_subject(&builder, "{\"data\":1,\"subject\":\"\"}", "line 1: its subject is empty");
	assert_subject(&builder, "{\"data\":1,\"subject\":7}",
		"line 1: its member 'subject' must be a string");
	assert_subject(&builder, "{\"data\":1,\"subject\":\"\\u0085\"}",
		"line 1: its subject contains a control character");
	assert_subject(&builder, "{\"data\":1,\"subject\":\"\\u00a0\\u0100\"}", "\xc2\xa0\xc4\x80");
	assert_subject(&builder, "{\"data\":1,\"subject\":\"\\u0000\"}",
		"line 1: its subject contains a control character");
	assert_subject(&builder, "{\"data\":1,\"subject\":\"\\udc00\"}",
		"line 1: its subject has half of a surrogate pair");
	event_builder_free(&builder);
	/* As sse-tail -o json prints a stream of envelopes. */
	event_builder_init(&builder, &many);
	assert_subject(&builder,
		"{\"event\":\"e\",\"data\":\"{\\\"topic\\\":\\\"a\\\",\\\"id\\\":\\\"t:2\\\","
		"\\\"subject\\\":\\\"web1\\\",\\\"data\\\":1}\",\"id\":\"t:2\"}",
		"web1");
	event_builder_free(&builder);
}

static void a_spooled_event_keeps_its_subject(void **state)
{
	/* What a version without subjects wrote, and a line of this one. */
	static const char before[] = "sse-post spool 1\nevents: 2\n\n"
				     "{\"key\":\"k\",\"event\":\"e\",\"json\":1}\n"
				     "{\"key\":\"k\",\"subject\":\"web1\",\"text\":\"\"}\n";
	const struct entry entry = {"http://x/api", "away", 0};
	struct error error = {0};
	struct group group;
	struct sse_text subject;
	struct buf out;
	int64_t spooled;

	(void)state;
	group_init(&group);
	buf_init(&out, ENTRY_MAX);
	assert_int_equal(entry_read(before, sizeof(before) - 1, &spooled, &group, &error), 0);
	assert_int_equal(group.count, 2);
	assert_int_equal(group.all[0].subject.len, 0);
	subject = group_text(&group, group.all[1].subject);
	assert_int_equal(subject.len, 4);
	assert_memory_equal(subject.data, "web1", 4);
	assert_true(entry_write(&entry, &group, 0, 2, &out) && buf_add_byte(&out, '\0'));
	assert_non_null(strstr(out.data, strstr(before, "{\"key\"")));
	group_free(&group);
	buf_free(&out);
}

/* --- files of the spool ---------------------------------------------------------------------- */

static void a_spooled_event_is_read_as_it_was(void **state)
{
	const struct entry entry = {"http://x/", "it is\naway", INT64_C(1764115200123)};
	const struct options options = {.event = "type", .key = "key"};
	struct error error = {0};
	struct group group, again;
	struct builder builder;
	struct buf out;
	int64_t spooled = 0;

	(void)state;
	group_init(&group);
	group_init(&again);
	event_builder_init(&builder, &options);
	buf_init(&out, ENTRY_MAX);
	assert_int_equal(event_builder_data(&builder, "{\"n\":1.0}", 9, 1, &group, &error), 0);
	assert_int_equal(event_builder_data(&builder, "[1,\n2]", 6, 2, &group, &error), 0);
	assert_int_equal(event_builder_data(&builder, "a\n\"b", 4, 3, &group, &error), 0);
	assert_true(entry_write(&entry, &group, 0, 3, &out));
	assert_true(buf_add_byte(&out, '\0'));
	assert_string_equal(out.data,
		"sse-post spool 1\nurl: http://x/\nspooled: 2025-11-26T00:00:00.123Z\n"
		"reason: it is away\nevents: 3\n\n"
		"{\"key\":\"key:1\",\"event\":\"type\",\"json\":{\"n\":1.0}}\n"
		"{\"key\":\"key:2\",\"event\":\"type\",\"json-text\":\"[1,\\n2]\"}\n"
		"{\"key\":\"key:3\",\"event\":\"type\",\"text\":\"a\\n\\\"b\"}\n");
	assert_int_equal(entry_read(out.data, out.len - 1, &spooled, &again, &error), 0);
	assert_int_equal(again.count, 3);
	assert_true(spooled == entry.spooled);
	for (size_t i = 0; i < 3; i++) {
		struct sse_text a = group_text(&group, group.all[i].data);
		struct sse_text b = group_text(&again, again.all[i].data);

		assert_int_equal(group.all[i].kind, again.all[i].kind);
		assert_int_equal(a.len, b.len);
		assert_memory_equal(a.data, b.data, a.len);
	}
	/* Cut off anywhere it is none. */
	for (size_t len = 0; len + 1 < out.len; len++) {
		group_clear(&again);
		assert_int_equal(entry_read(out.data, len, &spooled, &again, &error), -1);
		assert_int_equal(again.count, 0);
	}
	event_builder_free(&builder);
	group_free(&group);
	group_free(&again);
	buf_free(&out);
}

static void a_spooled_event_keeps_its_topic(void **state)
{
	static const char line[] = "{\"topic\":\"a/b\",\"key\":\"k\",\"data\":\"x\"}";
	const struct entry entry = {"http://x/api", "away", 0};
	const struct options options = {.topics = true};
	struct error error = {0};
	struct group group, again;
	struct builder builder;
	struct sse_text topic;
	struct buf out;
	int64_t spooled;

	(void)state;
	group_init(&group);
	group_init(&again);
	event_builder_init(&builder, &options);
	buf_init(&out, ENTRY_MAX);
	assert_int_equal(
		event_builder_envelope(&builder, line, sizeof(line) - 1, 1, &group, &error), 0);
	assert_true(entry_write(&entry, &group, 0, 1, &out));
	assert_int_equal(entry_read(out.data, out.len, &spooled, &again, &error), 0);
	topic = group_text(&again, again.all[0].topic);
	assert_int_equal(topic.len, 3);
	assert_memory_equal(topic.data, "a/b", 3);
	assert_true(buf_add_byte(&out, '\0'));
	assert_non_null(strstr(out.data, "\n{\"topic\":\"a/b\",\"key\":\"k\",\"text\":\"x\"}\n"));
	event_builder_free(&builder);
	group_free(&group);
	group_free(&again);
	buf_free(&out);
}

static void a_header_that_is_not_known_is_passed_over_and_a_later_version_is_not_read(void **state)
{
	static const char later[] = "sse-post spool 2\nevents: 1\n\n{\"text\":\"x\"}\n";
	static const char more[] = "sse-post spool 1\nnew: thing\nevents: 1\n\n"
				   "{\"text\":\"x\",\"new\":[1]}\n";
	struct error error = {0};
	struct group group;
	int64_t spooled;

	(void)state;
	group_init(&group);
	assert_int_equal(entry_read(later, sizeof(later) - 1, &spooled, &group, &error), -1);
	assert_non_null(strstr(error.text, "its version is 2"));
	assert_int_equal(entry_read(more, sizeof(more) - 1, &spooled, &group, &error), 0);
	assert_int_equal(group.count, 1);
	group_free(&group);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_counted_and_blank_ones_left_out),
		cmocka_unit_test(a_record_that_is_dropped_is_counted_and_the_next_one_is_whole),
		cmocka_unit_test(a_stream_has_a_known_field_or_a_comment),
		cmocka_unit_test(keys_come_from_where_the_options_say),
		cmocka_unit_test(a_key_from_all_of_the_data_says_what_is_wrong),
		cmocka_unit_test(events_of_one_id_have_keys_of_their_own),
		cmocka_unit_test(an_envelope_names_its_topic),
		cmocka_unit_test(an_envelope_may_have_a_subject),
		cmocka_unit_test(a_spooled_event_keeps_its_subject),
		cmocka_unit_test(a_spooled_event_is_read_as_it_was),
		cmocka_unit_test(a_spooled_event_keeps_its_topic),
		cmocka_unit_test(
			a_header_that_is_not_known_is_passed_over_and_a_later_version_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
