/* SPDX-License-Identifier: MIT */
/*
 * Tests of closed topics in the logs (log/closing.c, and the stores that ask it): the same promises,
 * kept by SQLite and by memory, for groups that come together too.
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

#include "log/closing.h"
#include "log/store.h"
#include "parts/scratch.h"

struct fixture {
	struct topics *topics;
	struct store *store;
	struct window *window;	 /* of the memory log */
	char delivered[1 << 16]; /* "topic=data;" of each event, and * where its topic is closed */
};

static void deliver(void *context, const struct event *event)
{
	struct fixture *f = context;
	size_t len = strlen(f->delivered);
	char id[IDENTITY_TEXT];

	snprintf(f->delivered + len, sizeof(f->delivered) - len, "%s=%.*s%s;", event->topic->name,
		(int)event->data.len, event->data.data, event->topic->closed != 0 ? "*" : "");
	if (f->window != NULL) {
		window_add(f->window, event, id,
			identity_format(&f->store->identity, event->position, id));
		window_publish(f->window);
	}
}

static void open_sqlite(struct fixture *f)
{
	struct store_config config = {.path = scratch_path, .idempotency_window = 60000};
	struct error error = {0, ""};

	memset(f, 0, sizeof(*f));
	config.topics = f->topics = topics_new();
	f->store = store_sqlite_open(&config, &error);
	if (f->store == NULL)
		fail_msg("%s", error.text);
	f->store->deliver = deliver;
	f->store->deliver_context = f;
}

static void open_memory(struct fixture *f)
{
	struct store_config config = {.idempotency_window = 60000};

	memset(f, 0, sizeof(*f));
	config.topics = f->topics = topics_new();
	f->store = store_memory_open(&config, NULL);
	assert_non_null(f->store);
	f->window = window_new(1 << 22, 1, 0, true, NULL);
	assert_non_null(f->window);
	store_memory_attach(f->store, f->window, 0);
	f->store->deliver = deliver;
	f->store->deliver_context = f;
}

static void close_log(struct fixture *f)
{
	f->store->ops->close(f->store);
	window_free(f->window);
	topics_free(f->topics);
}

static struct store_append event(const char *topic, const char *data)
{
	return (struct store_append){
		.topic = topic, .event = {.type = {"update", 6}, .data = {data, strlen(data)}}};
}

static struct store_append closing(const char *topic)
{
	struct store_append append;

	closing_init(&append, topic);
	return append;
}

static struct store_append keyed(struct store_append append, const char *key)
{
	append.key = (struct sse_text){key, strlen(key)};
	append.fingerprint = append.event.data.len;
	return append;
}

#define GROUPS 8

static void append_groups(struct fixture *f, struct store_group *groups, size_t count)
{
	struct store_group *pointers[GROUPS];
	struct error error = {0, ""};

	for (size_t i = 0; i < count; i++)
		pointers[i] = &groups[i];
	if (f->store->ops->append(f->store, pointers, count, &error) != 0)
		fail_msg("%s", error.text);
}

/* One group; what it came to is in the group that is returned. */
static struct store_group append(struct fixture *f, struct store_append *appends, size_t count)
{
	struct store_group group = {.appends = appends, .count = count};

	append_groups(f, &group, 1);
	return group;
}

static void nothing_comes_after_the_end(struct fixture *f)
{
	struct store_append first[] = {keyed(event("t", "1"), "a"), closing("t")};
	struct store_append more[] = {event("o", "2"), event("t", "3")};
	struct store_append again[] = {keyed(event("t", "1"), "a"), closing("t")};
	struct store_append fresh = keyed(event("t", "4"), "b"), typing = event("t", "5");
	struct store_append other = keyed(event("o", "4"), "b"), join = event("t", "6");
	struct store_append late = keyed(closing("t"), "c");
	struct store_group group = append(f, first, 2);

	assert_false(store_group_refused(&group));
	assert_int_equal(topics_find(f->topics, "t")->closed, 2);
	assert_int_equal(topics_find(f->topics, "t")->closing, 0);
	assert_string_equal(f->delivered, "t=1;t={}*;");
	group = append(f, more, 2);
	assert_true(group.closed && group.conflicted == 1);
	/* What was stored before is known by its key, and to close again is nothing new. */
	group = append(f, again, 2);
	assert_false(store_group_refused(&group));
	assert_true(again[0].duplicate && again[1].duplicate);
	assert_int_equal(again[1].event.position, 2);
	group = append(f, &fresh, 1);
	assert_true(group.closed && !group.conflict);
	typing.event.ephemeral = join.event.ephemeral = join.own = true;
	group = append(f, &typing, 1);
	assert_true(group.closed);
	group = append(f, &join, 1);
	assert_false(group.closed);
	group = append(f, &late, 1);
	assert_true(late.duplicate && !group.closed);
	assert_int_equal(late.event.position, 2);
	/* A refused key, and that of a closing which was none, are free. */
	group = append(f, &other, 1);
	assert_false(store_group_refused(&group) || other.duplicate);
	assert_int_equal(f->store->head, 3);
	assert_string_equal(f->delivered, "t=1;t={}*;t=6*;o=4;");
}

