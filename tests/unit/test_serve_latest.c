/* SPDX-License-Identifier: MIT */
/*
 * Tests of the newest events of subjects in the event logs of cmd/sse-serve: the same as looking at
 * all events finds, up to any position and after any; that the database finds them by its index; and
 * what --retain-topic PATTERN=latest removes.
 */
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "log/store.h"
#include "log/subjects.h"
#include "parts/open_log.h"
#include "parts/scratch.h"

/* More than are looked at one by one. */
#define TOPICS 12
#define SUBJECTS 9
#define EVENTS_MAX 8192

/* All that was published, by position; the model. */
static struct {
	uint32_t topic, subject; /* subject 0: none */
	bool gone;
} events[EVENTS_MAX];

static uint32_t seed = 7;

static uint32_t pick(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

static struct topic *topic_of(struct open_log *f, uint32_t number)
{
	char name[32];

	snprintf(name, sizeof(name), "topic%u", (unsigned)number);
	return topics_find(f->topics, name);
}

/* Publish ${count} in one transaction: of some subject, often an empty value, or of none. */
static void publish(struct open_log *f, size_t count)
{
	struct store_append *appends = calloc(count, sizeof(*appends));
	char(*names)[32] = calloc(count, sizeof(*names));
	char(*subjects)[32] = calloc(count, sizeof(*subjects));
	struct store_group group = {.appends = appends, .count = count}, *groups = &group;
	uint64_t head = f->store->head;

	assert_true(head + count < EVENTS_MAX);
	for (size_t i = 0; i < count; i++) {
		uint32_t topic = pick(3) > 0 ? pick(2) : pick(TOPICS);
		uint32_t subject = pick(3) > 0 ? 1 + pick(SUBJECTS) : 0;

		events[head + 1 + i].topic = topic;
		events[head + 1 + i].subject = topic == TOPICS - 1 ? 0 : subject;
		events[head + 1 + i].gone = false;
		snprintf(names[i], sizeof(names[i]), "topic%u", (unsigned)topic);
		snprintf(subjects[i], sizeof(subjects[i]), "%.*s", (int)subject, "abcdefghij");
		appends[i].topic = names[i];
		appends[i].event.type = (struct sse_text){"update", 6};
		appends[i].event.data = (struct sse_text){"0123456789", pick(3)};
		if (events[head + 1 + i].subject > 0)
			appends[i].event.subject =
				(struct sse_text){subjects[i], strlen(subjects[i])};
	}
	assert_int_equal(f->store->ops->append(f->store, &groups, 1, NULL), 0);
	free(appends);
	free(names);
	free(subjects);
}

static bool is_newest(uint64_t position, uint64_t upto)
{
	for (uint64_t i = position + 1; i <= upto; i++) {
		if (!events[i].gone && events[i].topic == events[position].topic &&
			events[i].subject == events[position].subject)
			return false;
	}
	return !events[position].gone && events[position].subject > 0;
}

static bool visit(void *context, const struct event *event)
{
	struct positions *seen = context;
	static unsigned calls;

	if (++calls % 3 == 0)
		return false;
	assert_true(positions_add(seen, event->position));
	return true;
}

/* Read them a few at a time. */
static void check_read(
	struct open_log *f, const struct topic_set *set, uint64_t upto, struct positions *positions)
{
	struct positions seen = {0};
	struct store_query query = {.topics = set, .upto = upto, .only = positions};

	do {
		query.after = query.reached;
		assert_int_equal(f->store->ops->read(f->reader, &query, visit, &seen, NULL), 0);
	} while (query.reached < upto);
	assert_int_equal(seen.count, positions->count);
	for (size_t i = 0; i < seen.count; i++)
		assert_true(seen.all[i] == positions->all[i]);
	positions_free(&seen);
}

static void check_between(struct open_log *f, const bool *wanted, uint64_t after, uint64_t upto)
{
	struct positions found = {0};
	struct topic_set set = {0};
	size_t count = 0;

	for (uint32_t i = 0; i < TOPICS; i++) {
		if (wanted[i] && topic_of(f, i) != NULL)
			assert_int_equal(topic_set_add(&set, topic_of(f, i)), 0);
	}
	if (set.count > 0)
		assert_int_equal(
			f->store->ops->latest(f->reader, &set, after, upto, &found, NULL), 0);
	for (uint64_t i = after + 1; i <= upto && set.count > 0; i++) {
		if (!wanted[events[i].topic] || !is_newest(i, upto))
			continue;
		assert_true(count < found.count);
		assert_int_equal(found.all[count++], i);
	}
	assert_int_equal(count, found.count);
	if (set.count > 0 && upto > 0)
		check_read(f, &set, upto, &found);
	positions_free(&found);
	topic_set_free(&set);
}

static void check(struct open_log *f)
{
	bool one[TOPICS] = {true}, two[TOPICS] = {true, true}, none[TOPICS] = {false};
	bool all[TOPICS], many[TOPICS];
	uint64_t head = f->store->head, upto = pick((uint32_t)head + 1);

	for (uint32_t i = 0; i < TOPICS; i++) {
		all[i] = true;
		many[i] = i != 1;
	}
	none[TOPICS - 1] = true;
	check_between(f, one, 0, head);
	check_between(f, two, 0, upto);
	check_between(f, two, pick((uint32_t)upto + 1), upto);
	check_between(f, many, 0, upto);
	check_between(f, all, pick((uint32_t)head + 1), head);
	check_between(f, none, 0, head);
}

static void the_database_finds_the_newest_of_each_subject(void **state)
{
	struct open_log f;

	(void)state;
	scratch_remove();
	open_log_sqlite(&f, NULL, NULL);
	check(&f);
	for (int i = 0; i < 60; i++) {
		publish(&f, 1 + pick(80));
		check(&f);
	}
	open_log_close(&f);
	open_log_sqlite(&f, NULL, NULL);
	check(&f);
	open_log_close(&f);
}

/* What leaves the window is gone. */
static void forget(struct open_log *f)
{
	for (uint32_t i = 0; i < TOPICS; i++) {
		const struct topic *topic = topic_of(f, i);

		for (uint64_t at = 1; topic != NULL && at <= topic->removed; at++)
			events[at].gone |= events[at].topic == i;
	}
}

static void the_memory_finds_the_newest_of_each_subject(void **state)
{
	struct open_log f;

	(void)state;
	open_log_memory(&f, 16384);
	check(&f);
	for (int i = 0; i < 60; i++) {
		publish(&f, 1 + pick(20));
		forget(&f);
		check(&f);
	}
	open_log_close(&f);
}

/* Each of the three statements must be one seek in the index alone. */
static void the_database_finds_them_by_its_index(void **state)
{
	static const char *const sql[] = {SUBJECTS_NEXT, SUBJECTS_UPTO, SUBJECTS_TOPIC};
	struct open_log f;
	sqlite3 *db = NULL;

	(void)state;
	scratch_remove();
	open_log_sqlite(&f, NULL, NULL);
	assert_int_equal(sqlite3_open(scratch_path, &db), SQLITE_OK);
	for (size_t i = 0; i < sizeof(sql) / sizeof(sql[0]); i++) {
		sqlite3_stmt *row = NULL;
		char text[400];

		snprintf(text, sizeof(text), "EXPLAIN QUERY PLAN %s", sql[i]);
		assert_int_equal(sqlite3_prepare_v2(db, text, -1, &row, NULL), SQLITE_OK);
		assert_int_equal(sqlite3_step(row), SQLITE_ROW);
		assert_non_null(strstr((const char *)sqlite3_column_text(row, 3),
			"SEARCH event USING COVERING INDEX event_subject (topic"));
		assert_int_equal(sqlite3_step(row), SQLITE_DONE);
		sqlite3_finalize(row);
	}
	sqlite3_close(db);
	open_log_close(&f);
}

/* --- retention --- */

static bool add_position(void *context, const struct event *event)
{
	return positions_add(context, event->position);
}

/* What is stored of each topic is what should be, and so are the counts and what is said to be gone. */
static void check_stored(struct open_log *f)
{
	for (uint32_t i = 0; i < TOPICS; i++) {
		struct store_count count = {.topic = topic_of(f, i)};
		struct store_query query = {.upto = f->store->head};
		struct positions stored = {0};
		struct topic_set set = {0};
		uint64_t superseded = 0;
		size_t seen = 0;

		if (count.topic == NULL)
			continue;
		assert_int_equal(topic_set_add(&set, count.topic), 0);
		query.topics = &set;
		assert_int_equal(
			f->store->ops->read(f->reader, &query, add_position, &stored, NULL), 0);
		for (uint64_t at = 1; at <= f->store->head; at++) {
			if (events[at].topic != i)
				continue;
			assert_int_equal(events[at].gone, !positions_have(&stored, at));
			superseded = events[at].gone ? at : superseded;
			seen += !events[at].gone;
		}
		assert_int_equal(seen, stored.count);
		assert_int_equal(count.topic->superseded, superseded);
		assert_int_equal(count.topic->removed, 0);
		assert_int_equal(query.removed, superseded);
		query.after = 0;
		query.latest = true;
		assert_int_equal(
			f->store->ops->read(f->reader, &query, add_position, &stored, NULL), 0);
		assert_int_equal(query.removed, 0);
		assert_int_equal(f->store->ops->count(f->reader, &count, 1, query.upto, NULL), 0);
		assert_int_equal(count.events, seen);
		positions_free(&stored);
		topic_set_free(&set);
	}
}

/* All but the newest of each subject of these topics is gone. */
static void supersede(struct open_log *f, uint32_t first, uint32_t last)
{
	for (uint64_t at = 1; at <= f->store->head; at++) {
		if (events[at].topic >= first && events[at].topic <= last &&
			events[at].subject > 0 && !is_newest(at, f->store->head))
			events[at].gone = true;
	}
}

static void what_is_superseded_is_removed_with_its_event(void **state)
{
	struct open_log f;

	(void)state;
	scratch_remove();
	open_log_sqlite(&f, NULL, "**=latest");
	for (int i = 0; i < 60; i++) {
		publish(&f, 1 + pick(40));
		supersede(&f, 0, TOPICS - 1);
		check_stored(&f);
		check(&f);
		if (i % 9 == 8) {
			open_log_close(&f);
			open_log_sqlite(&f, NULL, "**=latest");
		}
	}
	open_log_close(&f);
}

/* A step has no end that a publisher would wait for. */
static void a_new_rule_removes_what_is_superseded_in_steps(void **state)
{
	unsigned steps = 0;
	struct open_log f;

	(void)state;
	scratch_remove();
	open_log_sqlite(&f, NULL, NULL);
	for (int i = 0; i < 100; i++)
		publish(&f, 60);
	open_log_close(&f);
	open_log_sqlite(&f, NULL, "topic0=latest,1d");
	check_stored(&f);
	while (f.store->ops->tidy(f.store) == 0)
		steps++;
	assert_in_range(steps, 1, 20);
	supersede(&f, 0, 0);
	check_stored(&f);
	check(&f);
	publish(&f, 20);
	supersede(&f, 0, 0);
	check_stored(&f);
	open_log_close(&f);
	open_log_sqlite(&f, NULL, NULL);
	check_stored(&f);
	open_log_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_database_finds_the_newest_of_each_subject),
		cmocka_unit_test(the_memory_finds_the_newest_of_each_subject),
		cmocka_unit_test(the_database_finds_them_by_its_index),
		cmocka_unit_test(what_is_superseded_is_removed_with_its_event),
		cmocka_unit_test(a_new_rule_removes_what_is_superseded_in_steps),
	};

	return cmocka_run_group_tests_name(
		"serve_latest", tests, scratch_set_up, scratch_tear_down);
}
