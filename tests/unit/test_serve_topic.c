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
		"$sys", "a+b", "a%b", "a*", "a,b", "a\\b", "a\nb", "a\x7f", "a@b", "a'b", "a\"b"};

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

/* By code points, so that the source shows what cannot be seen. */
static void names_of_all_scripts_can_be(void **state)
{
	static const char *const names[] = {u8"\ucc44\ud305/\ud55c\uad6d\uc5b4", /* Korean */
		u8"caf\u00e9", u8"\u041f\u0440\u0438\u0432\u0435\u0442", u8"\u4f60\u597d/lobby",
		u8"\u0627\u0644\u0633\u0644\u0627\u0645", u8"\u0e19\u0e49\u0e33", /* Thai */
		u8"\u0939\u093f\u0928\u094d\u0926\u0940",			  /* Hindi */
		u8"\u09ac\u09be\u0982\u09b2\u09be",				  /* Bengali */
		u8"\u0661\u0662\u0663", u8"q\u0323", u8"\U00020000"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct error error = {0, ""};

		if (topic_name_check(names[i], strlen(names[i]), &error) != 0)
			fail_msg("'%s' was refused: %s", names[i], error.text);
		assert_int_equal(topic_pattern_check(names[i], strlen(names[i]), NULL), 0);
		assert_true(topic_name_is_accepted(names[i], strlen(names[i])));
	}
}

/* A refusal says why, by the code point, which a terminal can show. */
static void names_that_deceive_cannot_be(void **state)
{
	static const struct {
		const char *name, *reason;
	} rows[] = {
		{u8"cafe\u0301", u8"Normalization Form C (NFC); in that form, this is caf\u00e9"},
		{u8"\u1112\u1161\u11ab", u8"(NFC); in that form, this is \ud55c"},
		{u8"\u212b", u8"(NFC); in that form, this is \u00c5"},
		{u8"a\u0302\u0323", "(NFC)"}, /* marks in another order */
		{u8"a\u200b", "it has U+200B"}, {u8"a\u202eb", "it has U+202E"},
		{u8"\u2066a", "it has U+2066"}, {u8"a\u200eb", "it has U+200E"},
		{u8"a\u200db", "it has U+200D"}, {"a\xc2\x85", "it has U+0085"},
		{"a\xc2\x9b", "it has U+009B"},
		{u8"\ufeff"
		 "a",
			"it has U+FEFF"},
		{u8"a\u2024b", "it has U+2024"}, {u8"a\u3002b", "it has U+3002"},
		{u8"a\uff0eb", "it has U+FF0E"}, {u8"a\u2044b", "it has U+2044"},
		{u8"a\u00a0b", "it has U+00A0"}, {u8"a\u3000b", "it has U+3000"},
		{u8"a\u2028b", "it has U+2028"}, {u8"\U0001f600", "it has U+1F600"},
		{u8"\ue000", "it has U+E000"}, {u8"\u0378", "it has U+0378"},
		{u8"\u3164", "only what can be seen; it has U+3164"},
		{u8"a\ufe0f", "only what can be seen; it has U+FE0F"},
		{u8"a\u034f", "only what can be seen; it has U+034F"},
		{u8"\u0301"
		 "a",
			"a mark follows a letter or a digit; U+0301 does not"},
		{u8"a/\u0301", "U+0301 does not"}, {u8".\u0301", "U+0301 does not"},
		{"\xc3", "is UTF-8"}, {"\xc0\xaf", "is UTF-8"}, {"\xed\xa0\x80", "is UTF-8"}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error error = {0, ""};

		assert_int_equal(topic_name_check(rows[i].name, strlen(rows[i].name), &error), -1);
		if (strstr(error.text, rows[i].reason) == NULL)
			fail_msg("'%s': %s", rows[i].name, error.text);
		assert_int_equal(topic_pattern_check(rows[i].name, strlen(rows[i].name), NULL), -1);
	}
}

