/* SPDX-License-Identifier: MIT */
/*
 * Tests of deleting: what cmd/sse-serve/log/window.c, the stores and scrub.c do, so that nobody
 * reads what was deleted, in memory or on the disk, and nobody else loses a byte.
 */
#include <pthread.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "log/scrub.h"
#include "log/store.h"
#include "log/window.h"
#include "parts/nats.h"
#include "parts/scratch.h"

/* --- a log, and its window -------------------------------------------------------------------- */

struct fixture {
	struct topics *topics;
	struct store *store;
	struct store_reader *reader;
	struct window *window;
};

static void deliver(void *context, const struct event *event)
{
	struct fixture *f = context;
	char id[IDENTITY_TEXT];

	window_add(f->window, event, id, identity_format(&f->store->identity, event->position, id));
	window_publish(f->window);
}

static void open_kind(struct fixture *f, const struct servers *servers, const char *db)
{
	const struct store_kind *kind = store_kind_of(servers != NULL ? servers->urls : NULL, db);
	struct store_config config = {.path = db, .idempotency_window = 60000, .servers = servers};
	struct error error = {0, ""};

	*f = (struct fixture){.topics = topics_new()};
	config.topics = f->topics;
	f->store = kind->open(&config, &error);
	if (f->store == NULL)
		fail_msg("%s", error.text);
	f->window = window_new(1 << 20, 2, f->store->head, kind->attach != NULL, NULL);
	assert_non_null(f->window);
	if (kind->attach != NULL)
		kind->attach(f->store, f->window, 0);
	f->store->deliver = deliver;
	f->store->deliver_context = f;
	f->reader = f->store->ops->reader_new(f->store, NULL);
	assert_non_null(f->reader);
}

static void open_log(struct fixture *f, const char *db)
{
	open_kind(f, NULL, db);
}

static void close_log(struct fixture *f)
{
	f->store->ops->reader_free(f->reader);
	f->store->ops->close(f->store);
	window_free(f->window);
	topics_free(f->topics);
}

/* Append one; its position. */
static uint64_t append(struct fixture *f, const char *topic, const char *key, const char *data)
{
	struct store_append one = {.topic = topic,
		.key = {key, strlen(key)},
		.event = {.type = {"update", 6}, .data = {data, strlen(data)}}};
	struct store_group group = {.appends = &one, .count = 1}, *groups = &group;

	assert_int_equal(f->store->ops->append(f->store, &groups, 1, NULL), 0);
	return one.event.position;
}

/* As the log thread does it; the number of steps. */
static int erase(
	struct fixture *f, const char *topic, uint64_t after, uint64_t upto, uint64_t *newest)
{
	struct store_deletion deletion = {
		.topic = topics_find(f->topics, topic), .after = after, .upto = upto};
	int steps = 0;

	assert_non_null(deletion.topic);
	while (!deletion.ended) {
		uint64_t from = deletion.after;

		assert_int_equal(f->store->ops->erase(f->store, &deletion, NULL), 0);
		if (deletion.after > from)
			window_erase(f->window, deletion.topic, from, deletion.after);
		steps++;
	}
	if (deletion.newest > 0)
		atomic_store(&deletion.topic->erased, deletion.erased);
	*newest = deletion.newest;
	return steps;
}

struct found {
	char text[4096];
	size_t count;
};

static bool note(void *context, const struct event *event)
{
	struct found *found = context;
	size_t len = strlen(found->text);

	found->count++;
	if (len + event->data.len + 2 < sizeof(found->text))
		snprintf(found->text + len, sizeof(found->text) - len, "%.*s ",
			(int)event->data.len, event->data.data);
	return true;
}

/* The topic's events, and what the read says of what is gone. */
static struct store_query read_all(struct fixture *f, const char *topic, struct found *found)
{
	struct topic_set set = {0};
	struct store_query query = {.topics = &set, .upto = f->store->head};

