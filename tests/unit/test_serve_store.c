/* SPDX-License-Identifier: MIT */
/*
 * Tests of the event logs of cmd/sse-serve, SQLite and memory: the same promises, kept by both;
 * then what only the database has to keep.
 */
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "store.h"

/* A log with one reader. */
struct fixture {
	struct topics *topics;
	struct store *store;
	struct store_reader *reader;
	struct window *window; /* of the memory log */
	char delivered[4096];  /* what was delivered: "topic=data;" */
};

static char folder[] = "/tmp/test_serve_store.XXXXXX";
static char path[64];

static void deliver(void *context, const struct event *event)
{
	struct fixture *f = context;
	size_t len = strlen(f->delivered);
	char id[IDENTITY_TEXT];

	snprintf(f->delivered + len, sizeof(f->delivered) - len, "%s=%.*s;", event->topic->name,
		(int)event->data.len, event->data.data);
	if (f->window != NULL) {
		window_add(f->window, event, id,
			identity_format(&f->store->identity, event->position, id));
		window_publish(f->window);
	}
}

static void attach(struct fixture *f)
{
	f->store->deliver = deliver;
	f->store->deliver_context = f;
	f->reader = f->store->ops->reader_new(f->store, NULL);
	assert_non_null(f->reader);
}

static void open_sqlite(struct fixture *f)
{
	struct store_config config = {.path = path};
	struct error error = {0, ""};

	*f = (struct fixture){.topics = topics_new()};
	config.topics = f->topics;
	f->store = store_sqlite_open(&config, &error);
	if (f->store == NULL)
		fail_msg("%s", error.text);
	attach(f);
}

static void open_memory(struct fixture *f)
{
	struct store_config config = {0};

	*f = (struct fixture){.topics = topics_new()};
	config.topics = f->topics;
	f->store = store_memory_open(&config, NULL);
	assert_non_null(f->store);
	f->window = window_new(1 << 20, 1, 0, true, NULL);
	assert_non_null(f->window);
	store_memory_attach(f->store, f->window, 0);
	attach(f);
}

static void close_log(struct fixture *f)
{
	f->store->ops->reader_free(f->reader);
	f->store->ops->close(f->store);
	window_free(f->window);
	topics_free(f->topics);
}

static void remove_database(void)
{
	char name[80];

	unlink(path);
	snprintf(name, sizeof(name), "%s-wal", path);
	unlink(name);
	snprintf(name, sizeof(name), "%s-shm", path);
	unlink(name);
}

static struct store_append event(const char *topic, const char *type, const char *data)
{
	return (struct store_append){.topic = topic,
		.event = {.type = {type, strlen(type)}, .data = {data, strlen(data)}}};
}

static void append(struct fixture *f, const char *topic, const char *data)
{
	struct store_append one = event(topic, "update", data);
	struct store_append *batch[] = {&one};
	struct error error = {0, ""};

	if (f->store->ops->append(f->store, batch, 1, &error) != 0)
		fail_msg("%s", error.text);
	assert_int_equal(one.event.position, f->store->head);
	assert_string_equal(one.event.topic->name, topic);
}

/* What a read finds: "position:type=data;". */
struct found {
	char text[4096];
	int limit;
};

static bool note(void *context, const struct event *one)
{
	struct found *found = context;
	size_t len = strlen(found->text);

	if (found->limit-- == 0)
		return false;
	snprintf(found->text + len, sizeof(found->text) - len, "%d:%.*s=%.*s;", (int)one->position,
		(int)one->type.len, one->type.data, (int)one->data.len, one->data.data);
	return true;
}

static void assert_read(struct fixture *f, const char *topic, uint64_t after, uint64_t upto,
	int limit, const char *text)
{
	struct store_query query = {
		.topic = topics_find(f->topics, topic), .after = after, .upto = upto};
	struct found found = {.limit = limit};

	assert_non_null(query.topic);
	assert_int_equal(f->store->ops->read(f->reader, &query, note, &found, NULL), 0);
	assert_string_equal(found.text, text);
	assert_int_equal(query.removed, 0);
}

