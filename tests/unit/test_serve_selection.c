/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve: what a stream wants (selection.c, topic.c), and limits on streams. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "stream/limits.h"
#include "stream/selection.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct event_types all_types;

static void patterns_match_whole_segments(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool matches;
	} rows[] = {
		{"a", "a", true},
		{"a", "ab", false},
		{"ab", "a", false},
		{"a", "a/b", false},
		{"a/b", "a", false},
		{"*", "a", true},
		{"*", "a/b", false},
		{"a/*", "a/b", true},
		{"a/*", "a", false},
		{"a/*", "a/b/c", false},
		{"*/b", "a/b", true},
		{"*/b", "a/c", false},
		{"*/*", "a/b", true},
		{"**", "a", true},
		{"**", "a/b/c", true},
		{"a/**", "a/b", true},
		{"a/**", "a/b/c", true},
		{"a/**", "a", false},
		{"a/**", "ab/c", false},
		{"*/b/**", "a/b/c/d", true},
		{"*/b/**", "a/c/c/d", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(
			topic_pattern_check(rows[i].pattern, strlen(rows[i].pattern), NULL), 0);
		if (topic_matches(rows[i].pattern, rows[i].name) != rows[i].matches)
			fail_msg("'%s' and '%s'", rows[i].pattern, rows[i].name);
	}
}

static void patterns_that_cannot_be(void **state)
{
	static const char *const patterns[] = {"", "a*", "*a", "**/a", "a/**/b", "***", "a//b",
		"/*", "*/", "event", "*/presence", "a b", "$sys", "a/\xe2\x80\xae"};

	(void)state;
	for (size_t i = 0; i < COUNT(patterns); i++) {
		struct error error = {0, ""};

		if (topic_pattern_check(patterns[i], strlen(patterns[i]), &error) == 0)
			fail_msg("'%s' was taken", patterns[i]);
		assert_true(error.text[0] != '\0');
	}
}

static void the_same_wish_has_the_same_key(void **state)
{
	const char *const one[] = {"b", "a/*", "b"}, *const other[] = {"a/*", "b"};
	struct selection *a = selection_new(one, 3, &all_types, false),
			 *b = selection_new(other, 2, &all_types, false);
	struct selection *c = selection_new(other, 2, &all_types, true),
			 *d = selection_new(other, 1, &all_types, false);
	char key[SELECTION_KEY];

	(void)state;
	assert_string_equal(a->key, b->key);
	assert_string_not_equal(a->key, c->key);
	assert_string_not_equal(a->key, d->key);
	assert_int_equal(a->count, 2);
	assert_true(a->wildcards);
	selection_drop(d);
	d = selection_new(other + 1, 1, &all_types, true);
	selection_key("b", FORM_ENVELOPE, false, key);
	assert_string_equal(d->key, key);
	assert_false(d->wildcards);
	selection_hold(a);
	selection_drop(a);
	selection_drop(a);
	selection_drop(b);
	selection_drop(c);
	selection_drop(d);
	selection_drop(NULL);
}

static void other_types_are_another_wish(void **state)
{
	static const char *const patterns[] = {"b"};
	static const char *const names[] = {"y", "x", "y"}, *const same[] = {"x", "y"};
	const struct event_types three = {names, 3}, two = {same, 2}, one = {names, 1};
	struct selection *a = selection_new(patterns, 1, &three, false),
			 *b = selection_new(patterns, 1, &two, false),
			 *c = selection_new(patterns, 1, &one, false),
			 *d = selection_new(patterns, 1, &all_types, false);

	(void)state;
	assert_string_equal(a->key, b->key);
	assert_string_not_equal(a->key, c->key);
	assert_string_not_equal(c->key, d->key);
	assert_int_equal(a->types.count, 2);
	assert_string_equal(a->types.names[0], "x");
	assert_true(event_types_have(&a->types, (struct sse_text){"y", 1}));
	assert_false(event_types_have(&a->types, (struct sse_text){"yx", 2}));
	assert_true(event_types_have(&d->types, (struct sse_text){"yx", 2}));
	selection_drop(a);
	selection_drop(b);
	selection_drop(c);
	selection_drop(d);
}

