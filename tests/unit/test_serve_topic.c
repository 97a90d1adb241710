/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/log/topic.c: the grammar of names, and the registry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "log/topic.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void names_that_can_be(void **state)
{
	static const char *const names[] = {"a", "users", "chat/lobby", "A-Z.a~z_09", "...", ".a",
		"-", "~", "events", "Event", "a/b/c/d/e/f", "event2/presence_", "0"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		if (topic_name_check(names[i], strlen(names[i]), NULL) != 0)
			fail_msg("'%s' was refused", names[i]);
	}
}

static void names_that_cannot_be(void **state)
{
	static const char *const names[] = {"", "/", "/a", "a/", "a//b", ".", "..", "a/.", "./a",
		"a/../b", "event", "a/event", "event/a", "presence", "a/presence/b", "a b", "a:b",
		"$sys", "a+b", "a%b", "a*", "a,b", "a\\b", "a\nb", "\xc3\xa4", "a\x7f", "a@b",
		"a'b", "a\"b"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct error error = {0, ""};

		if (topic_name_check(names[i], strlen(names[i]), &error) != -1)
			fail_msg("'%s' was taken", names[i]);
		assert_int_equal(error.status, EX_USAGE);
		assert_true(error.text[0] != '\0');
		assert_null(strchr(error.text, '\n'));
	}
	assert_int_equal(topic_name_check("a\0b", 3, NULL), -1);
}

static void the_longest_name_is_200_bytes(void **state)
{
	char name[TOPIC_NAME_MAX + 1];

	(void)state;
	memset(name, 'a', sizeof(name));
	assert_int_equal(TOPIC_NAME_MAX, 200);
	assert_int_equal(topic_name_check(name, TOPIC_NAME_MAX, NULL), 0);
	assert_int_equal(topic_name_check(name, TOPIC_NAME_MAX + 1, NULL), -1);
}

static void a_topic_is_registered_once_and_stays(void **state)
{
	struct topics *topics = topics_new();
	char name[] = "users";
	struct topic *users, *other;

	(void)state;
	assert_non_null(topics);
	assert_null(topics_find(topics, "users"));
	assert_null(topics_get(topics, 0));
	users = topics_add(topics, name);
	assert_non_null(users);
	/* The name was copied. */
	name[0] = 'x';
	assert_string_equal(users->name, "users");
	assert_int_equal(users->number, 0);
	assert_int_equal(users->removed, 0);
	assert_true(users->newest_entry == TOPIC_NO_ENTRY);
	other = topics_add(topics, "other");
	assert_int_equal(other->number, 1);
	assert_ptr_equal(topics_add(topics, "users"), users);
	assert_ptr_equal(topics_find(topics, "users"), users);
	assert_ptr_equal(topics_get(topics, 1), other);
	assert_null(topics_find(topics, "user"));
	assert_null(topics_find(topics, "users/"));
	assert_null(topics_get(topics, 2));
	topics_free(topics);
}

static void many_topics_keep_their_numbers(void **state)
{
	struct topics *topics = topics_new();
	char name[32];

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "t/%u", i * 7919 % 5000);
		assert_int_equal(topics_add(topics, name)->number, i);
	}
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "t/%u", i * 7919 % 5000);
		assert_string_equal(topics_get(topics, i)->name, name);
		assert_int_equal(topics_find(topics, name)->number, i);
	}
	topics_free(topics);
	topics_free(NULL);
}

static void rows_are_given_in_the_order_of_keeping(void **state)
{
	struct topics *topics = topics_new();
	char name[24];

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "t/%u", i);
		assert_int_equal(topics_add(topics, name)->row, 0);
	}
	for (unsigned i = 0; i < 500; i++) {
		struct topic *topic = topics_get(topics, 999 - 2 * i);

		assert_int_equal(topics_keep(topics, topic), 0);
		assert_int_equal(topics_keep(topics, topic), 0);
		assert_int_equal(topic->row, i + 1);
		assert_int_equal(topics_kept(topics), i + 1);
	}
	assert_ptr_equal(topics_of_row(topics, 1), topics_get(topics, 999));
	assert_ptr_equal(topics_of_row(topics, 500), topics_get(topics, 1));
	assert_null(topics_of_row(topics, 0));
	assert_null(topics_of_row(topics, 501));
	topics_free(topics);
}