	*found = (struct found){0};
	assert_int_equal(topic_set_add(&set, topics_find(f->topics, topic)), 0);
	while (query.reached < query.upto) {
		query.after = query.reached;
		assert_int_equal(f->store->ops->read(f->reader, &query, note, found, NULL), 0);
	}
	topic_set_free(&set);
	return query;
}

static void assert_read(struct fixture *f, const char *topic, const char *text, uint64_t removed)
{
	struct found found;
	struct store_query query = read_all(f, topic, &found);

	assert_string_equal(found.text, text);
	assert_int_equal(query.removed, removed);
	if (removed > 0)
		assert_int_equal(query.removal, REMOVAL_DELETED);
}

static struct store_count count_of(struct fixture *f, const char *topic)
{
	struct store_count one = {.topic = topics_find(f->topics, topic)};

	assert_int_equal(f->store->ops->count(f->reader, &one, 1, f->store->head, NULL), 0);
	return one;
}

/* --- all stores ------------------------------------------------------------------------------- */

static void deletes_what_is_meant(struct fixture *f)
{
	struct topic_set set = {0};
	struct found found;
	uint64_t newest, after, sum, head, first, last;

	append(f, "a", "k1", "one");
	append(f, "b", "", "two");
	append(f, "a", "", "three");
	append(f, "a", "", "four");
	append(f, "b", "", "five");
	erase(f, "a", 2, 3, &newest);
	assert_int_equal(newest, 3);
	assert_read(f, "a", "one four ", 3);
	assert_read(f, "b", "two five ", 0);
	assert_int_equal(count_of(f, "a").events, 2);
	/* What is gone, and what others have, is left alone. */
	erase(f, "a", 2, 3, &newest);
	assert_int_equal(newest, 0);
	erase(f, "a", 1, 2, &newest);
	assert_int_equal(newest, 0);
	assert_read(f, "b", "two five ", 0);
	/* One that is older than the newest that is gone. */
	first = append(f, "c", "", "1");
	append(f, "c", "", "2");
	last = append(f, "c", "", "3");
	erase(f, "c", last - 1, last, &newest);
	sum = read_all(f, "c", &found).removed_sum;
	erase(f, "c", first - 1, first, &newest);
	assert_int_equal(newest, first);
	assert_read(f, "c", "2 ", last);
	assert_true(read_all(f, "c", &found).removed_sum > sum);
	sum = read_all(f, "c", &found).removed_sum;
	erase(f, "c", first - 1, first, &newest);
	assert_int_equal(read_all(f, "c", &found).removed_sum, sum);
	erase(f, "b", 0, 4, &newest);
	assert_int_equal(newest, 2);
	assert_read(f, "b", "five ", 2);
	erase(f, "a", 0, 5, &newest);
	assert_int_equal(newest, 4);
	assert_read(f, "a", "", 4);
	assert_int_equal(count_of(f, "a").events, 0);
	assert_int_equal(count_of(f, "a").newest, 0);
	assert_int_equal(topic_set_add(&set, topics_find(f->topics, "a")), 0);
	assert_int_equal(f->store->ops->newest(f->reader, &set, 5, 2, &after, NULL), 0);
	assert_int_equal(after, 0);
	topic_set_free(&set);
	/* Its key is known, and no position is used again; each of five deletions took one.  (Among
	 * nodes, also one that finds nothing takes one: some may keep less than others.) */
	assert_int_equal(append(f, "a", "k1", "one"), 1);
	assert_read(f, "a", "", 4);
	head = f->store->head;
	assert_true(head >= 13);
	assert_int_equal(append(f, "a", "", "last"), head + 1);
	assert_read(f, "a", "last ", 4);
}

