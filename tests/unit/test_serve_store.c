/* SPDX-License-Identifier: MIT */
/*
 * Tests of the event logs of cmd/sse-serve, SQLite, memory and NATS: the same promises, kept by all
 * of them; then what only the database has to keep.  What several nodes promise each other is in
 * test_serve_cluster.c.
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

#include "clock.h"
#include "log/idempotency_map.h"
#include "log/store.h"
#include "parts/nats.h"
#include "parts/scratch.h"

/* A log with one reader. */
struct fixture {
	struct topics *topics;
	struct store *store;
	struct store_reader *reader;
	struct window *window; /* of the memory log */
	char delivered[4096];  /* what was delivered: "topic=data;" */
};

static int64_t key_window = 60000; /* ms */

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
	struct store_config config = {.path = scratch_path, .idempotency_window = key_window};
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
	struct store_config config = {.idempotency_window = key_window};

	*f = (struct fixture){.topics = topics_new()};
	config.topics = f->topics;
	f->store = store_memory_open(&config, NULL);
	assert_non_null(f->store);
	f->window = window_new(1 << 20, 1, 0, true, NULL);
	assert_non_null(f->window);
	store_memory_attach(f->store, f->window, 0);
	attach(f);
}

static void open_nats(struct fixture *f)
{
	struct store_config config = {
		.path = scratch_path, .idempotency_window = key_window, .servers = nats_servers()};
	struct error error = {0, ""};

	*f = (struct fixture){.topics = topics_new()};
	config.topics = f->topics;
	f->store = store_nats_open(&config, &error);
	if (f->store == NULL)
		fail_msg("%s", error.text);
	attach(f);
}

static void renew_database(void)
{
	scratch_remove();
}

static void renew_nothing(void)
{
}

static void renew_nats(void)
{
	nats_needed();
	scratch_remove();
	nats_new_log();
}

/* The matrix: a test of the promises is given one of these. */
static struct kind {
	void (*renew)(void); /* what is opened next is a new log */
	void (*open)(struct fixture *f);
	bool one_tag; /* it is the same incarnation when it is opened again */
} database = {renew_database, open_sqlite, false}, memory = {renew_nothing, open_memory, false},
  nats = {renew_nats, open_nats, true};

static const struct kind *open_new(struct fixture *f, void **state)
{
	const struct kind *kind = *state;

	kind->renew();
	kind->open(f);
	return kind;
}

/* Give a log that is its window a larger one. */
static void widen(struct fixture *f)
{
	if (f->window == NULL)
		return;
	window_free(f->window);
	f->window = window_new(16 << 20, 1, 0, true, NULL);
	assert_non_null(f->window);
	store_memory_attach(f->store, f->window, 0);
}

static void close_log(struct fixture *f)
{
	f->store->ops->reader_free(f->reader);
	f->store->ops->close(f->store);
	window_free(f->window);
	topics_free(f->topics);
}

static struct store_append event(const char *topic, const char *type, const char *data)
{
	return (struct store_append){.topic = topic,
		.event = {.type = {type, strlen(type)}, .data = {data, strlen(data)}}};
}

static int append_groups(
	struct fixture *f, struct store_group *groups, size_t count, struct error *error)
{
	struct store_group *pointers[8];

	assert_true(count <= 8);
	for (size_t i = 0; i < count; i++)
		pointers[i] = &groups[i];
	return f->store->ops->append(f->store, pointers, count, error);
}