/* The promises of store.h. */
static void keeps_the_promises(struct fixture *f)
{
	struct store_append five = event("a", "note", "five\nlines"),
			    tick = event("b", "update", "t"),
			    six = event("new/topic", "update", "");
	struct store_append *batch[] = {&five, &tick, &six};
	const struct topic *a;
	uint64_t after;

	append(f, "a", "one");
	append(f, "b", "two");
	append(f, "a", "three");
	append(f, "b", "four");
	tick.event.ephemeral = true;
	five.event.json = true;
	assert_int_equal(f->store->ops->append(f->store, batch, 3, NULL), 0);
	assert_int_equal(five.event.position, 5);
	assert_int_equal(tick.event.position, 5);
	assert_int_equal(six.event.position, 6);
	assert_int_equal(f->store->head, 6);
	assert_string_equal(
		f->delivered, "a=one;b=two;a=three;b=four;a=five\nlines;b=t;new/topic=;");

	assert_read(f, "a", 0, 6, -1, "1:update=one;3:update=three;5:note=five\nlines;");
	assert_read(f, "a", 1, 6, -1, "3:update=three;5:note=five\nlines;");
	assert_read(f, "a", 2, 4, -1, "3:update=three;");
	assert_read(f, "a", 3, 4, -1, "");
	assert_read(f, "a", 0, 6, 2, "1:update=one;3:update=three;");
	/* An ephemeral event is not kept. */
	assert_read(f, "b", 0, 6, -1, "2:update=two;4:update=four;");
	assert_read(f, "new/topic", 0, 6, -1, "6:update=;");

	a = topics_find(f->topics, "a");
	assert_int_equal(f->store->ops->newest(f->reader, a, 6, 2, &after, NULL), 0);
	assert_true(after >= 1 && after < 3);
	assert_int_equal(f->store->ops->newest(f->reader, a, 4, 1, &after, NULL), 0);
	assert_true(after >= 1 && after < 3);
	assert_int_equal(f->store->ops->newest(f->reader, a, 6, 99, &after, NULL), 0);
	assert_int_equal(after, 0);

	assert_int_equal(f->store->ops->since(f->reader, 0, 6, &after, NULL), 0);
	assert_int_equal(after, 0);
	assert_int_equal(f->store->ops->since(f->reader, store_now() + 100000, 6, &after, NULL), 0);
	assert_int_equal(after, 6);
}

static void the_database_keeps_the_promises(void **state)
{
	struct fixture f;

	(void)state;
	remove_database();
	open_sqlite(&f);
	keeps_the_promises(&f);
	close_log(&f);
}

static void the_memory_keeps_the_promises(void **state)
{
	struct fixture f;

	(void)state;
	open_memory(&f);
	keeps_the_promises(&f);
	close_log(&f);
}

static void what_was_appended_is_there_when_it_is_opened_again(void **state)
{
	char first[IDENTITY_TEXT], second[IDENTITY_TEXT];
	struct fixture f;
	uint64_t position;

	(void)state;
	remove_database();
	open_sqlite(&f);
	append(&f, "a", "one");
	append(&f, "b", "two");
	identity_format(&f.store->identity, 1, first);
	close_log(&f);

	open_sqlite(&f);
	assert_int_equal(f.store->head, 2);
	assert_int_equal(topics_find(f.topics, "b")->number, 1);
	assert_read(&f, "a", 0, 2, -1, "1:update=one;");
	append(&f, "a", "three");
	assert_int_equal(f.store->head, 3);
	assert_true(identity_parse(&f.store->identity, first, 3, &position));
	assert_int_equal(position, 1);
	identity_format(&f.store->identity, 3, second);
	assert_memory_not_equal(first, second, IDENTITY_TAG);
	close_log(&f);
}

static void openings_that_write_nothing_leave_nothing(void **state)
{
	struct fixture f;

	(void)state;
	remove_database();
	open_sqlite(&f);
	append(&f, "a", "one");
	close_log(&f);
	for (int i = 0; i < 10; i++) {
		open_sqlite(&f);
		assert_true(f.store->identity.count <= 2);
		close_log(&f);
	}
}

