/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/stream/roster.c: names come, stay for the grace, and leave; each is told once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stream/presence.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct roster_stay *reserve(struct roster *roster, const char *topic, const char *name)
{
	bool full;

	return roster_reserve(roster, &topic, 1, name, &full);
}

/* A stream that is open. */
static struct roster_stay *enter(struct roster *roster, const char *topic, const char *name)
{
	struct roster_stay *stay = reserve(roster, topic, name);

	assert_non_null(stay);
	roster_enter(stay);
	return stay;
}

/* The next change is this one: "join a/Ada 1". */
static void told(struct roster *roster, uint32_t now, const char *expected)
{
	struct roster_change change;
	char text[400] = "";

	if (roster_change(roster, now, &change))
		snprintf(text, sizeof(text), "%s %s/%s %u", change.joined ? "join" : "leave",
			change.topic, change.name, change.count);
	assert_string_equal(text, expected);
}

/* The names that are present, with a comma behind each. */
static void present(struct roster *roster, const char *topic, const char *expected)
{
	struct buf names;
	size_t count, commas = 0;

	buf_init(&names, SIZE_MAX / 2);
	assert_int_equal(roster_names(roster, topic, &names, &count), 0);
	for (size_t i = 0; i < names.len; i++) {
		commas += names.data[i] == '\0';
		names.data[i] = names.data[i] == '\0' ? ',' : names.data[i];
	}
	assert_int_equal(count, commas);
	assert_int_equal(names.len, strlen(expected));
	assert_memory_equal(names.len > 0 ? names.data : "", expected, names.len);
	buf_free(&names);
}

static void a_name_joins_once_and_leaves_after_the_grace(void **state)
{
	struct roster *roster = roster_new(10, 100);
	struct roster_stay *one, *two;

	(void)state;
	told(roster, 0, "");
	assert_int_equal(roster_wait(roster, 0), -1);
	one = reserve(roster, "a", "Ada");
	/* A place is no presence. */
	present(roster, "a", "");
	told(roster, 0, "");
	assert_true(roster_enter(one));
	present(roster, "a", "Ada,");
	assert_int_equal(roster_wait(roster, 0), 0);
	two = enter(roster, "a", "Ada");
	told(roster, 0, "join a/Ada 1");
	told(roster, 0, "");
	assert_int_equal(roster_wait(roster, 0), -1);
	assert_false(roster_leave(one, 10));
	assert_int_equal(roster_wait(roster, 10), -1);
	/* With the last stream the grace begins, of which the herald has to know. */
	assert_true(roster_leave(two, 20));
	assert_int_equal(roster_wait(roster, 30), 90);
	told(roster, 119, "");
	present(roster, "a", "Ada,");
	told(roster, 120, "leave a/Ada 0");
	present(roster, "a", "");
	assert_int_equal(roster_count(roster), 0);
	roster_free(roster);
}

static void who_comes_back_within_the_grace_was_never_away(void **state)
{
	struct roster *roster = roster_new(10, 100);
	struct roster_stay *stay = enter(roster, "a", "Ada");

	(void)state;
	told(roster, 0, "join a/Ada 1");
	/* The clock runs over. */
	roster_leave(stay, UINT32_MAX - 10);
	stay = enter(roster, "a", "Ada");
	told(roster, 1000, "");
	roster_leave(stay, UINT32_MAX - 10);
	assert_int_equal(roster_wait(roster, 9), 80);
	told(roster, 88, "");
	told(roster, 89, "leave a/Ada 0");
	roster_free(roster);
}

static void what_is_over_before_it_was_told_is_not_told(void **state)
{
	struct roster *roster = roster_new(10, 0);
	struct roster_stay *stay;

	(void)state;
	for (int i = 0; i < 5; i++)
		roster_leave(enter(roster, "a", "Ada"), 0);
	assert_int_equal(roster_count(roster), 1);
	told(roster, 0, "");
	assert_int_equal(roster_count(roster), 0);
	stay = enter(roster, "a", "Ada");
	told(roster, 0, "join a/Ada 1");
	roster_leave(stay, 0);
	stay = enter(roster, "a", "Ada");
	told(roster, 0, "");
	assert_true(roster_leave(stay, 0));
	told(roster, 0, "leave a/Ada 0");
	roster_free(roster);
}

