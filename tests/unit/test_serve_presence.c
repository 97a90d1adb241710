/* SPDX-License-Identifier: MIT */
/*
 * Tests of cmd/sse-serve/stream/presence.c: names come, stay for the grace, and leave; each is told
 * once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parts/presence.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct presence_lease *reserve(
	struct presence *presence, const char *topic, const char *name)
{
	bool full;

	return presence_reserve(presence, &topic, 1, name, &full);
}

/* The names that are present, with a comma behind each. */
static void present(struct presence *presence, const char *topic, const char *expected)
{
	struct buf names;
	size_t count, commas = 0;

	buf_init(&names, SIZE_MAX / 2);
	assert_int_equal(presence_names(presence, topic, &names, &count), 0);
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
	struct presence *presence = presence_new(10, 100);
	struct presence_lease *one, *two;

	(void)state;
	told(presence, 0, "");
	assert_int_equal(presence_wait(presence, 0), -1);
	one = reserve(presence, "a", "Ada");
	/* A place is no presence. */
	present(presence, "a", "");
	told(presence, 0, "");
	assert_true(presence_enter(one));
	present(presence, "a", "Ada,");
	assert_int_equal(presence_wait(presence, 0), 0);
	two = enter(presence, "a", "Ada");
	told(presence, 0, "join a/Ada 1");
	told(presence, 0, "");
	assert_int_equal(presence_wait(presence, 0), -1);
	assert_false(presence_leave(one, 10));
	assert_int_equal(presence_wait(presence, 10), -1);
	/* With the last stream the grace begins, of which presence_events_run() has to know. */
	assert_true(presence_leave(two, 20));
	assert_int_equal(presence_wait(presence, 30), 90);
	told(presence, 119, "");
	present(presence, "a", "Ada,");
	told(presence, 120, "leave a/Ada 0");
	present(presence, "a", "");
	assert_int_equal(presence_count(presence), 0);
	presence_free(presence);
}

static void who_comes_back_within_the_grace_was_never_away(void **state)
{
	struct presence *presence = presence_new(10, 100);
	struct presence_lease *lease = enter(presence, "a", "Ada");

	(void)state;
	told(presence, 0, "join a/Ada 1");
	/* The clock runs over. */
	presence_leave(lease, UINT32_MAX - 10);
	lease = enter(presence, "a", "Ada");
	told(presence, 1000, "");
	presence_leave(lease, UINT32_MAX - 10);
	assert_int_equal(presence_wait(presence, 9), 80);
	told(presence, 88, "");
	told(presence, 89, "leave a/Ada 0");
	presence_free(presence);
}

static void what_is_over_before_it_was_told_is_not_told(void **state)
{
	struct presence *presence = presence_new(10, 0);
	struct presence_lease *lease;

	(void)state;
	for (int i = 0; i < 5; i++)
		presence_leave(enter(presence, "a", "Ada"), 0);
	assert_int_equal(presence_count(presence), 1);
	told(presence, 0, "");
	assert_int_equal(presence_count(presence), 0);
	lease = enter(presence, "a", "Ada");
	told(presence, 0, "join a/Ada 1");
	presence_leave(lease, 0);
	lease = enter(presence, "a", "Ada");
	told(presence, 0, "");
	assert_true(presence_leave(lease, 0));
	told(presence, 0, "leave a/Ada 0");
	presence_free(presence);
}

static void names_are_of_their_topics_and_sorted(void **state)
{
	static const char *const topics[] = {"b", "a", "c/d"};
	struct presence *presence = presence_new(10, 0);
	struct presence_lease *many, *bob;
	bool full;

	(void)state;
	many = presence_reserve(presence, topics, COUNT(topics), "\xc3\x84rna", &full);
	presence_enter(many);
	bob = enter(presence, "a", "bob");
	presence_leave(enter(presence, "a", "Bob"), 0);
	present(presence, "a", "bob,\xc3\x84rna,");
	present(presence, "b", "\xc3\x84rna,");
	present(presence, "c", "");
	told(presence, 0, "join b/\xc3\x84rna 1");
	told(presence, 0, "join a/\xc3\x84rna 1");
	told(presence, 0, "join c/d/\xc3\x84rna 1");
	told(presence, 0, "join a/bob 2");
	told(presence, 0, "");
	assert_int_equal(presence_count(presence), 4);
	presence_leave(many, 0);
	told(presence, 0, "leave b/\xc3\x84rna 0");
	told(presence, 0, "leave a/\xc3\x84rna 1");
	/* One without topics does nothing. */
	many = presence_reserve(presence, topics, 0, "x", &full);
	assert_non_null(many);
	presence_enter(many);
	presence_leave(many, 0);
	presence_leave(bob, 0);
	presence_free(presence);
}