/* A node of a newer Unicode may know more letters, but no other form. */
static void what_another_node_accepted_has_the_form_of_a_name(void **state)
{
	static const char *const good[] = {u8"\u0378", u8"a\u0301", "users"};
	static const char *const bad[] = {"", "a b", "a//b", "event", "a*", "\xc3", "session"};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(topic_name_is_accepted(good[i], strlen(good[i])));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(topic_name_is_accepted(bad[i], strlen(bad[i])));
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

/* Long enough that each is looked at. */
static void forget_all(struct topics *topics, uint64_t oldest)
{
	for (int i = 0; i < 1000; i++)
		topics_forget(topics, oldest);
}

static void a_topic_of_which_nothing_is_left_is_forgotten(void **state)
{
	static const char *const names[] = {
		"kept", "removed", "shown", "held", "set", "gone", "older", "plain"};
	struct topics *topics = topics_new();
	struct topic_set set = {0};
	struct topic *held;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		assert_non_null(topics_add(topics, names[i]));
	topics_keep(topics, topics_find(topics, "kept"));
	topics_find(topics, "removed")->removed = 7;
	topics_find(topics, "shown")->newest_entry = 20;
	topics_find(topics, "older")->newest_entry = 19;
	held = topics_hold_named(topics, "held");
	assert_ptr_equal(topics_hold(topics, held->number), held);
	assert_int_equal(topic_set_add(&set, topics_find(topics, "set")), 0);
	assert_int_equal(topic_set_add(&set, topics_find(topics, "set")), 0);
	assert_null(topics_hold_named(topics, "unknown"));
	assert_null(topics_hold(topics, COUNT(names)));
	forget_all(topics, 20);
	for (size_t i = 0; i < COUNT(names); i++) {
		if ((topics_find(topics, names[i]) != NULL) != (i < 5))
			fail_msg("%s", names[i]);
		assert_int_equal(topics_hold(topics, (uint32_t)i) != NULL, i < 5);
		if (i < 5)
			topic_drop(topics_get(topics, (uint32_t)i));
	}
	assert_int_equal(topics_known(topics), 5);
	/* Each hold counts, and a set holds once. */
	topic_drop(held);
	forget_all(topics, 21);
	assert_null(topics_find(topics, "shown"));
	assert_ptr_equal(topics_find(topics, "held"), held);
	topic_drop(held);
	topic_set_free(&set);
	forget_all(topics, 21);
	assert_int_equal(topics_known(topics), 2);
	assert_non_null(topics_find(topics, "kept"));
	assert_non_null(topics_find(topics, "removed"));
	topics_free(topics);
}

static void a_forgotten_topics_number_is_given_again(void **state)
{
	struct topics *topics = topics_new();
	struct topic *other;
	uint32_t serial;

	(void)state;
	topics_set_limit(topics, 3);
	topics_keep(topics, topics_add(topics, "a"));
	serial = topics_add(topics, "b")->serial;
	topics_keep(topics, topics_add(topics, "c"));
	assert_int_equal(topics_room(topics), 0);
	forget_all(topics, 0);
	assert_int_equal(topics_room(topics), 1);
	assert_int_equal(topics_count(topics), 3);
	other = topics_add(topics, "other");
	assert_int_equal(other->number, 1);
	assert_int_not_equal(other->serial, serial);
	assert_ptr_equal(topics_find(topics, "other"), other);
	assert_null(topics_find(topics, "b"));
	assert_int_equal(topics_room(topics), 0);
	assert_int_equal(topics_count(topics), 3);
	assert_int_equal(topics_add(topics, "b")->number, 3);
	topics_free(topics);
}

/* As many come as go: the registry does not grow, with one call for each few that come. */
static void topics_that_come_and_go_take_no_more_room(void **state)
{
	struct topics *topics = topics_new();
	char name[24];

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "t/%u", i);
		topics_add(topics, name)->newest_entry = i;
		if (i % 100 == 0)
			topics_forget(topics, i > 500 ? i - 500 : 0);
		assert_true(topics_count(topics) < 1500);
	}
	topics_free(topics);
}

static void a_topic_of_the_servers_own_stays_and_does_not_count(void **state)
{
	struct topics *topics = topics_new();

	(void)state;
	topics_set_limit(topics, 1);
	assert_int_equal(topics_add_own(topics, "own"), 0);
	assert_int_equal(topics_known(topics), 0);
	assert_int_equal(topics_room(topics), 1);
	assert_non_null(topics_add(topics, "other"));
	assert_int_equal(topics_room(topics), 0);
	forget_all(topics, 0);
	assert_non_null(topics_find(topics, "own"));
	assert_null(topics_find(topics, "other"));
	topics_free(topics);
}