static void names_are_of_their_topics_and_sorted(void **state)
{
	static const char *const topics[] = {"b", "a", "c/d"};
	struct roster *roster = roster_new(10, 0);
	struct roster_stay *many, *bob;
	bool full;

	(void)state;
	many = roster_reserve(roster, topics, COUNT(topics), "\xc3\x84rna", &full);
	roster_enter(many);
	bob = enter(roster, "a", "bob");
	roster_leave(enter(roster, "a", "Bob"), 0);
	present(roster, "a", "bob,\xc3\x84rna,");
	present(roster, "b", "\xc3\x84rna,");
	present(roster, "c", "");
	told(roster, 0, "join b/\xc3\x84rna 1");
	told(roster, 0, "join a/\xc3\x84rna 1");
	told(roster, 0, "join c/d/\xc3\x84rna 1");
	told(roster, 0, "join a/bob 2");
	told(roster, 0, "");
	assert_int_equal(roster_count(roster), 4);
	roster_leave(many, 0);
	told(roster, 0, "leave b/\xc3\x84rna 0");
	told(roster, 0, "leave a/\xc3\x84rna 1");
	/* One without topics does nothing. */
	many = roster_reserve(roster, topics, 0, "x", &full);
	assert_non_null(many);
	roster_enter(many);
	roster_leave(many, 0);
	roster_leave(bob, 0);
	roster_free(roster);
}

static void the_limit_counts_names_of_topics_and_takes_nothing_half(void **state)
{
	static const char *const topics[] = {"a", "b", "c"};
	struct roster *roster = roster_new(3, 0);
	struct roster_stay *one, *two;
	bool full;

	(void)state;
	one = enter(roster, "a", "Ada");
	assert_null(roster_reserve(roster, topics, 3, "Bob", &full));
	assert_true(full);
	assert_int_equal(roster_count(roster), 1);
	two = roster_reserve(roster, topics, 2, "Bob", &full);
	assert_non_null(two);
	assert_false(full);
	assert_null(reserve(roster, "d", "Ada"));
	/* Who is there takes no more place. */
	roster_leave(enter(roster, "a", "Ada"), 0);
	roster_leave(two, 0);
	roster_leave(enter(roster, "d", "Ada"), 0);
	told(roster, 0, "join a/Ada 1");
	told(roster, 0, "");
	roster_leave(one, 0);
	roster_free(roster);
}

static void nobody_has_a_grace_while_it_is_nearly_full(void **state)
{
	struct roster *roster = roster_new(16, 1000);
	char name[8];

	(void)state;
	for (int i = 0; i < 15; i++) {
		snprintf(name, sizeof(name), "%c", 'a' + i);
		roster_leave(enter(roster, "t", name), 0);
	}
	/* The first 14 may come back; the others were there too shortly to be told of. */
	present(roster, "t", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,");
	for (int i = 0; i < 14; i++) {
		char expected[24];

		snprintf(expected, sizeof(expected), "join t/%c %d", 'a' + i, i + 1);
		told(roster, 0, expected);
	}
	told(roster, 0, "");
	assert_int_equal(roster_count(roster), 14);
	roster_free(roster);
}

/* Random comings and goings: who believes what is told knows who is there. */
static void the_changes_are_the_truth(void **state)
{
	static struct roster_stay *stays[200];
	static bool believed[50];
	struct roster *roster = roster_new(1000, 7);
	struct roster_change change;
	uint32_t random = 1, now = UINT32_MAX - 5000, count = 0;
	char name[8];

	(void)state;
	for (int i = 0; i < 20000; i++, now++) {
		unsigned n = (random = random * 1664525 + 1013904223) >> 16;

		snprintf(name, sizeof(name), "%zu", n % COUNT(stays) % COUNT(believed));
		if (stays[n % COUNT(stays)] == NULL) {
			stays[n % COUNT(stays)] = enter(roster, "t", name);
		} else {
			roster_leave(stays[n % COUNT(stays)], now);
			stays[n % COUNT(stays)] = NULL;
		}
		while (n % 3 == 0 && roster_change(roster, now, &change)) {
			unsigned which = (unsigned)atoi(change.name);

			assert_true(believed[which] != change.joined);
			believed[which] = change.joined;
			count += change.joined ? 1 : UINT32_MAX;
			assert_int_equal(change.count, count);
		}
	}
	for (size_t i = 0; i < COUNT(stays); i++) {
		if (stays[i] != NULL)
			roster_leave(stays[i], now);
	}
	while (roster_change(roster, now + 7, &change))
		count += change.joined ? 1 : UINT32_MAX;
	assert_int_equal(count, 0);
	assert_int_equal(roster_count(roster), 0);
	assert_int_equal(roster_wait(roster, now + 8), -1);
	roster_free(roster);
	roster_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_joins_once_and_leaves_after_the_grace),
		cmocka_unit_test(who_comes_back_within_the_grace_was_never_away),
		cmocka_unit_test(what_is_over_before_it_was_told_is_not_told),
		cmocka_unit_test(names_are_of_their_topics_and_sorted),
		cmocka_unit_test(the_limit_counts_names_of_topics_and_takes_nothing_half),
		cmocka_unit_test(nobody_has_a_grace_while_it_is_nearly_full),
		cmocka_unit_test(the_changes_are_the_truth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