static void patterns_that_can_be(void **state)
{
	static const char *const good[] = {
		"a", "*", "**", "chat/*", "*/lobby", "a/*/b", "a/**", "*/*/**", "users"};
	static const char *const bad[] = {"", "a*", "*a", "a/b*", "**/a", "a/**/b", "***", "a//*",
		"event/*", "*/presence", "/*", "*/", "$sys"};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		if (topic_pattern_check(good[i], strlen(good[i]), NULL) != 0)
			fail_msg("'%s' was refused", good[i]);
		assert_true(topic_is_pattern(good[i]) == (strchr(good[i], '*') != NULL));
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct error error = {0, ""};

		if (topic_pattern_check(bad[i], strlen(bad[i]), &error) != -1)
			fail_msg("'%s' was taken", bad[i]);
		assert_int_equal(error.status, EX_USAGE);
	}
}

static void a_star_is_one_segment_and_two_are_the_rest(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool matches;
	} pairs[] = {{"a", "a", true}, {"a", "b", false}, {"a", "ab", false}, {"ab", "a", false},
		{"a", "a/b", false}, {"a/b", "a", false}, {"*", "a", true}, {"*", "a/b", false},
		{"**", "a", true}, {"**", "a/b/c", true}, {"a/*", "a/b", true}, {"a/*", "a", false},
		{"a/*", "a/b/c", false}, {"a/**", "a/b/c", true}, {"a/**", "a/b", true},
		{"a/**", "a", false}, {"a/**", "ab/c", false}, {"*/b", "a/b", true},
		{"*/b", "a/c", false}, {"a/*/c", "a/b/c", true}, {"a/*/c", "a/b/d", false},
		{"*/*", "a/b", true}, {"*/*", "a", false}, {"*/*/**", "a/b", false},
		{"*", "$sys", false}, {"**", "$sys", false}, {"$sys", "$sys", true},
		{"$sys", "a", false}, {"a", "$sys", false}};

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		if (topic_matches(pairs[i].pattern, pairs[i].name) != pairs[i].matches)
			fail_msg("%s against %s", pairs[i].pattern, pairs[i].name);
	}
}

static void a_set_has_what_was_added(void **state)
{
	struct topics *topics = topics_new();
	struct topic_set set = {0};
	char name[32];

	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "t%u", i);
		topics_add(topics, name)->removed = i;
	}
	assert_int_equal(topic_set_removed(&set), 0);
	for (unsigned i = 0; i < 200; i += 3) {
		assert_int_equal(topic_set_add(&set, topics_get(topics, 199 - i)), 0);
		assert_int_equal(topic_set_add(&set, topics_get(topics, 199 - i)), 0);
		assert_int_equal(set.count, i / 3 + 1);
	}
	for (unsigned i = 0; i < 300; i++)
		assert_int_equal(
			topic_set_has(&set, topics_get(topics, i)), i < 200 && (199 - i) % 3 == 0);
	assert_ptr_equal(set.topics[0], topics_get(topics, 199));
	assert_int_equal(topic_set_removed(&set), 199);
	topic_set_free(&set);
	assert_false(topic_set_has(&set, topics_get(topics, 199)));
	topics_free(topics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_can_be),
		cmocka_unit_test(names_that_cannot_be),
		cmocka_unit_test(the_longest_name_is_200_bytes),
		cmocka_unit_test(a_topic_is_registered_once_and_stays),
		cmocka_unit_test(many_topics_keep_their_numbers),
		cmocka_unit_test(rows_are_given_in_the_order_of_keeping),
		cmocka_unit_test(patterns_that_can_be),
		cmocka_unit_test(a_star_is_one_segment_and_two_are_the_rest),
		cmocka_unit_test(a_set_has_what_was_added),
	};

	return cmocka_run_group_tests_name("serve_topic", tests, NULL, NULL);
}
