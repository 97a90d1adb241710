/* SPDX-License-Identifier: MIT */
/*
 * Tests of what the event logs of cmd/sse-serve say is stored of a topic: the same as reading all
 * of its events does, at any time and up to any position.
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
#include "parts/nats.h"
#include "parts/open_log.h"
#include "parts/scratch.h"

#define TOPICS 6

/* More than are counted without being saved. */
#define MANY 90000

static const char *const names[TOPICS] = {"a", "a/b", "b", "busy", "late", "ephemeral"};

static uint32_t seed = 11;

static uint32_t pick(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

/* Publish ${count} to random topics, in one transaction. */
static void publish(struct open_log *f, size_t count)
{
	struct store_append *appends = calloc(count, sizeof(*appends));
	struct store_group group = {.appends = appends, .count = count}, *groups = &group;

	assert_non_null(appends);
	for (size_t i = 0; i < count; i++) {
		uint32_t topic = pick(10) < 6 ? 3 : pick(TOPICS);

		appends[i].topic = names[topic];
		appends[i].event.ephemeral = topic == TOPICS - 1 || pick(8) == 0;
		appends[i].event.type = (struct sse_text){"update", 6};
		appends[i].event.data = (struct sse_text){"0123456789", pick(10)};
	}
	assert_int_equal(f->store->ops->append(f->store, &groups, 1, NULL), 0);
	free(appends);
}

static bool count_one(void *context, const struct event *event)
{
	struct store_count *read = context;

	read->events++;
	read->newest = event->position;
	read->time = event->time;
	return true;
}

static struct store_count read_topic(struct open_log *f, struct topic *topic, uint64_t upto)
{
	struct store_count read = {.topic = topic};
	struct topic_set set = {0};
	struct store_query query = {.topics = &set, .upto = upto};

	assert_int_equal(topic_set_add(&set, topic), 0);
	do {
		query.after = query.reached;
		assert_int_equal(f->store->ops->read(f->reader, &query, count_one, &read, NULL), 0);
	} while (query.reached < upto);
	topic_set_free(&set);
	return read;
}

static void check_upto(struct open_log *f, uint64_t upto)
{
	struct store_count counts[TOPICS];
	size_t known = 0;

	for (size_t i = 0; i < TOPICS; i++) {
		counts[known].topic = topics_find(f->topics, names[i]);
		known += counts[known].topic != NULL;
	}
	assert_int_equal(f->store->ops->count(f->reader, counts, known, upto, NULL), 0);
	for (size_t i = 0; i < known; i++) {
		struct store_count read = read_topic(f, counts[i].topic, upto);

		if (counts[i].events != read.events || counts[i].newest != read.newest)
			fail_msg("%s up to %d: %d, not %d", read.topic->name, (int)upto,
				(int)counts[i].events, (int)read.events);
		if (read.events > 0)
			assert_int_equal(counts[i].time, read.time);
	}
}

static void check(struct open_log *f)
{
	check_upto(f, f->store->head);
	check_upto(f, pick((uint32_t)f->store->head + 1));
	check_upto(f, 0);
}

static void publish_and_check(struct open_log *f)
{
	for (int i = 0; i < 25; i++) {
		publish(f, pick(i % 10 == 0 ? 200 : 8));
		if (pick(3) == 0)
			f->store->ops->tidy(f->store);
		check(f);
	}
}

static void count_what_it_holds(
	void (*open)(struct open_log *log, const char *retain, const char *rule))
{
	static const char *const retain[] = {"all", ",100", "all", ",40", ",400"};
	struct open_log f;

	for (size_t i = 0; i < sizeof(retain) / sizeof(retain[0]); i++) {
		open(&f, retain[i], NULL);
		check(&f);
		publish_and_check(&f);
		open_log_close(&f);
	}
}

static void the_database_counts_what_it_holds(void **state)
{
	(void)state;
	scratch_remove();
	count_what_it_holds(open_log_sqlite);
}

static void a_node_counts_what_its_copy_holds(void **state)
{
	(void)state;
	nats_needed();
	nats_new_log();
	scratch_remove();
	count_what_it_holds(open_log_nats);
}

/* The counts are saved while more is published; then there are positions before and after. */
static void the_database_counts_before_and_after_counts_are_saved(void **state)
{
	struct open_log f;

	(void)state;
	scratch_remove();
	open_log_sqlite(&f, "all", NULL);
	publish(&f, MANY);
	check(&f);
	publish(&f, MANY);
	publish_and_check(&f);
	open_log_close(&f);
}

/* As after versions that kept no counters without --retain. */
static void a_database_without_counters_is_counted_once(void **state)
{
	sqlite3 *db = NULL;
	struct open_log f;

	(void)state;
	scratch_remove();
	open_log_sqlite(&f, "all", NULL);
	publish(&f, MANY);
	open_log_close(&f);
	assert_int_equal(sqlite3_open(scratch_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "DELETE FROM counter", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	open_log_sqlite(&f, "all", NULL);
	check(&f);
	/* It is written down at once, not only when more is published. */
	assert_int_equal(sqlite3_open(scratch_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				 "CREATE TEMP TABLE there(one INTEGER CHECK(one > 0));"
				 "INSERT INTO there SELECT count(*) FROM counter WHERE topic > 0",
				 NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	publish_and_check(&f);
	open_log_close(&f);
}

static void the_memory_counts_what_it_holds(void **state)
{
	struct open_log f;

	(void)state;
	open_log_memory(&f, 16384);
	publish_and_check(&f);
	open_log_close(&f);
}

static int tear_down(void **state)
{
	return nats_tear_down(state) | scratch_tear_down(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_database_counts_what_it_holds),
		cmocka_unit_test(a_node_counts_what_its_copy_holds),
		cmocka_unit_test(the_database_counts_before_and_after_counts_are_saved),
		cmocka_unit_test(a_database_without_counters_is_counted_once),
		cmocka_unit_test(the_memory_counts_what_it_holds),
	};

	return cmocka_run_group_tests_name("serve_store_count", tests, scratch_set_up, tear_down);
}
