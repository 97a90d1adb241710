/* SPDX-License-Identifier: MIT */
/*
 * Tests of cmd/sse-serve/stream/presence_nodes.c: a name is present if any node has it, and each node is
 * told what this one has.
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
#include "stream/presence_nodes.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static unsigned woken;

static void wake(void *context)
{
	(void)context;
	woken++;
}

static struct presence *make(int64_t max, uint32_t grace)
{
	struct presence *presence = presence_new(max, grace);

	assert_non_null(presence);
	woken = 0;
	presence_nodes_share(presence, wake, NULL);
	return presence;
}

/* Another node says that it has the name, or has it no more. */
static enum presence_noted note(struct presence *presence, unsigned node, const char *topic,
	const char *name, bool joined, uint32_t now)
{
	struct presence_change change = {.joined = joined};
	bool changed = false;

	snprintf(change.topic, sizeof(change.topic), "%s", topic);
	snprintf(change.name, sizeof(change.name), "%s", name);
	return presence_nodes_note(presence, node, &change, now, &changed);
}

/* The next that other nodes are told is this one: "+a/Ada". */
static void passed(struct presence *presence, const char *expected)
{
	struct presence_change change;
	char text[400] = "";

	if (presence_nodes_next(presence, &change))
		snprintf(text, sizeof(text), "%c%s/%s", change.joined ? '+' : '-', change.topic,
			change.name);
	assert_string_equal(text, expected);
}

static bool add_text(void *context, const char *topic, const char *name)
{
	char *text = context;

	snprintf(text + strlen(text), 400 - strlen(text), "%s/%s,", topic, name);
	return true;
}

/* The complete list for other nodes is this: "a/Ada,a/Bob,". */
static void listed(struct presence *presence, const char *expected)
{
	char text[400] = "";

	assert_true(presence_nodes_visit(presence, add_text, text));
	assert_string_equal(text, expected);
}

static void a_name_is_present_if_any_node_has_it(void **state)
{
	struct presence *presence = make(10, 100);
	struct presence_lease *own;

	(void)state;
	note(presence, 0, "a", "Ada", true, 0);
	told(presence, 0, "join a/Ada 1");
	/* Twice, at another node, and here: it is one name. */
	note(presence, 0, "a", "Ada", true, 0);
	note(presence, 63, "a", "Ada", true, 0);
	own = enter(presence, "a", "Ada");
	note(presence, 1, "a", "Bob", true, 0);
	told(presence, 0, "join a/Bob 2");
	told(presence, 0, "");
	/* It stays as long as one has it. */
	note(presence, 0, "a", "Ada", false, 0);
	presence_leave(own, 0);
	told(presence, 1000, "");
	note(presence, 63, "a", "Ada", false, 1000);
	told(presence, 1099, "");
	told(presence, 1100, "leave a/Ada 1");
	assert_int_equal(presence_nodes_drop(presence, 1, 1200), true);
	told(presence, 1300, "leave a/Bob 0");
	passed(presence, "");
	assert_int_equal(presence_count(presence), 0);
	presence_free(presence);
}

static void a_name_that_moves_within_the_grace_never_leaves(void **state)
{
	struct presence *presence = make(10, 100);
	struct presence_lease *own = enter(presence, "a", "Ada");

	(void)state;
	told(presence, 0, "join a/Ada 1");
	presence_leave(own, 0);
	note(presence, 5, "a", "Ada", true, 99);
	told(presence, 500, "");
	note(presence, 5, "a", "Ada", false, 500);
	own = enter(presence, "a", "Ada");
	told(presence, 1000, "");
	/* And one whose node dies. */
	note(presence, 6, "a", "Ada", true, 1000);
	presence_leave(own, 1000);
	presence_nodes_drop(presence, 6, 2000);
	note(presence, 7, "a", "Ada", true, 2099);
	told(presence, 3000, "");
	presence_free(presence);
}

static void others_are_told_the_first_stream_and_the_last(void **state)
{
	struct presence *presence = make(10, 100);
	struct presence_lease *one = enter(presence, "a", "Ada"), *two;

	(void)state;
	assert_int_equal(woken, 1);
	/* Until it is asked again, once is enough. */
	presence_leave(enter(presence, "b", "Bob"), 0);
	assert_int_equal(woken, 1);
	listed(presence, "");
	passed(presence, "+a/Ada");
	listed(presence, "a/Ada,");
	passed(presence, "");
	two = enter(presence, "a", "Ada");
	presence_leave(one, 0);
	passed(presence, "");
	assert_int_equal(woken, 1);
	/* The grace is each node's own: it is told at once. */
	presence_leave(two, 0);
	assert_int_equal(woken, 2);
	/* What was not told yet is in the list still. */
	listed(presence, "a/Ada,");
	passed(presence, "-a/Ada");
	listed(presence, "");
	/* What others have is not told. */
	note(presence, 3, "a", "Cy", true, 0);
	passed(presence, "");
	listed(presence, "");
	presence_free(presence);
}