static void topics_are_held_in_the_order_of_their_names(void **state)
{
	struct topics *topics = topics_new();
	struct topic *found[8];

	(void)state;
	assert_int_equal(topics_hold_from(topics, "", found, 8), 0);
	for (size_t i = 0; i < 5; i++)
		assert_non_null(
			topics_add(topics, (const char *[]){"b", "a/b", "a", "A", "a-"}[i]));
	assert_int_equal(topics_hold_from(topics, "", found, 8), 5);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(
			found[i]->name, ((const char *[]){"A", "a", "a-", "a/b", "b"}[i]));
	/* As long as they are held they are not forgotten. */
	forget_all(topics, 0);
	assert_int_equal(topics_known(topics), 5);
	topic_drop(found[4]);
	topic_drop(found[1]);
	forget_all(topics, 0);
	assert_int_equal(topics_hold_from(topics, "a", found, 1), 1);
	assert_string_equal(found[0]->name, "a-");
	assert_int_equal(topics_hold_from(topics, "b", found, 1), 0);
	topics_free(topics);
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
	static const char *const good[] = {"a", "*", "**", "chat/*", "*/lobby", "a/*/b", "a/**",
		"*/*/**", "users", u8"\ucc44\ud305/*"};
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

/* Whatever a walk leaves out by it, the pattern does not match. */
static void a_walk_looks_only_at_names_that_begin_like_the_pattern(void **state)
{
	static const char *const patterns[] = {
		"a", "ab", "a/b", "*", "**", "a/*", "a/**", "a/b/*", "*/b", "b/*/c", "-/**", "~"};
	static const char *const names[] = {"-", "-/x", ".", "a", "a-b", "a.", "a/-", "a/b",
		"a/b/c", "a/b/c/d", "a/bc", "a0", "a_", "ab", "ab/c", "b", "b/a/c", "b/b", "~",
		"~/a"};
	static const struct {
		const char *pattern, *from, *wanted;
	} rows[] = {{"chat/*", "", "chat/*"}, {"chat/**", "chat", "chat/**"},
		{"chat/**", "chat-a", "chat/**"}, {"chat/*", "chat/a", "chat/a"},
		{"chat/*", "chat/a/b", "chat/a/b"}, {"chat/*", "chat0", NULL}, {"a", "", "a"},
		{"a", "a", "a"}, {"a", "a\1", NULL}, {"a", "a/b", NULL}, {"*/b", "x", "x"},
		{"**", "", ""}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *from = topic_pattern_from(rows[i].pattern, rows[i].from);

		if (rows[i].wanted == NULL)
			assert_null(from);
		else
			assert_string_equal(from, rows[i].wanted);
	}
	for (size_t p = 0; p < COUNT(patterns); p++) {
		for (size_t f = 0; f < COUNT(names); f++) {
			const char *from = topic_pattern_from(patterns[p], names[f]);

			for (size_t n = f; n < COUNT(names); n++) {
				if (topic_matches(patterns[p], names[n]) &&
					(from == NULL || strcmp(names[n], from) < 0))
					fail_msg("%s from %s leaves out %s", patterns[p], names[f],
						names[n]);
			}
		}
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
		cmocka_unit_test(names_of_all_scripts_can_be),
		cmocka_unit_test(names_that_deceive_cannot_be),
		cmocka_unit_test(what_another_node_accepted_has_the_form_of_a_name),
		cmocka_unit_test(the_longest_name_is_200_bytes),
		cmocka_unit_test(a_topic_is_registered_once_and_stays),
		cmocka_unit_test(many_topics_keep_their_numbers),
		cmocka_unit_test(a_topic_of_which_nothing_is_left_is_forgotten),
		cmocka_unit_test(a_forgotten_topics_number_is_given_again),
		cmocka_unit_test(topics_that_come_and_go_take_no_more_room),
		cmocka_unit_test(rows_are_given_in_the_order_of_keeping),
		cmocka_unit_test(patterns_that_can_be),
		cmocka_unit_test(a_star_is_one_segment_and_two_are_the_rest),
		cmocka_unit_test(a_walk_looks_only_at_names_that_begin_like_the_pattern),
		cmocka_unit_test(a_topic_of_the_servers_own_stays_and_does_not_count),
		cmocka_unit_test(topics_are_held_in_the_order_of_their_names),
		cmocka_unit_test(a_set_has_what_was_added),
	};

	return cmocka_run_group_tests_name("serve_topic", tests, NULL, NULL);
}