static void times_are_found_by_halving(void **state)
{
	sqlite3 *db = NULL;
	struct fixture f;
	uint64_t after;

	(void)state;
	remove_database();
	open_sqlite(&f);
	for (int i = 0; i < 100; i++)
		append(&f, i % 2 ? "a" : "b", "x");
	close_log(&f);
	/* Event n is of second n; some are gone. */
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				 "UPDATE event SET time = position * 1000;"
				 "DELETE FROM event WHERE position BETWEEN 40 AND 59",
				 NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	open_sqlite(&f);
	for (uint64_t second = 1; second <= 101; second++) {
		uint64_t first = second < 40 || second > 59 ? second : 60;

		assert_int_equal(
			f.store->ops->since(f.reader, (int64_t)second * 1000, 100, &after, NULL),
			0);
		/* All after it are not older, and none that is not older was left out. */
		assert_true(after < first || second == 101);
		assert_true(after + 1 >= (second >= 40 && second <= 60 ? 40 : first));
	}
	close_log(&f);
}

static void a_batch_is_stored_whole_or_not_at_all(void **state)
{
	struct store_append batch[3] = {event("a", "update", "2"), event("fresh", "update", "3"),
		event("a", "update", "4")};
	struct store_append *pointers[] = {&batch[0], &batch[1], &batch[2]};
	struct error error = {0, ""};
	sqlite3 *db = NULL;
	struct fixture f;

	(void)state;
	remove_database();
	open_sqlite(&f);
	append(&f, "a", "1");
	/* The third of the batch fails. */
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				 "CREATE TRIGGER no BEFORE INSERT ON event WHEN new.position = 4"
				 " BEGIN SELECT raise(ABORT, 'made to fail'); END",
				 NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(f.store->ops->append(f.store, pointers, 3, &error), -1);
	assert_int_equal(error.status, EX_IOERR);
	assert_int_equal(f.store->head, 1);
	assert_string_equal(f.delivered, "a=1;");
	assert_read(&f, "a", 0, 99, -1, "1:update=1;");
	assert_int_equal(sqlite3_exec(db, "DROP TRIGGER no", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	/* And then it can be: no position is left out, the topic that came up then is known. */
	assert_int_equal(f.store->ops->append(f.store, pointers, 3, &error), 0);
	assert_int_equal(f.store->head, 4);
	assert_read(&f, "fresh", 0, 99, -1, "3:update=3;");
	close_log(&f);
	open_sqlite(&f);
	assert_read(&f, "fresh", 0, 99, -1, "3:update=3;");
	close_log(&f);
}

static void a_second_opening_is_refused(void **state)
{
	struct store_config config = {.path = path, .topics = topics_new()};
	struct error error = {0, ""};
	struct fixture f;

	(void)state;
	remove_database();
	open_sqlite(&f);
	assert_null(store_sqlite_open(&config, &error));
	assert_int_equal(error.status, EX_TEMPFAIL);
	close_log(&f);
	topics_free(config.topics);
}

static void positions_are_never_used_twice(void **state)
{
	sqlite3 *db = NULL;
	struct fixture f;

	(void)state;
	remove_database();
	open_sqlite(&f);
	append(&f, "a", "1");
	append(&f, "a", "2");
	close_log(&f);
	open_sqlite(&f);
	append(&f, "a", "3");
	close_log(&f);
	/* All that was kept is gone, and marked so. */
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE topic SET removed = 3; DELETE FROM event", NULL,
				 NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	open_sqlite(&f);
	assert_int_equal(f.store->head, 3);
	assert_int_equal(topics_find(f.topics, "a")->removed, 3);
	append(&f, "a", "4");
	assert_int_equal(f.store->head, 4);
	close_log(&f);
}

static int make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/events.db", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	remove_database();
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_database_keeps_the_promises),
		cmocka_unit_test(the_memory_keeps_the_promises),
		cmocka_unit_test(what_was_appended_is_there_when_it_is_opened_again),
		cmocka_unit_test(openings_that_write_nothing_leave_nothing),
		cmocka_unit_test(times_are_found_by_halving),
		cmocka_unit_test(a_batch_is_stored_whole_or_not_at_all),
		cmocka_unit_test(a_second_opening_is_refused),
		cmocka_unit_test(positions_are_never_used_twice),
	};

	return cmocka_run_group_tests_name("serve_store", tests, make_folder, remove_folder);
}