static void what_a_complete_list_lacks_is_gone(void **state)
{
	static const char *const names[] = {"A", "B", "C", "D"};
	struct presence *presence = make(20, 0);

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		note(presence, 2, "a", names[i], true, 0);
		note(presence, 2, names[i], "Ada", true, 0);
	}
	note(presence, 3, "a", "B", true, 0);
	for (size_t i = 0; i < 2 * COUNT(names); i++) {
		struct presence_change change;

		assert_true(presence_change(presence, 0, &change));
	}
	told(presence, 0, "");
	presence_nodes_begin_list(presence, 2);
	note(presence, 2, "a", "C", true, 0);
	note(presence, 2, "E", "Ada", true, 0);
	told(presence, 0, "join E/Ada 1");
	note(presence, 2, "D", "Ada", true, 0);
	/* One that goes while the list is read. */
	note(presence, 2, "D", "Ada", false, 0);
	told(presence, 0, "leave D/Ada 0");
	presence_nodes_end_list(presence, 2, 0);
	told(presence, 0, "leave a/D 3");
	told(presence, 0, "leave a/A 2");
	told(presence, 0, "leave C/Ada 0");
	told(presence, 0, "leave B/Ada 0");
	told(presence, 0, "leave A/Ada 0");
	told(presence, 0, "");
	/* B is at node 3 still. */
	assert_int_equal(presence_count(presence), 3);
	presence_free(presence);
}

static void all_names_count_for_the_limit(void **state)
{
	struct presence *presence = make(2, 0);
	const char *topic = "a";
	bool full = false;

	(void)state;
	assert_int_equal(note(presence, 0, "a", "Ada", true, 0), PRESENCE_NOTED);
	presence_leave(enter(presence, "a", "Ada"), 0);
	assert_int_equal(note(presence, 0, "a", "Bob", true, 0), PRESENCE_NOTED);
	assert_int_equal(note(presence, 0, "a", "Cy", true, 0), PRESENCE_FULL);
	assert_int_equal(note(presence, 0, "b", "Ada", true, 0), PRESENCE_FULL);
	/* It is known already, or has nothing to leave. */
	assert_int_equal(note(presence, 1, "a", "Bob", true, 0), PRESENCE_NOTED);
	assert_int_equal(note(presence, 1, "a", "Cy", false, 0), PRESENCE_NOTED);
	assert_null(presence_reserve(presence, &topic, 1, "Cy", &full));
	assert_true(full);
	told(presence, 0, "join a/Ada 1");
	told(presence, 0, "join a/Bob 2");
	presence_nodes_drop(presence, 0, 0);
	told(presence, 0, "leave a/Ada 1");
	/* It came and went: others need not know. */
	passed(presence, "");
	assert_int_equal(note(presence, 1, "a", "Cy", true, 0), PRESENCE_NOTED);
	presence_free(presence);
}

/* Streams and nodes at random: whoever applies the changes knows who is present, as do other nodes. */
static void the_changes_are_the_truth(void **state)
{
	enum { NAMES = 5, NODES = 3, LEASES = 4 };
	static const char *const names[NAMES] = {"A", "B", "C", "D", "E"};
	struct presence *presence = make(100, 0);
	struct presence_lease *leases[NAMES][LEASES] = {{0}};
	bool remote[NAMES][NODES] = {{0}}, present[NAMES] = {0}, here[NAMES] = {0};
	struct presence_change change;
	unsigned random = 12345;

	(void)state;
	for (int step = 0; step < 20000; step++) {
		unsigned name, which;

		random = random * 1103515245 + 12345;
		name = (random >> 16) % NAMES;
		which = (random >> 8) % (NODES + LEASES);
		if (which < NODES) {
			remote[name][which] = !remote[name][which];
			note(presence, which, "a", names[name], remote[name][which], 0);
		} else if (leases[name][which - NODES] != NULL) {
			presence_leave(leases[name][which - NODES], 0);
			leases[name][which - NODES] = NULL;
		} else {
			leases[name][which - NODES] = enter(presence, "a", names[name]);
		}
		if (random % 7 != 0)
			continue;
		while (presence_change(presence, 0, &change))
			present[change.name[0] - 'A'] = change.joined;
		while (presence_nodes_next(presence, &change)) {
			assert_int_not_equal(here[change.name[0] - 'A'], change.joined);
			here[change.name[0] - 'A'] = change.joined;
		}
		for (int i = 0; i < NAMES; i++) {
			bool own = false, any = remote[i][0] || remote[i][1] || remote[i][2];

			for (int j = 0; j < LEASES; j++)
				own = own || leases[i][j] != NULL;
			assert_int_equal(here[i], own);
			assert_int_equal(present[i], own || any);
		}
	}
	for (int i = 0; i < NAMES * LEASES; i++) {
		if (leases[i / LEASES][i % LEASES] != NULL)
			presence_leave(leases[i / LEASES][i % LEASES], 0);
	}
	for (unsigned i = 0; i < NODES; i++)
		presence_nodes_drop(presence, i, 0);
	while (presence_change(presence, 0, &change) || presence_nodes_next(presence, &change))
		;
	assert_int_equal(presence_count(presence), 0);
	presence_free(presence);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_present_if_any_node_has_it),
		cmocka_unit_test(a_name_that_moves_within_the_grace_never_leaves),
		cmocka_unit_test(others_are_told_the_first_stream_and_the_last),
		cmocka_unit_test(what_a_complete_list_lacks_is_gone),
		cmocka_unit_test(all_names_count_for_the_limit),
		cmocka_unit_test(the_changes_are_the_truth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