static void the_limit_counts_names_of_topics_and_takes_nothing_half(void **state)
{
	static const char *const topics[] = {"a", "b", "c"};
	struct presence *presence = presence_new(3, 0);
	struct presence_lease *one, *two;
	bool full;

	(void)state;
	one = enter(presence, "a", "Ada");
	assert_null(presence_reserve(presence, topics, 3, "Bob", &full));
	assert_true(full);
	assert_int_equal(presence_count(presence), 1);
	two = presence_reserve(presence, topics, 2, "Bob", &full);
	assert_non_null(two);
	assert_false(full);
	assert_null(reserve(presence, "d", "Ada"));
	/* Who is there takes no more place. */
	presence_leave(enter(presence, "a", "Ada"), 0);
	presence_leave(two, 0);
	presence_leave(enter(presence, "d", "Ada"), 0);
	told(presence, 0, "join a/Ada 1");
	told(presence, 0, "");
	presence_leave(one, 0);
	presence_free(presence);
}

static void nobody_has_a_grace_while_it_is_nearly_full(void **state)
{
	struct presence *presence = presence_new(16, 1000);
	char name[8];

	(void)state;
	for (int i = 0; i < 15; i++) {
		snprintf(name, sizeof(name), "%c", 'a' + i);
		presence_leave(enter(presence, "t", name), 0);
	}
	/* The first 14 may come back; the others were there too shortly to be told of. */
	present(presence, "t", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,");
	for (int i = 0; i < 14; i++) {
		char expected[24];

		snprintf(expected, sizeof(expected), "join t/%c %d", 'a' + i, i + 1);
		told(presence, 0, expected);
	}
	told(presence, 0, "");
	assert_int_equal(presence_count(presence), 14);
	presence_free(presence);
}

/* Random comings and goings: who believes what is told knows who is there. */
static void the_changes_are_the_truth(void **state)
{
	static struct presence_lease *leases[200];
	static bool believed[50];
	struct presence *presence = presence_new(1000, 7);
	struct presence_change change;
	uint32_t random = 1, now = UINT32_MAX - 5000, count = 0;
	char name[8];

	(void)state;
	for (int i = 0; i < 20000; i++, now++) {
		unsigned n = (random = random * 1664525 + 1013904223) >> 16;

		snprintf(name, sizeof(name), "%zu", n % COUNT(leases) % COUNT(believed));
		if (leases[n % COUNT(leases)] == NULL) {
			leases[n % COUNT(leases)] = enter(presence, "t", name);
		} else {
			presence_leave(leases[n % COUNT(leases)], now);
			leases[n % COUNT(leases)] = NULL;
		}
		while (n % 3 == 0 && presence_change(presence, now, &change)) {
			unsigned which = (unsigned)atoi(change.name);

			assert_true(believed[which] != change.joined);
			believed[which] = change.joined;
			count += change.joined ? 1 : UINT32_MAX;
			assert_int_equal(change.count, count);
		}
	}
	for (size_t i = 0; i < COUNT(leases); i++) {
		if (leases[i] != NULL)
			presence_leave(leases[i], now);
	}
	while (presence_change(presence, now + 7, &change))
		count += change.joined ? 1 : UINT32_MAX;
	assert_int_equal(count, 0);
	assert_int_equal(presence_count(presence), 0);
	assert_int_equal(presence_wait(presence, now + 8), -1);
	presence_free(presence);
	presence_free(NULL);
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