static void a_selection_finds_its_topics(void **state)
{
	const char *const patterns[] = {"a", "c/*"};
	struct selection *selection = selection_new(patterns, 2, &all_types, false);
	struct topics *topics = topics_new();
	struct topic_set set = {0};
	struct topic *a = topics_add(topics, "a"), *b = topics_add(topics, "b");
	struct topic *c = NULL;
	char name[20];

	(void)state;
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "c/%d", i);
		c = topics_add(topics, name);
	}
	assert_int_equal(selection_topics(selection, topics, &set), 0);
	assert_int_equal(set.count, 201);
	assert_true(topic_set_has(&set, a));
	assert_false(topic_set_has(&set, b));
	assert_true(topic_set_has(&set, c));
	assert_int_equal(topic_set_removed(&set), 0);
	b->removed = 9;
	assert_int_equal(topic_set_removed(&set), 0);
	c->removed = 7;
	a->removed = 5;
	assert_int_equal(topic_set_removed(&set), 7);
	topic_set_free(&set);
	assert_int_equal(set.count, 0);
	selection_drop(selection);
	topics_free(topics);
}

static struct sockaddr_storage address(const char *text)
{
	struct sockaddr_storage storage = {0};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&storage;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&storage;

	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
		v4->sin_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
		v6->sin6_family = AF_INET6;
	return storage;
}

static enum limits_answer admit(
	struct limits *limits, const char *text, struct limits_address **counted)
{
	struct sockaddr_storage storage = address(text);

	return limits_admit(limits, (struct sockaddr *)&storage, counted);
}

static void streams_are_limited_as_a_whole_and_by_address(void **state)
{
	struct limits *limits = limits_new(6, 2);
	struct limits_address *counted[10];

	(void)state;
	assert_int_equal(admit(limits, "192.0.2.1", &counted[0]), LIMITS_OK);
	/* The same, mapped into IPv6. */
	assert_int_equal(admit(limits, "::ffff:192.0.2.1", &counted[1]), LIMITS_OK);
	assert_int_equal(admit(limits, "192.0.2.1", &counted[2]), LIMITS_ADDRESS);
	assert_int_equal(admit(limits, "192.0.2.2", &counted[2]), LIMITS_OK);
	/* One /64 is one client. */
	assert_int_equal(admit(limits, "2001:db8::1", &counted[3]), LIMITS_OK);
	assert_int_equal(admit(limits, "2001:db8::2", &counted[4]), LIMITS_OK);
	assert_int_equal(admit(limits, "2001:db8::3", &counted[5]), LIMITS_ADDRESS);
	assert_int_equal(admit(limits, "2001:db8:0:1::1", &counted[5]), LIMITS_OK);
	assert_int_equal(admit(limits, "192.0.2.3", &counted[6]), LIMITS_STREAMS);
	limits_release(limits, counted[0]);
	assert_int_equal(admit(limits, "192.0.2.1", &counted[0]), LIMITS_OK);
	for (int i = 0; i < 6; i++)
		limits_release(limits, counted[i]);
	limits_free(limits);
	limits_free(NULL);
}

static void loopback_and_local_sockets_are_not_counted_by_address(void **state)
{
	static const char *const texts[] = {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"};
	struct limits *limits = limits_new(0, 1);
	struct limits_address *counted;

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(texts); i++) {
		assert_int_equal(admit(limits, texts[i / 2], &counted), LIMITS_OK);
		assert_null(counted);
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(limits_admit(limits, NULL, &counted), LIMITS_OK);
		assert_null(counted);
	}
	/* What is still counted is freed with the limits. */
	assert_int_equal(admit(limits, "192.0.2.1", &counted), LIMITS_OK);
	limits_free(limits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_match_whole_segments),
		cmocka_unit_test(patterns_that_cannot_be),
		cmocka_unit_test(the_same_wish_has_the_same_key),
		cmocka_unit_test(other_types_are_another_wish),
		cmocka_unit_test(a_selection_finds_its_topics),
		cmocka_unit_test(streams_are_limited_as_a_whole_and_by_address),
		cmocka_unit_test(loopback_and_local_sockets_are_not_counted_by_address),
	};

	return cmocka_run_group_tests_name("serve_selection", tests, NULL, NULL);
}
