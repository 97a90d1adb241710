/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-serve/log/new_topics.c: the limit on topics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "log/new_topics.h"

enum { APPENDS = 8 };

struct fixture {
	struct topics *topics;
	struct store_append appends[APPENDS];
	struct store_group group;
	struct error error;
};

/* A registry of the topics a and b, with a limit. */
static void set_up(struct fixture *f, uint32_t limit)
{
	*f = (struct fixture){.topics = topics_new()};
	assert_non_null(f->topics);
	topics_set_limit(f->topics, limit);
	topics_add(f->topics, "a");
	topics_add(f->topics, "b");
}

/* Register a group of an event for each topic, whose names are single letters. */
static int offer(struct fixture *f, const char *letters, bool ephemeral)
{
	static const char *const names[] = {"a", "b", "c", "d", "e", "f"};

	f->group = (struct store_group){.appends = f->appends};
	f->error = (struct error){0};
	for (; *letters != '\0'; letters++)
		f->appends[f->group.count++] = (struct store_append){
			.topic = *letters == '$' ? TOPIC_SYSTEM : names[*letters - 'a'],
			.event = {.ephemeral = ephemeral}};
	return new_topics_register(f->topics, &f->group, &f->error);
}

static void refused(struct fixture *f, const char *letters, const char *word)
{
	uint32_t count = topics_count(f->topics);

	assert_int_equal(offer(f, letters, false), -1);
	assert_int_equal(f->error.status, EX_CANTCREAT);
	if (strstr(f->error.text, word) == NULL || strstr(f->error.text, "--max-topics") == NULL)
		fail_msg("%s", f->error.text);
	assert_int_equal(topics_count(f->topics), count);
}

static void without_a_limit_all_fit(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, 0);
	assert_int_equal(topics_room(f.topics), UINT32_MAX);
	assert_int_equal(offer(&f, "abcdef", false), 0);
	assert_int_equal(topics_count(f.topics), 6);
	topics_free(f.topics);
}

static void beyond_the_limit_only_known_topics_fit(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, 3);
	assert_int_equal(topics_room(f.topics), 1);
	assert_int_equal(offer(&f, "ccc", false), 0);
	assert_int_equal(f.group.count, 3);
	assert_int_equal(topics_count(f.topics), 3);
	assert_int_equal(topics_room(f.topics), 0);
	assert_int_equal(offer(&f, "cc", false), 0);
	assert_int_equal(offer(&f, "a", false), 0);
	refused(&f, "e", "and e would");
	refused(&f, "dd", "3 topics");
	assert_int_equal(f.group.count, 2);
	assert_int_equal(offer(&f, "e", true), -1);
	assert_int_equal(f.error.status, EX_CANTCREAT);
	assert_int_equal(f.group.count, 1);
	topics_free(f.topics);
}

/* The batch is refused, and none of its topics stays. */
static void the_topics_of_a_batch_fit_together_or_not_at_all(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, 4);
	assert_int_equal(offer(&f, "acdbde", false), -1);
	assert_non_null(strstr(f.error.text, "and e would"));
	assert_int_equal(f.group.count, 6);
	assert_int_equal(f.group.conflicted, 5);
	assert_null(topics_find(f.topics, "c"));
	assert_null(topics_find(f.topics, "d"));
	assert_int_equal(topics_room(f.topics), 2);
	assert_int_equal(offer(&f, "adaed", false), 0);
	assert_int_equal(topics_room(f.topics), 0);
	topics_free(f.topics);
}

static void a_refused_batch_leaves_topics_that_others_brought(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, 4);
	assert_int_equal(offer(&f, "c", false), 0);
	assert_int_equal(offer(&f, "abcdef", false), -1);
	assert_int_equal(f.group.conflicted, 4);
	assert_non_null(topics_find(f.topics, "a"));
	assert_non_null(topics_find(f.topics, "c"));
	assert_null(topics_find(f.topics, "d"));
	topics_free(f.topics);
}

static void what_is_more_than_the_limit_from_the_start_goes_on(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, 1);
	assert_int_equal(topics_room(f.topics), 0);
	assert_int_equal(offer(&f, "ab", false), 0);
	refused(&f, "c", "1 topics");
	topics_free(f.topics);
}

static void the_servers_own_topic_is_beside_the_limit(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, 3);
	assert_int_equal(offer(&f, "$", true), 0);
	assert_int_equal(topics_room(f.topics), 1);
	assert_int_equal(offer(&f, "c", false), 0);
	assert_int_equal(topics_room(f.topics), 0);
	assert_int_equal(offer(&f, "$", true), 0);
	topics_free(f.topics);

	set_up(&f, 2);
	assert_int_equal(offer(&f, "$", true), 0);
	topics_free(f.topics);
}

/* Joins and leaves of many topics are told in one group: one too many must not silence the others. */
static void ephemeral_events_that_do_not_fit_are_left_out(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f, 3);
	assert_int_equal(offer(&f, "aebdc", true), 0);
	assert_int_equal(f.group.count, 3);
	assert_string_equal(f.appends[0].topic, "a");
	assert_string_equal(f.appends[1].topic, "e");
	assert_string_equal(f.appends[2].topic, "b");
	assert_int_equal(topics_count(f.topics), 3);
	assert_non_null(topics_find(f.topics, "e"));
	assert_int_equal(offer(&f, "cd", true), -1);
	assert_int_equal(f.error.status, EX_CANTCREAT);
	topics_free(f.topics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_limit_all_fit),
		cmocka_unit_test(beyond_the_limit_only_known_topics_fit),
		cmocka_unit_test(the_topics_of_a_batch_fit_together_or_not_at_all),
		cmocka_unit_test(a_refused_batch_leaves_topics_that_others_brought),
		cmocka_unit_test(what_is_more_than_the_limit_from_the_start_goes_on),
		cmocka_unit_test(the_servers_own_topic_is_beside_the_limit),
		cmocka_unit_test(ephemeral_events_that_do_not_fit_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