/* It is so when it is opened again. */
static void it_deletes_for_good(const struct servers *servers)
{
	struct fixture f;
	int64_t bytes, events;

	scratch_remove();
	open_kind(&f, servers, scratch_path);
	deletes_what_is_meant(&f);
	close_log(&f);
	open_kind(&f, servers, scratch_path);
	assert_read(&f, "a", "last ", 4);
	assert_read(&f, "b", "five ", 2);
	assert_int_equal(topics_find(f.topics, "a")->deleted, 4);
	assert_int_equal(count_of(&f, "a").events, 1);
	f.store->ops->size(f.store, &bytes, &events);
	assert_int_equal(events, 3);
	close_log(&f);
}

static void the_database_deletes(void **state)
{
	(void)state;
	it_deletes_for_good(NULL);
}

static void a_node_deletes(void **state)
{
	(void)state;
	nats_needed();
	nats_new_log();
	it_deletes_for_good(nats_servers());
}

static void the_memory_deletes(void **state)
{
	struct fixture f;

	(void)state;
	open_log(&f, ":memory:");
	deletes_what_is_meant(&f);
	close_log(&f);
}

/* --- the disk --------------------------------------------------------------------------------- */

enum { EVENTS = 6000, BATCH = 100 };

/* An event's data: "<7>" and letters, a few of which overflow their page. */
static void write_data(char *data, unsigned number)
{
	size_t len = (size_t)sprintf(data, "<%u>", number);
	size_t size = 20 + number * 7919U % 400 + (number % 97 == 0 ? 9000 : 0);

	while (len < size)
		data[len++] = (char)('a' + number % 26);
	data[len] = '\0';
}

static bool is_of_a(unsigned number)
{
	return number * 2654435761U >> 16 & 3;
}

/* Append those from this number on, each to its topic. */
static void append_batch(struct fixture *f, unsigned first)
{
	static char texts[BATCH][16384];
	static struct store_append appends[BATCH];
	struct store_group group = {.appends = appends, .count = BATCH}, *groups = &group;

	for (unsigned i = 0; i < BATCH; i++) {
		write_data(texts[i], first + i);
		appends[i] = (struct store_append){.topic = is_of_a(first + i) ? "a" : "b",
			.event = {.type = {"update", 6}, .data = {texts[i], strlen(texts[i])}}};
	}
	assert_int_equal(f->store->ops->append(f->store, &groups, 1, NULL), 0);
}

/* How many of the events of the topic a are found in a file. */
static unsigned traces_in(const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned count = 0;
	struct stat status;
	char *all, *at;
	size_t size;

	if (file == NULL)
		return 0;
	assert_int_equal(fstat(fileno(file), &status), 0);
	size = (size_t)status.st_size;
	all = malloc(size + 1);
	assert_non_null(all);
	assert_int_equal(fread(all, 1, size, file), size);
	fclose(file);
	all[size] = '\0';
	for (at = all; (at = memchr(at, '<', (size_t)(all + size - at))) != NULL; at++) {
		unsigned number;
		char end;

		if (sscanf(at, "<%5u%c", &number, &end) == 2 && end == '>' && number > 0 &&
			number <= EVENTS)
			count += is_of_a(number);
	}
	free(all);
	return count;
}

static unsigned traces(void)
{
	char wal[300];

	snprintf(wal, sizeof(wal), "%s-wal", scratch_path);
	return traces_in(scratch_path) + traces_in(wal);
}

static void the_disk_holds_no_trace(void **state)
{
	struct fixture f;
	struct found found;
	uint64_t newest;
	unsigned kept = 0;
	int steps;

	(void)state;
	scratch_remove();
	open_log(&f, scratch_path);
	for (unsigned i = 1; i <= EVENTS; i++) {
		kept += !is_of_a(i);
		if (i % BATCH == 0)
			append_batch(&f, i - BATCH + 1);
	}
	assert_true(traces() > 1000);
	steps = erase(&f, "a", 0, EVENTS, &newest);
	/* In steps: appends come between them. */
	assert_true(steps > 3);
	assert_int_equal(traces(), 0);
	/* Nor does one come back from SQLite's cache, with pages that are moved. */
	while (f.store->ops->tidy(f.store) == 0)
		assert_int_equal(traces(), 0);
	assert_int_equal(traces(), 0);
	read_all(&f, "b", &found);
	assert_int_equal(found.count, kept);
	close_log(&f);
	assert_int_equal(traces(), 0);
}