/* Groups that come together are stored one after the other. */
static void the_first_of_many_closes(struct fixture *f)
{
	struct store_append one[] = {event("x", "1"), closing("x")};
	struct store_append two[] = {event("y", "2"), event("x", "3")};
	struct store_append three[] = {closing("y"), closing("x"), event("y", "4")};
	struct store_append four[] = {event("y", "5"), closing("x")};
	struct store_group groups[] = {{.appends = one, .count = 2}, {.appends = two, .count = 2},
		{.appends = three, .count = 3}, {.appends = four, .count = 2}};
	uint64_t head = f->store->head;

	f->delivered[0] = '\0';
	append_groups(f, groups, 4);
	assert_false(groups[0].closed);
	assert_true(groups[1].closed && groups[1].conflicted == 1);
	/* It closed nothing, since it was refused. */
	assert_true(groups[2].closed && groups[2].conflicted == 2);
	assert_false(groups[3].closed);
	assert_true(four[1].duplicate);
	assert_int_equal(four[1].event.position, head + 2);
	assert_int_equal(topics_find(f->topics, "y")->closed, 0);
	assert_int_equal(topics_find(f->topics, "y")->closing, 0);
	assert_string_equal(f->delivered, "x=1;x={}*;y=5;");
}

static void the_memory_closes_topics(void **state)
{
	static struct fixture f;

	(void)state;
	open_memory(&f);
	nothing_comes_after_the_end(&f);
	the_first_of_many_closes(&f);
	close_log(&f);
}

static void the_database_closes_topics(void **state)
{
	static struct fixture f;
	struct store_append one = event("t", "9");
	struct store_group group;

	(void)state;
	scratch_remove();
	open_sqlite(&f);
	nothing_comes_after_the_end(&f);
	the_first_of_many_closes(&f);
	close_log(&f);
	open_sqlite(&f);
	assert_int_equal(topics_find(f.topics, "t")->closed, 2);
	assert_int_equal(topics_find(f.topics, "y")->closed, 0);
	group = append(&f, &one, 1);
	assert_true(group.closed);
	close_log(&f);
}

/* What could not be written has closed nothing. */
static void a_failed_transaction_closes_nothing(void **state)
{
	static struct fixture f;
	struct store_append first = event("t", "1"), last = closing("t"), more = event("t", "2");
	struct store_group group = {.appends = &last, .count = 1}, *pointer = &group;
	sqlite3 *db = NULL;

	(void)state;
	scratch_remove();
	open_sqlite(&f);
	append(&f, &first, 1);
	assert_int_equal(sqlite3_open(scratch_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				 "CREATE TRIGGER no BEFORE UPDATE OF closed ON topic"
				 " BEGIN SELECT RAISE(FAIL, 'no'); END",
				 NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(f.store->ops->append(f.store, &pointer, 1, NULL), -1);
	assert_int_equal(sqlite3_exec(db, "DROP TRIGGER no", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(topics_find(f.topics, "t")->closing, 0);
	group = append(&f, &more, 1);
	assert_false(group.closed);
	group = append(&f, &last, 1);
	assert_false(group.closed);
	assert_int_equal(topics_find(f.topics, "t")->closed, 3);
	sqlite3_close(db);
	close_log(&f);
}

enum { GROUP_MAX = 40 };

/* A group at random, of some topics that are closed sooner or later. */
static size_t make_group(struct store_append *appends, unsigned round)
{
	static char names[8][20];
	static const char *const keys[] = {"a", "b", "c", "d", "e"};
	size_t count = 1 + (size_t)rand() % GROUP_MAX;
	bool keys_used = rand() % 2 == 0;

	for (int i = 0; i < 8; i++)
		snprintf(names[i], sizeof(names[i]), "t/%u", round / 40 * 8 + (unsigned)i);
	for (size_t i = 0; i < count; i++) {
		const char *name = names[rand() % (rand() % 4 ? 2 : 8)];

		appends[i] = rand() % 150 == 0 ? closing(name) : event(name, "x");
		if (keys_used && rand() % 8 == 0)
			appends[i] = keyed(appends[i], keys[rand() % 5]);
	}
	return count;
}

/* Sixteen rows go into one statement where that can be; what comes of it must not show. */
static void the_database_and_the_memory_agree(void **state)
{
	static struct store_append ours[GROUPS][GROUP_MAX], theirs[GROUPS][GROUP_MAX];
	static struct fixture database, memory;
	unsigned refused = 0, closed = 0;

	(void)state;
	srand(20261130);
	scratch_remove();
	open_sqlite(&database);
	open_memory(&memory);
	for (unsigned round = 0; round < 400; round++) {
		struct store_group one[GROUPS] = {{0}}, other[GROUPS] = {{0}};
		size_t groups = 1 + (size_t)rand() % GROUPS;

		for (size_t i = 0; i < groups; i++) {
			one[i] = (struct store_group){
				.appends = ours[i], .count = make_group(ours[i], round)};
			other[i] =
				(struct store_group){.appends = theirs[i], .count = one[i].count};
		}
		memcpy(theirs, ours, sizeof(ours));
		database.delivered[0] = memory.delivered[0] = '\0';
		append_groups(&database, one, groups);
		append_groups(&memory, other, groups);
		assert_int_equal(database.store->head, memory.store->head);
		assert_string_equal(database.delivered, memory.delivered);
		for (size_t i = 0; i < groups; i++) {
			assert_int_equal(one[i].closed, other[i].closed);
			assert_int_equal(one[i].conflict, other[i].conflict);
			refused += one[i].closed;
			closed += !one[i].closed;
			if (one[i].closed)
				assert_int_equal(one[i].conflicted, other[i].conflicted);
		}
	}
	assert_true(refused > 50 && closed > 50);
	close_log(&database);
	close_log(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_memory_closes_topics),
		cmocka_unit_test(the_database_closes_topics),
		cmocka_unit_test(a_failed_transaction_closes_nothing),
		cmocka_unit_test(the_database_and_the_memory_agree),
	};

	return cmocka_run_group_tests_name(
		"serve_closing", tests, scratch_set_up, scratch_tear_down);
}