static void append(struct fixture *f, const char *topic, const char *data)
{
	struct store_append one = event(topic, "update", data);
	struct error error = {0, ""};

	if (append_groups(f, &(struct store_group){.appends = &one, .count = 1}, 1, &error) != 0)
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

/* The topics, named with spaces between. */
static struct topic_set set_of(struct fixture *f, const char *topics)
{
	struct topic_set set = {0};
	char names[400], *rest = names;

	snprintf(names, sizeof(names), "%s", topics);
	for (char *name; (name = strtok_r(rest, " ", &rest)) != NULL;) {
		struct topic *topic = topics_find(f->topics, name);

		assert_non_null(topic);
		assert_int_equal(topic_set_add(&set, topic), 0);
	}
	return set;
}

static struct store_query read_topics(
	struct fixture *f, const char *topics, uint64_t after, uint64_t upto, struct found *found)
{
	struct topic_set set = set_of(f, topics);
	struct store_query query = {.topics = &set, .after = after, .upto = upto};

	assert_int_equal(f->store->ops->read(f->reader, &query, note, found, NULL), 0);
	topic_set_free(&set);
	return query;
}

/* The ${count} newest of the topics begin after one of [low, high). */
static void assert_newest(struct fixture *f, const char *topics, uint64_t upto, uint64_t count,
	uint64_t low, uint64_t high)
{
	struct topic_set set = set_of(f, topics);
	uint64_t after = UINT64_MAX;

	assert_int_equal(f->store->ops->newest(f->reader, &set, upto, count, &after, NULL), 0);
	if (after < low || after >= high)
		fail_msg("%s, %d up to %d: after %d, not in [%d, %d)", topics, (int)count,
			(int)upto, (int)after, (int)low, (int)high);
	topic_set_free(&set);
}

static void assert_read(struct fixture *f, const char *topics, uint64_t after, uint64_t upto,
	int limit, const char *text)
{
	struct found found = {.limit = limit};
	struct store_query query = read_topics(f, topics, after, upto, &found);

	assert_string_equal(found.text, text);
	assert_int_equal(query.removed, 0);
	assert_true(query.reached == upto || limit >= 0);
}

/* The promises of store.h. */
static void keeps_the_promises(struct fixture *f)
{
	struct store_append batch[] = {event("a", "note", "five\nlines"), event("b", "update", "t"),
		event("new/topic", "update", "")};
	uint64_t after;

	append(f, "a", "one");
	append(f, "b", "two");
	append(f, "a", "three");
	append(f, "b", "four");
	batch[1].event.ephemeral = true;
	batch[0].event.json = true;
	assert_int_equal(
		append_groups(f, &(struct store_group){.appends = batch, .count = 3}, 1, NULL), 0);
	assert_int_equal(batch[0].event.position, 5);
	assert_int_equal(batch[1].event.position, 5);
	assert_int_equal(batch[2].event.position, 6);
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
	/* Several topics, in one order. */
	assert_read(f, "b a", 0, 6, -1,
		"1:update=one;2:update=two;3:update=three;4:update=four;5:note=five\nlines;");
	assert_read(f, "new/topic a", 1, 6, -1, "3:update=three;5:note=five\nlines;6:update=;");
	assert_read(f, "new/topic a b", 3, 5, -1, "4:update=four;5:note=five\nlines;");
	assert_read(f, "new/topic a b", 3, 6, 1, "4:update=four;");

	assert_newest(f, "a", 6, 2, 1, 3);
	assert_newest(f, "a", 4, 1, 1, 3);
	assert_newest(f, "a", 6, 99, 0, 1);
	assert_newest(f, "a b", 6, 1, 4, 5);
	assert_newest(f, "b a", 6, 3, 2, 3);
	assert_newest(f, "new/topic a", 6, 2, 3, 5);
	assert_newest(f, "new/topic a", 5, 2, 1, 3);
	assert_newest(f, "new/topic a b", 6, 6, 0, 1);

	assert_int_equal(f->store->ops->since(f->reader, 0, 6, &after, NULL), 0);
	assert_int_equal(after, 0);
	assert_int_equal(
		f->store->ops->since(f->reader, clock_wall_ms() + 100000, 6, &after, NULL), 0);
	assert_int_equal(after, 6);
}

static void the_promises_are_kept(void **state)
{
	struct fixture f;

	open_new(&f, state);
	keeps_the_promises(&f);
	close_log(&f);
}

static void what_was_appended_is_there_when_it_is_opened_again(void **state)
{
	char first[IDENTITY_TEXT], second[IDENTITY_TEXT];
	const struct kind *kind;
	struct fixture f;
	uint64_t position;

	kind = open_new(&f, state);
	append(&f, "a", "one");
	append(&f, "b", "two");
	identity_format(&f.store->identity, 1, first);
	close_log(&f);

	kind->open(&f);
	assert_int_equal(f.store->head, 2);
	assert_int_equal(topics_find(f.topics, "b")->number, 1);
	assert_read(&f, "a", 0, 2, -1, "1:update=one;");
	append(&f, "a", "three");
	assert_int_equal(f.store->head, 3);
	assert_true(identity_parse(&f.store->identity, first, 3, &position));
	assert_int_equal(position, 1);
	identity_format(&f.store->identity, 3, second);
	assert_int_equal(memcmp(first, second, IDENTITY_TAG) == 0, kind->one_tag);
	close_log(&f);
}

static void openings_that_write_nothing_leave_nothing(void **state)
{
	struct fixture f;

	(void)state;
	scratch_remove();
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
	scratch_remove();
	open_sqlite(&f);
	for (int i = 0; i < 100; i++)
		append(&f, i % 2 ? "a" : "b", "x");
	close_log(&f);
	/* Event n is of second n; some are gone. */
	assert_int_equal(sqlite3_open(scratch_path, &db), SQLITE_OK);
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
	struct store_group group = {.appends = batch, .count = 3};
	struct error error = {0, ""};
	sqlite3 *db = NULL;
	struct fixture f;

	(void)state;
	scratch_remove();
	open_sqlite(&f);
	append(&f, "a", "1");
	/* The third of the batch fails. */
	assert_int_equal(sqlite3_open(scratch_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				 "CREATE TRIGGER no BEFORE INSERT ON event WHEN new.position = 4"
				 " BEGIN SELECT raise(ABORT, 'made to fail'); END",
				 NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(append_groups(&f, &group, 1, &error), -1);
	assert_int_equal(error.status, EX_IOERR);
	assert_int_equal(f.store->head, 1);
	assert_string_equal(f.delivered, "a=1;");
	assert_read(&f, "a", 0, 99, -1, "1:update=1;");
	assert_int_equal(sqlite3_exec(db, "DROP TRIGGER no", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	/* And then it can be: no position is left out, the topic that came up then is known. */
	assert_int_equal(append_groups(&f, &group, 1, &error), 0);
	assert_int_equal(f.store->head, 4);
	assert_read(&f, "fresh", 0, 99, -1, "3:update=3;");
	close_log(&f);
	open_sqlite(&f);
	assert_read(&f, "fresh", 0, 99, -1, "3:update=3;");
	close_log(&f);
}

static void a_second_opening_is_refused(void **state)
{
	struct store_config config = {.path = scratch_path, .topics = topics_new()};
	struct error error = {0, ""};
	struct fixture f;

	(void)state;
	scratch_remove();
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
	scratch_remove();
	open_sqlite(&f);
	append(&f, "a", "1");
	append(&f, "a", "2");
	close_log(&f);
	open_sqlite(&f);
	append(&f, "a", "3");
	close_log(&f);
	/* All that was kept is gone, and marked so. */
	assert_int_equal(sqlite3_open(scratch_path, &db), SQLITE_OK);
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

/* --- keys --- */

static struct store_append keyed(const char *topic, const char *key, const char *data)
{
	struct store_append one = event(topic, "update", data);

	one.key = (struct sse_text){key, strlen(key)};
	for (const char *c = data; *c != '\0'; c++)
		one.fingerprint = one.fingerprint * 31 + (unsigned char)*c;
	/* All bits are kept. */
	one.fingerprint |= (uint64_t)1 << 63;
	return one;
}

/* Append one with a key. */
static struct store_append append_keyed(
	struct fixture *f, const char *topic, const char *key, const char *data, bool *conflict)
{
	struct store_append one = keyed(topic, key, data);
	struct store_group group = {.appends = &one, .count = 1};

	assert_int_equal(append_groups(f, &group, 1, NULL), 0);
	*conflict = group.conflict;
	return one;
}

static void keys_are_known(struct fixture *f)
{
	struct store_append one;
	bool conflict;

	one = append_keyed(f, "a", "k", "x", &conflict);
	assert_false(conflict || one.duplicate);
	append(f, "a", "between");
	one = append_keyed(f, "a", "k", "x", &conflict);
	assert_true(!conflict && one.duplicate);
	assert_int_equal(one.event.position, 1);
	append_keyed(f, "a", "k", "y", &conflict);
	assert_true(conflict);
	/* Of another topic, another key. */
	one = append_keyed(f, "b", "k", "y", &conflict);
	assert_false(conflict || one.duplicate);
	assert_int_equal(one.event.position, 3);
	append_keyed(f, "a", "K", "y", &conflict);
	assert_false(conflict);
	assert_int_equal(f->store->head, 4);
	assert_string_equal(f->delivered, "a=x;a=between;b=y;a=y;");
	assert_read(f, "a", 0, 4, -1, "1:update=x;2:update=between;4:update=y;");
}

static void a_group_is_stored_whole_or_not(struct fixture *f)
{
	struct store_append first[] = {keyed("c", "1", "p"), keyed("c", "1", "p"),
		keyed("c", "2", "q"), event("c", "update", "r")};
	struct store_append bad[] = {keyed("c", "3", "s"), event("d", "update", "t"),
		keyed("c", "2", "not q"), keyed("c", "4", "u")};
	struct store_append same[] = {keyed("c", "5", "v"), keyed("c", "5", "w")};
	struct store_append last[] = {
		keyed("c", "3", "z"), keyed("c", "1", "p"), keyed("d", "9", "gone")};
	struct store_group groups[] = {{.appends = first, .count = 4}, {.appends = bad, .count = 4},
		{.appends = same, .count = 2}, {.appends = last, .count = 3}};
	uint64_t head = f->store->head;
	bool conflict;

	f->delivered[0] = '\0';
	last[2].event.ephemeral = true;
	assert_int_equal(append_groups(f, groups, 4, NULL), 0);
	assert_false(groups[0].conflict || groups[3].conflict);
	assert_true(groups[1].conflict && groups[2].conflict);
	assert_int_equal(groups[1].conflicted, 2);
	assert_int_equal(groups[2].conflicted, 1);
	assert_true(!first[0].duplicate && first[1].duplicate && !first[2].duplicate);
	assert_int_equal(first[1].event.position, head + 1);
	assert_int_equal(first[3].event.position, head + 3);
	/* No number is lost to the groups that were not stored, and no key is known from them. */
	assert_int_equal(last[0].event.position, head + 4);
	assert_false(last[0].duplicate);
	assert_true(last[1].duplicate);
	assert_int_equal(last[1].event.position, head + 1);
	assert_int_equal(f->store->head, head + 4);
	assert_string_equal(f->delivered, "c=p;c=q;c=r;c=z;d=gone;");
	append_keyed(f, "c", "4", "u", &conflict);
	assert_false(conflict);
	assert_false(append_keyed(f, "c", "5", "w", &conflict).duplicate || conflict);
	/* An ephemeral event's key is not remembered. */
	assert_false(append_keyed(f, "d", "9", "other", &conflict).duplicate || conflict);
}

/* --- conditions --- */

/* Append a group of events of the topic t under a condition; return whether it was stored. */
static bool append_if(struct fixture *f, struct store_append *appends, size_t count,
	enum store_condition condition, uint64_t expected, uint64_t *newest)
{
	struct store_group group = {
		.appends = appends, .count = count, .condition = condition, .expected = expected};

	assert_int_equal(append_groups(f, &group, 1, NULL), 0);
	assert_false(group.conflict);
	*newest = group.newest;
	return !group.unmet;
}

/* A topic without events, and what makes the first one. */
static void nothing_is_not_what_was_expected(struct fixture *f)
{
	struct store_append one = event("t", "update", "1");
	uint64_t newest;

	assert_false(append_if(f, &one, 1, STORE_IF_NEWEST, 0, &newest));
	assert_false(append_if(f, &one, 1, STORE_IF_NEWEST, 1, &newest));
	assert_false(append_if(f, &one, 1, STORE_IF_ANY, 0, &newest));
	assert_int_equal(newest, 0);
	/* A refused event leaves no topic. */
	assert_int_equal(f->store->head, 0);
	assert_int_equal(topics_kept(f->topics), 0);
	assert_string_equal(f->delivered, "");
	assert_true(append_if(f, &one, 1, STORE_IF_NONE, 0, &newest));
	assert_false(append_if(f, &one, 1, STORE_IF_NONE, 0, &newest));
	assert_int_equal(newest, 1);
	append(f, "other", "2");
	assert_false(append_if(f, &one, 1, STORE_IF_NEWEST, 2, &newest));
	assert_false(append_if(f, &one, 1, STORE_IF_NEWEST, 0, &newest));
	assert_true(append_if(f, &one, 1, STORE_IF_NEWEST, 1, &newest));
	assert_true(append_if(f, &one, 1, STORE_IF_ANY, 0, &newest));
	assert_int_equal(f->store->head, 4);
	assert_string_equal(f->delivered, "t=1;other=2;t=1;t=1;");
}

/* Of those that come together and expect the same, one is stored; position 4 is the newest. */
static void one_of_many_wins(struct fixture *f)
{
	struct store_append writers[6];
	struct store_group groups[6];

	f->delivered[0] = '\0';
	for (size_t i = 0; i < 6; i++) {
		writers[i] = event("t", "update", "w");
		groups[i] = (struct store_group){.appends = &writers[i],
			.count = 1,
			.condition = STORE_IF_NEWEST,
			.expected = 4};
	}
	/* An ephemeral event is not the newest; what comes after the winner is. */
	writers[0].event.ephemeral = true;
	groups[0].condition = STORE_ALWAYS;
	groups[4].expected = 5;
	groups[5].condition = STORE_IF_ANY;
	assert_int_equal(append_groups(f, groups, 6, NULL), 0);
	assert_true(!groups[1].unmet && groups[2].unmet && groups[3].unmet);
	assert_true(!groups[4].unmet && !groups[5].unmet);
	assert_int_equal(groups[2].newest, 5);
	assert_int_equal(groups[3].newest, 5);
	assert_int_equal(f->store->head, 7);
	assert_string_equal(f->delivered, "t=w;t=w;t=w;t=w;");
}

/* What is sent again by its key was stored when the condition was met; position 7 is the newest. */
static void a_retry_gets_what_the_first_got(struct fixture *f)
{
	struct store_append pair[] = {keyed("t", "1", "x"), keyed("t", "2", "y")};
	struct store_append more[] = {keyed("t", "1", "x"), keyed("t", "3", "z")};
	struct store_append other = keyed("t", "1", "not x");
	struct store_group conflict = {
		.appends = &other, .count = 1, .condition = STORE_IF_NEWEST, .expected = 7};
	uint64_t newest;

	assert_true(append_if(f, pair, 2, STORE_IF_NEWEST, 7, &newest));
	assert_int_equal(f->store->head, 9);
	assert_true(append_if(f, pair, 2, STORE_IF_NEWEST, 7, &newest));
	assert_true(pair[0].duplicate && pair[1].duplicate);
	assert_int_equal(pair[0].event.position, 8);
	/* One new event is enough to ask; the key of what was refused is not known after that. */
	assert_false(append_if(f, more, 2, STORE_IF_NEWEST, 7, &newest));
	assert_int_equal(newest, 9);
	assert_int_equal(f->store->head, 9);
	assert_true(append_if(f, more, 2, STORE_IF_NEWEST, 9, &newest));
	assert_true(more[0].duplicate && !more[1].duplicate);
	assert_int_equal(append_groups(f, &conflict, 1, NULL), 0);
	assert_true(conflict.conflict && !conflict.unmet);
}

static void the_memory_looks_at_conditions(void **state)
{
	struct store_append one = event("t", "update", "x");
	struct fixture f;
	uint64_t newest;

	(void)state;
	open_memory(&f);
	nothing_is_not_what_was_expected(&f);
	one_of_many_wins(&f);
	a_retry_gets_what_the_first_got(&f);
	/* What left the window was the newest all the same. */
	while (topics_find(f.topics, "t")->removed < 10) {
		f.delivered[0] = '\0';
		append(&f, "other", "fills the window");
	}
	assert_false(append_if(&f, &one, 1, STORE_IF_NONE, 0, &newest));
	assert_int_equal(newest, 10);
	assert_true(append_if(&f, &one, 1, STORE_IF_NEWEST, 10, &newest));
	close_log(&f);
}

/* Each node looks at them for itself; the one here, and then one that starts with nothing, agree. */
static void nats_looks_at_conditions(void **state)
{
	struct store_append one = event("t", "update", "x");
	struct fixture f;
	uint64_t newest;

	(void)state;
	renew_nats();
	open_nats(&f);
	nothing_is_not_what_was_expected(&f);
	one_of_many_wins(&f);
	a_retry_gets_what_the_first_got(&f);
	close_log(&f);
	for (int i = 0; i < 2; i++) {
		if (i == 1)
			scratch_remove();
		open_nats(&f);
		assert_int_equal(f.store->head, 10);
		assert_read(&f, "t", 6, 10, -1, "7:update=w;8:update=x;9:update=y;10:update=z;");
		assert_false(append_if(&f, &one, 1, STORE_IF_NEWEST, 9, &newest));
		assert_int_equal(newest, 10);
		close_log(&f);
	}
}

static void the_database_looks_at_conditions(void **state)
{
	struct store_append one = event("t", "update", "x");
	sqlite3 *db = NULL;
	struct fixture f;
	uint64_t newest;

	(void)state;
	scratch_remove();
	open_sqlite(&f);
	nothing_is_not_what_was_expected(&f);
	one_of_many_wins(&f);
	a_retry_gets_what_the_first_got(&f);
	close_log(&f);
	open_sqlite(&f);
	assert_false(append_if(&f, &one, 1, STORE_IF_NEWEST, 9, &newest));
	assert_int_equal(newest, 10);
	assert_true(append_if(&f, &one, 1, STORE_IF_NEWEST, 10, &newest));
	close_log(&f);
	/* What was removed was the newest all the same. */
	assert_int_equal(sqlite3_open(scratch_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				 "UPDATE topic SET removed = 11 WHERE name = 't';"
				 "DELETE FROM event WHERE topic = 1",
				 NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	open_sqlite(&f);
	assert_false(append_if(&f, &one, 1, STORE_IF_NONE, 0, &newest));
	assert_int_equal(newest, 11);
	assert_true(append_if(&f, &one, 1, STORE_IF_NEWEST, 11, &newest));
	close_log(&f);
}

enum { GROUP_MAX = 70 };

/* A group at random, in which keys that were there and ones that are twice in it are not rare. */
static size_t make_group(struct store_append *appends)
{
	static const char *const keys[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
	static char fresh[GROUP_MAX][20];
	static unsigned number;
	size_t count = 1 + (size_t)rand() % GROUP_MAX;
	int known = rand() % 3 ? 0 : 1 + rand() % 30, plain = rand() % 4;

	for (size_t i = 0; i < count; i++) {
		const char *data = rand() % 40 ? "x" : "y";

		snprintf(fresh[i], sizeof(fresh[i]), "new %u", number++);
		appends[i] = keyed(rand() % 9 ? "m" : "n", fresh[i], data);
		if (known > 0 && rand() % known == 0)
			appends[i] = keyed("m", keys[rand() % 8], rand() % 30 ? "x" : "y");
		if (plain == 1 || (plain == 2 && rand() % 20 == 0))
			appends[i].key.len = 0;
		/* What is not passed on as a whole does not begin with such a one. */
		appends[i].event.ephemeral = i > 0 && rand() % 100 == 0;
	}
	return count;
}

/* Many rows go into one statement where that can be; what comes of it must not show. */
static void it_agrees_with_the_memory_on_groups_of_any_size(void **state)
{
	struct store_append ours[GROUP_MAX], theirs[GROUP_MAX];
	unsigned conflicts = 0, duplicates = 0, stored = 0;
	struct fixture one_log, other_log;
	const struct kind *kind;

	srand(20261126);
	kind = open_new(&one_log, state);
	open_memory(&other_log);
	for (int round = 0; round < 1500; round++) {
		size_t count = make_group(ours);
		struct store_group one = {.appends = ours, .count = count},
				   other = {.appends = theirs, .count = count};

		memcpy(theirs, ours, sizeof(ours));
		one_log.delivered[0] = other_log.delivered[0] = '\0';
		assert_int_equal(append_groups(&one_log, &one, 1, NULL), 0);
		assert_int_equal(append_groups(&other_log, &other, 1, NULL), 0);
		assert_int_equal(one.conflict, other.conflict);
		assert_int_equal(one_log.store->head, other_log.store->head);
		assert_string_equal(one_log.delivered, other_log.delivered);
		conflicts += one.conflict;
		if (one.conflict) {
			assert_int_equal(one.conflicted, other.conflicted);
			continue;
		}
		for (size_t i = 0; i < count; i++) {
			assert_int_equal(ours[i].duplicate, theirs[i].duplicate);
			assert_int_equal(ours[i].event.position, theirs[i].event.position);
			duplicates += ours[i].duplicate;
			stored += !ours[i].duplicate;
		}
	}
	assert_true(conflicts > 20 && duplicates > 500 && stored > 20000);
	close_log(&one_log);
	/* It is all there, once. */
	kind->open(&one_log);
	assert_int_equal(one_log.store->head, other_log.store->head);
	close_log(&one_log);
	close_log(&other_log);
}

/* Its log keeps keys for so long, in ms. */
#define SHORT 300

static void keys_expire(struct fixture *f)
{
	struct store_append one;
	bool conflict;

	append_keyed(f, "e", "k", "x", &conflict);
	usleep((SHORT + 20) * 1000);
	/* Whether or not it was removed. */
	one = append_keyed(f, "e", "k", "y", &conflict);
	assert_false(conflict || one.duplicate);
	one = append_keyed(f, "e", "k", "y", &conflict);
	assert_true(one.duplicate);
	usleep((SHORT + 20) * 1000);
	while (f->store->ops->tidy(f->store) == 0)
		continue;
	one = append_keyed(f, "e", "k", "x", &conflict);
	assert_false(conflict || one.duplicate);
}

static void keys_are_known_for_a_while(void **state)
{
	struct fixture f;

	open_new(&f, state);
	keys_are_known(&f);
	a_group_is_stored_whole_or_not(&f);
	close_log(&f);
	key_window = SHORT;
	open_new(&f, state);
	keys_expire(&f);
	close_log(&f);
	key_window = 60000;
}

static void keys_outlive_restarts_and_their_events(void **state)
{
	struct store_append one;
	sqlite3 *db = NULL;
	struct fixture f;
	bool conflict;

	(void)state;
	scratch_remove();
	open_sqlite(&f);
	append_keyed(&f, "a", "k", "x", &conflict);
	append_keyed(&f, "a", "l", "y", &conflict);
	close_log(&f);
	assert_int_equal(sqlite3_open(scratch_path, &db), SQLITE_OK);
	/* Not even the mark says how far it went: the keys do. */
	assert_int_equal(
		sqlite3_exec(db, "DELETE FROM event; DELETE FROM incarnation", NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	open_sqlite(&f);
	assert_int_equal(f.store->head, 2);
	one = append_keyed(&f, "a", "k", "x", &conflict);
	assert_true(one.duplicate);
	assert_int_equal(one.event.position, 1);
	append_keyed(&f, "a", "l", "z", &conflict);
	assert_true(conflict);
	close_log(&f);
}

static void a_failed_transaction_leaves_no_key(void **state)
{
	struct store_append batch[] = {keyed("a", "1", "x"), keyed("a", "2", "y")};
	struct store_group group = {.appends = batch, .count = 2};
	sqlite3 *db = NULL;
	struct fixture f;

	(void)state;
	scratch_remove();
	open_sqlite(&f);
	assert_int_equal(sqlite3_open(scratch_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				 "CREATE TRIGGER no BEFORE INSERT ON event WHEN new.position = 2"
				 " BEGIN SELECT raise(ABORT, 'made to fail'); END",
				 NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(append_groups(&f, &group, 1, NULL), -1);
	assert_int_equal(sqlite3_exec(db, "DROP TRIGGER no", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(append_groups(&f, &group, 1, NULL), 0);
	assert_false(batch[0].duplicate || batch[1].duplicate);
	assert_int_equal(batch[1].event.position, 2);
	close_log(&f);
}

/* The memory keeps a bounded number: the oldest are dropped. */
static void the_memory_forgets_the_oldest_keys(void **state)
{
	struct fixture f;
	bool conflict;
	char key[20];

	(void)state;
	open_memory(&f);
	for (int i = 0; i < IDEMPOTENCY_MAP_MAX + 10; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		f.delivered[0] = '\0';
		append_keyed(&f, "a", key, "x", &conflict);
	}
	f.delivered[0] = '\0';
	assert_true(append_keyed(&f, "a", "k10", "x", &conflict).duplicate);
	assert_false(append_keyed(&f, "a", "k9", "x", &conflict).duplicate);
	close_log(&f);
}

static void a_database_of_version_1_is_brought_up(void **state)
{
	sqlite3 *db = NULL;
	struct fixture f;
	bool conflict;

	(void)state;
	scratch_remove();
	open_sqlite(&f);
	append(&f, "a", "old");
	close_log(&f);
	assert_int_equal(sqlite3_open(scratch_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				 "DROP TABLE publish_key; DROP TABLE counter;"
				 "DROP INDEX event_subject; ALTER TABLE event DROP COLUMN subject;"
				 "ALTER TABLE topic DROP COLUMN deleted;"
				 "ALTER TABLE topic DROP COLUMN superseded;"
				 "ALTER TABLE topic DROP COLUMN closed;"
				 "ALTER TABLE topic DROP COLUMN erased;"
				 "PRAGMA user_version = 1",
				 NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	for (int i = 0; i < 2; i++) {
		open_sqlite(&f);
		assert_read(&f, "a", 0, 1, -1, "1:update=old;");
		assert_int_equal(append_keyed(&f, "a", "k", "x", &conflict).duplicate, i);
		close_log(&f);
	}
}

/* --- many topics --- */

struct walk {
	uint64_t last;
	int visited, wrong;
};

static bool note_position(void *context, const struct event *one)
{
	struct walk *walk = context;

	walk->wrong += one->position <= walk->last || one->topic->number % 2 != 0;
	walk->last = one->position;
	walk->visited++;
	return true;
}

/* Of 40 topics every second one is read, but for the last events, which are of others. */
static void many_topics_are_walked(struct fixture *f, int *reads)
{
	struct topic_set set = {0};
	struct store_query query = {.topics = &set};
	struct walk walk = {0};
	struct store_append batch[100];
	char names[100][20];

	*reads = 0;
	for (int i = 0; i < 50000; i += 100) {
		struct store_group group = {.appends = batch, .count = 100};

		f->delivered[0] = '\0';
		for (int j = 0; j < 100; j++) {
			snprintf(names[j], sizeof(names[j]), "t%d", i < 10000 ? j % 40 : 1);
			batch[j] = event(names[j], "update", "");
		}
		assert_int_equal(append_groups(f, &group, 1, NULL), 0);
	}
	for (uint32_t i = 0; i < 40; i += 2)
		assert_int_equal(topic_set_add(&set, topics_get(f->topics, i)), 0);
	query.upto = 50000;
	while (query.reached < query.upto) {
		query.after = query.reached;
		assert_int_equal(
			f->store->ops->read(f->reader, &query, note_position, &walk, NULL), 0);
		assert_true(query.reached > query.after);
		++*reads;
	}
	assert_int_equal(walk.visited, 5000);
	assert_int_equal(walk.wrong, 0);
	topic_set_free(&set);
}

static void a_walk_past_others_takes_pauses(void **state)
{
	struct fixture f;
	int reads;

	open_new(&f, state);
	widen(&f);
	many_topics_are_walked(&f, &reads);
	assert_int_equal(reads, 2);
	close_log(&f);
}

/* What leaves the window is gone, and told of the set's own topics alone. */
static void the_memory_tells_what_is_gone(void **state)
{
	struct found found = {.limit = -1};
	struct fixture f;

	(void)state;
	open_memory(&f);
	window_free(f.window);
	f.window = window_new(4096, 1, 0, true, NULL);
	store_memory_attach(f.store, f.window, 0);
	append(&f, "early", "x");
	append(&f, "other", "x");
	for (int i = 0; i < 200; i++) {
		f.delivered[0] = '\0';
		append(&f, "busy", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	}
	append(&f, "late", "y");
	assert_int_equal(read_topics(&f, "early", 0, 203, &found).removed, 1);
	assert_int_equal(read_topics(&f, "other early", 0, 203, &found).removed, 2);
	assert_string_equal(found.text, "");
	assert_int_equal(read_topics(&f, "late", 0, 203, &found).removed, 0);
	assert_string_equal(found.text, "203:update=y;");
	found = (struct found){.limit = 0};
	assert_true(read_topics(&f, "late busy", 0, 203, &found).removed > 100);
	close_log(&f);
}

static void db_chooses_the_store(void **state)
{
	(void)state;
	assert_ptr_equal(store_kind_of(NULL, ":memory:")->open, store_memory_open);
	assert_ptr_equal(store_kind_of(NULL, ":memory:")->attach, store_memory_attach);
	assert_false(store_kind_of(NULL, ":memory:")->in_file);
	/* Everything else is the path of a database, also none and what looks like the other. */
	assert_ptr_equal(store_kind_of(NULL, NULL)->open, store_sqlite_open);
	assert_ptr_equal(store_kind_of(NULL, ":memory:/events.db")->open, store_sqlite_open);
	assert_true(store_kind_of(NULL, "events.db")->in_file);
	assert_null(store_kind_of(NULL, "events.db")->attach);
	/* With --store, --db names the copy. */
	assert_ptr_equal(store_kind_of("nats://a", NULL)->open, store_nats_open);
	assert_ptr_equal(store_kind_of("nats://a", "events.db")->open, store_nats_open);
	assert_true(store_kind_of("nats://a", NULL)->shared);
	assert_false(store_kind_of("nats://a", "events.db")->in_file);
}

/* Is the topic of that letter in the set? */
static bool is_in(const char *set, char name)
{
	return name == ' ' ? strstr(set, "often") != NULL : strchr(set, name) != NULL;
}

/*
 * Rare topics among so many other events that the database asks each topic for its own, after it has
 * looked at the newest of all.
 */
static void check_newest(struct fixture *f)
{
	static const char *const sets[] = {
		"r1", "r1 r2", "r4 r3 r2 r1", "r1 often", "r5 r1", "r5 r2 r3"};
	char names[10000];
	uint64_t base = f->store->head;
	size_t count = 0;

	srand(7);
	while (count < sizeof(names)) {
		static const char *const topics[] = {"often", "r1", "r2", "r3", "r4", "r5"};
		struct store_append appends[500];

		for (size_t i = 0; i < 500; i++, count++) {
			unsigned rare = (unsigned)rand() % 500;

			rare = rare < 6 && count < 5600 + rare ? rare : 0;
			names[count] = (char)(rare > 0 ? '0' + rare : ' ');
			appends[i] = event(topics[rare], "update", "x");
		}
		f->delivered[0] = '\0';
		assert_int_equal(
			append_groups(f, &(struct store_group){.appends = appends, .count = 500}, 1,
				NULL),
			0);
	}
	for (unsigned round = 0; round < 3000; round++) {
		const char *set = sets[(size_t)rand() % (sizeof(sets) / sizeof(sets[0]))];
		uint64_t upto = (uint64_t)rand() % (count + 1), low = upto, high;
		unsigned wanted = (unsigned)rand() % 30 + 1, left = wanted;

		/* The model: walk back to the first of those that are wanted, and to the next one. */
		for (; low > 0 && left > 0; low--)
			left -= is_in(set, names[low - 1]);
		high = low + 1;
		while (low > 0 && !is_in(set, names[low - 1]))
			low--;
		assert_newest(f, set, base + upto, wanted, left > 0 || low == 0 ? 0 : base + low,
			base + (left > 0 ? 1 : high));
	}
}

static void the_newest_of_rare_topics_are_found(void **state)
{
	struct fixture f;

	open_new(&f, state);
	widen(&f);
	check_newest(&f);
	close_log(&f);
}

static int tear_down(void **state)
{
	return nats_tear_down(state) | scratch_tear_down(state);
}

/* A row of the matrix. */
#define ON(test, kind)                                                                             \
	{                                                                                          \
#test " (" #kind ")", test, NULL, NULL, &(kind)                                    \
	}
#define ON_EACH(test) ON(test, database), ON(test, memory), ON(test, nats)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_EACH(the_promises_are_kept),
		ON(what_was_appended_is_there_when_it_is_opened_again, database),
		ON(what_was_appended_is_there_when_it_is_opened_again, nats),
		cmocka_unit_test(openings_that_write_nothing_leave_nothing),
		cmocka_unit_test(times_are_found_by_halving),
		cmocka_unit_test(a_batch_is_stored_whole_or_not_at_all),
		cmocka_unit_test(a_second_opening_is_refused),
		cmocka_unit_test(positions_are_never_used_twice),
		ON_EACH(keys_are_known_for_a_while),
		cmocka_unit_test(the_database_looks_at_conditions),
		cmocka_unit_test(the_memory_looks_at_conditions),
		cmocka_unit_test(nats_looks_at_conditions),
		ON(it_agrees_with_the_memory_on_groups_of_any_size, database),
		ON(it_agrees_with_the_memory_on_groups_of_any_size, nats),
		cmocka_unit_test(keys_outlive_restarts_and_their_events),
		cmocka_unit_test(a_failed_transaction_leaves_no_key),
		cmocka_unit_test(the_memory_forgets_the_oldest_keys),
		cmocka_unit_test(a_database_of_version_1_is_brought_up),
		ON_EACH(a_walk_past_others_takes_pauses),
		cmocka_unit_test(the_memory_tells_what_is_gone),
		ON_EACH(the_newest_of_rare_topics_are_found),
		cmocka_unit_test(db_chooses_the_store),
	};

	return cmocka_run_group_tests_name("serve_store", tests, scratch_set_up, tear_down);
}