/* Another program reads the database: nobody waits for it for ever. */
static void a_reader_of_another_program_delays_it(void **state)
{
	sqlite3 *other = NULL;
	struct fixture f;
	uint64_t newest;
	int64_t wait;

	(void)state;
	scratch_remove();
	open_log(&f, scratch_path);
	append(&f, "a", "", "<1>");
	assert_int_equal(sqlite3_open(scratch_path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN; SELECT count(*) FROM event", NULL, NULL, NULL),
		SQLITE_OK);
	assert_true(erase(&f, "a", 0, 1, &newest) > 2);
	assert_int_equal(newest, 1);
	assert_int_equal(traces(), 1);
	wait = f.store->ops->tidy(f.store);
	assert_true(wait >= 0);
	assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	/* A deletion of nothing washes the files too, and tidy would. */
	erase(&f, "a", 0, 1, &newest);
	assert_int_equal(newest, 0);
	assert_int_equal(traces(), 0);
	close_log(&f);
}

static void only_the_middle_of_a_page_of_a_tree_is_scrubbed(void **state)
{
	unsigned char page[4096] = {13, 0, 0, 0, 3, 0x0f, 0x00, 0};
	size_t from, to;

	(void)state;
	scrub_range(page, sizeof(page), 3, &from, &to);
	assert_int_equal(from, 8 + 2 * 3);
	assert_int_equal(to, 0x0f00);
	page[0] = 5;
	scrub_range(page, sizeof(page), 3, &from, &to);
	assert_int_equal(from, 12 + 2 * 3);
	/* A page of the pointer map, an overflow page, and nonsense. */
	scrub_range(page, sizeof(page), 2, &from, &to);
	assert_int_equal(to, 0);
	scrub_range(page, sizeof(page), 2 + 4096 / 5 + 1, &from, &to);
	assert_int_equal(to, 0);
	page[0] = 0;
	scrub_range(page, sizeof(page), 3, &from, &to);
	assert_int_equal(to, 0);
	memcpy(page, "\x0d\0\0\xff\xff\x0f\0", 7);
	scrub_range(page, sizeof(page), 3, &from, &to);
	assert_int_equal(to, 0);
	memcpy(page, "\x0d\0\0\0\0\xff\0", 7);
	scrub_range(page, sizeof(page), 3, &from, &to);
	assert_int_equal(to, 0);
	memset(page, 0, sizeof(page));
	memcpy(page + 100, "\x0d\0\0\0\1\x0f\0", 7);
	scrub_range(page, sizeof(page), 1, &from, &to);
	assert_int_equal(from, 100 + 8 + 2);
	assert_int_equal(to, 0x0f00);
}

/* --- the window ------------------------------------------------------------------------------- */

static void add(struct window *window, struct topic *topic, uint64_t position, const char *data)
{
	struct event event = {.position = position,
		.topic = topic,
		.type = {"update", 6},
		.data = {data, strlen(data)}};

	window_add(window, &event, "i", 1);
	window_publish(window);
}

static void the_window_forgets(void **state)
{
	struct topics *topics = topics_new();
	struct topic *a = topics_add(topics, "a"), *b = topics_add(topics, "b");
	struct window *window = window_new(65536, 1, 0, false, NULL);
	struct topic_set set = {0};
	struct window_view view = {.topics = &set};
	struct window_chunk chunk;
	const char *frame;
	uint64_t len;

	(void)state;
	assert_int_equal(topic_set_add(&set, a), 0);
	for (uint64_t i = 1; i <= 6; i++)
		add(window, i % 2 ? a : b, i, "secret");
	assert_int_equal(window_erasures(window), 0);
	window_erase(window, b, 0, 1);
	assert_int_equal(window_erasures(window), 0);
	window_erase(window, a, 2, 4);
	assert_true(window_announce(window, 0, 0));
	view.erasures = window_erasures(window);
	assert_int_equal(view.erasures, 1);
	assert_int_equal(window_find(window, &view, 0, 6), 0);
	assert_int_equal(window_next(window, &view, 0, 6), 4);
	window_gather(window, &view, 0, 6, 0, 0, &chunk);
	assert_int_equal(chunk.events, 2);
	assert_int_equal(chunk.position, 5);
	frame = window_entry(window, 2)->frame;
	len = window_entry(window, 2)->len;
	for (uint64_t i = 0; i < len; i++)
		assert_int_equal(frame[i], 0);
	assert_memory_equal(window_entry(window, 3)->frame, "event: update", 13);
	/* The number of an erasure is not that of the entry that has the slot next. */
	window_withdraw(window, 0);
	for (uint64_t i = 7; i <= 3000; i++)
		add(window, a, i, "secret");
	assert_true(window_announce(window, 0, 2999));
	view.erasures = window_erasures(window);
	assert_int_equal(window_find(window, &view, 2999, 3000), 2999);
	window_withdraw(window, 0);
	window_free(window);
	topic_set_free(&set);
	topics_free(topics);
}

/* Readers take what they see, while the writer erases it. */
struct race {
	struct window *window;
	struct topic_set set;
	_Atomic bool over;
	_Atomic uint64_t looks;
};

static bool is_whole(const struct window_chunk *chunk)
{
	for (int i = 0; i < chunk->count; i++) {
		if (memchr(chunk->pieces[i].iov_base, '\0', chunk->pieces[i].iov_len) != NULL)
			return false;
	}
	return true;
}

static void *read_window(void *context)
{
	struct race *race = context;
	struct window_view view = {.topics = &race->set};
	struct window_chunk *chunk = malloc(sizeof(*chunk));
	bool whole = chunk != NULL;

	while (!race->over && whole) {
		uint64_t from = window_announce_oldest(race->window, 1);

		view.erasures = window_erasures(race->window);
		window_gather(race->window, &view, from, window_head(race->window), 0, 0, chunk);
		/* Twice: nothing that was gathered goes while it is announced. */
		whole = is_whole(chunk) && is_whole(chunk);
		window_withdraw(race->window, 1);
		race->looks++;
	}
	free(chunk);
	return whole ? race : NULL;
}

static void no_reader_sees_a_frame_that_is_being_erased(void **state)
{
	struct topics *topics = topics_new();
	struct topic *a = topics_add(topics, "a");
	struct race race = {.window = window_new(65536, 2, 0, false, NULL)};
	uint64_t position = 0;
	pthread_t thread;
	void *whole;

	(void)state;
	assert_int_equal(topic_set_add(&race.set, a), 0);
	assert_int_equal(pthread_create(&thread, NULL, read_window, &race), 0);
	while (race.looks < 300) {
		for (int i = 0; i < 20; i++)
			add(race.window, a, ++position, "what one reader sends is whole");
		window_erase(race.window, a, position - 15, position - 5);
	}
	race.over = true;
	assert_int_equal(pthread_join(thread, &whole), 0);
	assert_ptr_equal(whole, &race);
	window_free(race.window);
	topic_set_free(&race.set);
	topics_free(topics);
}

static int tear_down(void **state)
{
	return nats_tear_down(state) | scratch_tear_down(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_database_deletes),
		cmocka_unit_test(a_node_deletes),
		cmocka_unit_test(the_memory_deletes),
		cmocka_unit_test(the_disk_holds_no_trace),
		cmocka_unit_test(a_reader_of_another_program_delays_it),
		cmocka_unit_test(only_the_middle_of_a_page_of_a_tree_is_scrubbed),
		cmocka_unit_test(the_window_forgets),
		cmocka_unit_test(no_reader_sees_a_frame_that_is_being_erased),
	};

	return cmocka_run_group_tests_name("serve_erase", tests, scratch_set_up, tear_down);
}
