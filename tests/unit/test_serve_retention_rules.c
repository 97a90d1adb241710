/* SPDX-License-Identifier: MIT */
/* Tests of retention in cmd/sse-serve: what --retain says, and what the database then keeps. */
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "log/store.h"
#include "parts/scratch.h"

/* --- what is said --- */

static struct retention_rules parse(const char *all, const char *topic)
{
	struct retention_rules retention_rules;
	struct option_list list = {0};
	struct error error = {0, ""};
	const char *values[] = {topic};

	if (topic != NULL) {
		list.values = values;
		list.count = 1;
	}
	if (retention_rules_parse(all, &list, &retention_rules, &error) != 0)
		fail_msg("%s", error.text);
	return retention_rules;
}

static void assert_refused(const char *all, const char *topic)
{
	struct retention_rules retention_rules;
	struct option_list list = {0};
	struct error error = {0, ""};
	const char *values[] = {topic};

	if (topic != NULL) {
		list.values = values;
		list.count = 1;
	}
	if (retention_rules_parse(all, &list, &retention_rules, &error) == 0)
		fail_msg("%s %s was taken", all ? all : "", topic ? topic : "");
	assert_int_equal(error.status, EX_USAGE);
	assert_true(error.text[0] != '\0');
	retention_rules_free(&retention_rules);
}

static void limits_are_read(void **state)
{
	struct retention_rules retention_rules = parse("7d,1M,10G", NULL);

	(void)state;
	assert_int_equal(retention_rules.all.age, 7 * 86400000LL);
	assert_int_equal(retention_rules.all.events, 1000000);
	assert_int_equal(retention_rules.all.bytes, (int64_t)10 << 30);
	retention_rules_free(&retention_rules);
	retention_rules = parse(",,64k", "logs/**=,5");
	assert_int_equal(retention_rules.all.age + retention_rules.all.events, 0);
	assert_int_equal(retention_rules.all.bytes, 65536);
	assert_int_equal(retention_rules_of(&retention_rules, "logs/a/b")->events, 5);
	assert_null(retention_rules_of(&retention_rules, "users"));
	retention_rules_free(&retention_rules);
	retention_rules = parse("1.5h,,1.5G", NULL);
	assert_int_equal(retention_rules.all.age, 5400000);
	assert_int_equal(retention_rules.all.bytes, (int64_t)3 << 29);
	retention_rules_free(&retention_rules);
	retention_rules = parse(NULL, "hosts/**=latest");
	assert_true(retention_rules_of(&retention_rules, "hosts/a")->latest);
	assert_false(retention_rules.all.latest);
	retention_rules_free(&retention_rules);
	retention_rules = parse(NULL, "hosts/**=latest,30d,5");
	assert_true(retention_rules.rules[0].retain.latest);
	assert_int_equal(retention_rules.rules[0].retain.age, 30 * 86400000LL);
	assert_int_equal(retention_rules.rules[0].retain.events, 5);
	retention_rules_free(&retention_rules);
	assert_refused("latest", NULL);
	assert_refused(NULL, "users=latest,");
	assert_refused(NULL, "users=latests");
	assert_refused(NULL, "users=7d,latest");
	/* Neither seconds nor one and a half events. */
	assert_refused("1.5", NULL);
	assert_refused("1.5M", NULL);
	assert_refused(",1.5k", NULL);
	assert_refused("", NULL);
	assert_refused(",,", NULL);
	assert_refused("1d,2,3,4", NULL);
	assert_refused("x", NULL);
	assert_refused(NULL, "users");
	assert_refused(NULL, "a//b=1d");
	assert_refused(NULL, "users=");
}

/* --- what is kept --- */

/* A log with one reader. */
struct fixture {
	struct topics *topics;
	struct store *store;
	struct store_reader *reader;
};

static void ignore(void *context, const struct event *event)
{
	(void)context;
	(void)event;
}

static void open_log(
	struct fixture *f, const char *file, const struct retention_rules *retention_rules)
{
	struct store_config config = {
		.path = file, .retention_rules = retention_rules, .idempotency_window = 60000};
	struct error error = {0, ""};

	f->topics = config.topics = topics_new();
	f->store = store_sqlite_open(&config, &error);
	if (f->store == NULL)
		fail_msg("%s", error.text);
	f->store->deliver = ignore;
	f->reader = f->store->ops->reader_new(f->store, NULL);
	assert_non_null(f->reader);
}

static void close_log(struct fixture *f)
{
	f->store->ops->reader_free(f->reader);
	f->store->ops->close(f->store);
	topics_free(f->topics);
}

/* Append ${count} events of the same topic and size in one transaction. */
static int try_append(struct fixture *f, const char *topic, int count, size_t size)
{
	static char data[100000];
	struct store_append *appends = calloc((size_t)count, sizeof(*appends));
	struct store_group group = {.appends = appends, .count = (size_t)count};
	struct store_group *groups[] = {&group};
	int result;

	memset(data, 'x', sizeof(data));
	for (int i = 0; i < count; i++)
		appends[i] = (struct store_append){
			.topic = topic, .event = {.type = {"update", 6}, .data = {data, size}}};
	result = f->store->ops->append(f->store, groups, 1, NULL);
	free(appends);
	return result;
}

static void append(struct fixture *f, const char *topic, int count, size_t size)
{
	assert_int_equal(try_append(f, topic, count, size), 0);
}

static void tidy(struct fixture *f)
{
	int64_t wait;

	while ((wait = f->store->ops->tidy(f->store)) == 0)
		continue;
}

static int64_t ask(const char *file, const char *sql)
{
	sqlite3_stmt *row = NULL;
	sqlite3 *db = NULL;
	int64_t number;

	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	if (sqlite3_prepare_v2(db, sql, -1, &row, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	number = sqlite3_step(row) == SQLITE_ROW ? sqlite3_column_int64(row, 0) : -1;
	sqlite3_finalize(row);
	sqlite3_close(db);
	return number;
}

static int64_t rows_of(const char *topic)
{
	char sql[200];

	snprintf(sql, sizeof(sql),
		"SELECT count(*) FROM event, topic WHERE topic = id AND name = '%s'", topic);
	return ask(scratch_path, sql);
}

static bool count_event(void *context, const struct event *event)
{
	(void)event;
	++*(int *)context;
	return true;
}

/* Read topics of the log after a position: what is gone of them, and how many events come. */
static uint64_t gone(struct fixture *f, const char *topics, uint64_t after, int *events)
{
	struct topic_set set = {0};
	struct store_query query = {.topics = &set, .after = after, .upto = f->store->head};
	char names[400], *rest = names;
	uint64_t sum = 0;

	snprintf(names, sizeof(names), "%s", topics);
	for (char *name; (name = strtok_r(rest, " ", &rest)) != NULL;) {
		struct topic *topic = topics_find(f->topics, name);

		assert_int_equal(topic_set_add(&set, topic), 0);
		sum += topic->removed;
	}
	*events = 0;
	assert_int_equal(f->store->ops->read(f->reader, &query, count_event, events, NULL), 0);
	assert_int_equal(query.removed_sum, sum);
	topic_set_free(&set);
	return query.removed;
}

static void the_newest_events_are_kept(void **state)
{
	struct retention_rules retention_rules = parse(",10", NULL);
	struct fixture f;
	int events;

	(void)state;
	scratch_remove();
	open_log(&f, scratch_path, &retention_rules);
	append(&f, "a", 4, 10);
	append(&f, "b", 6, 10);
	assert_int_equal(ask(scratch_path, "SELECT count(*) FROM event"), 10);
	assert_int_equal(gone(&f, "a b", 0, &events), 0);
	append(&f, "b", 1, 10);
	/* Beside the append: no tidying is needed. */
	assert_int_equal(ask(scratch_path, "SELECT min(position) FROM event"), 2);
	assert_int_equal(gone(&f, "a", 0, &events), 1);
	assert_int_equal(events, 3);
	assert_int_equal(gone(&f, "b", 0, &events), 0);
	append(&f, "b", 100, 10);
	tidy(&f);
	assert_int_equal(ask(scratch_path, "SELECT count(*) FROM event"), 10);
	assert_int_equal(gone(&f, "a", 4, &events), 4);
	assert_int_equal(gone(&f, "b", 0, &events), 101);
	assert_int_equal(events, 10);
	close_log(&f);
	retention_rules_free(&retention_rules);
}

static void a_topic_with_a_rule_is_kept_by_it(void **state)
{
	struct retention_rules retention_rules = parse(",10", "own/*=,3");
	struct fixture f;
	int events;

	(void)state;
	scratch_remove();
	open_log(&f, scratch_path, &retention_rules);
	append(&f, "own/a", 3, 10);
	append(&f, "own/b", 2, 10);
	append(&f, "rest", 30, 10);
	tidy(&f);
	assert_int_equal(rows_of("own/a"), 3);
	assert_int_equal(rows_of("own/b"), 2);
	assert_int_equal(rows_of("rest"), 10);
	/* Only the other's are gone: no gap. */
	assert_int_equal(gone(&f, "own/a own/b", 0, &events), 0);
	assert_int_equal(events, 5);
	append(&f, "own/a", 1, 10);
	assert_int_equal(rows_of("own/a"), 3);
	assert_int_equal(gone(&f, "own/a", 0, &events), 1);
	assert_int_equal(gone(&f, "own/b", 0, &events), 0);
	assert_int_equal(gone(&f, "rest own/a", 0, &events), 25);
	assert_int_equal(rows_of("rest"), 10);
	close_log(&f);
	retention_rules_free(&retention_rules);
}

static void bytes_are_counted(void **state)
{
	struct retention_rules retention_rules = parse(",,10k", NULL);
	struct fixture f;
	int events;

	(void)state;
	scratch_remove();
	open_log(&f, scratch_path, &retention_rules);
	append(&f, "a", 10, 1000 - 48 - 6);
	assert_int_equal(gone(&f, "a", 0, &events), 0);
	append(&f, "a", 1, 1000 - 48 - 6);
	assert_int_equal(gone(&f, "a", 0, &events), 1);
	assert_int_equal(events, 10);
	/* One that is larger than all that may be kept is not kept. */
	append(&f, "a", 1, 11000);
	tidy(&f);
	assert_int_equal(gone(&f, "a", 0, &events), 12);
	assert_int_equal(events, 0);
	append(&f, "a", 1, 10);
	assert_int_equal(f.store->head, 13);
	assert_int_equal(gone(&f, "a", 12, &events), 12);
	assert_int_equal(events, 1);
	close_log(&f);
	retention_rules_free(&retention_rules);
}

static void old_events_go(void **state)
{
	struct retention_rules retention_rules = parse("1s", "own=2d");
	struct fixture f;
	int events;

	(void)state;
	scratch_remove();
	open_log(&f, scratch_path, &retention_rules);
	append(&f, "own", 5, 10);
	append(&f, "a", 5, 10);
	tidy(&f);
	assert_int_equal(ask(scratch_path, "SELECT count(*) FROM event"), 10);
	for (int i = 0; i < 100 && rows_of("a") > 0; i++) {
		int64_t wait = f.store->ops->tidy(f.store);

		assert_true(wait >= 0 && wait <= 60000);
		usleep((useconds_t)(wait < 100 ? wait : 100) * 1000);
	}
	assert_int_equal(rows_of("a"), 0);
	assert_int_equal(rows_of("own"), 5);
	assert_int_equal(gone(&f, "a", 0, &events), 10);
	close_log(&f);
	/* Everything of it is gone, and stays so. */
	open_log(&f, scratch_path, &retention_rules);
	assert_int_equal(f.store->head, 10);
	assert_int_equal(gone(&f, "a", 0, &events), 10);
	assert_int_equal(gone(&f, "own", 0, &events), 0);
	append(&f, "a", 1, 10);
	assert_int_equal(f.store->head, 11);
	close_log(&f);
	retention_rules_free(&retention_rules);
}

static void rules_may_change_between_runs(void **state)
{
	struct retention_rules none = {0}, few = parse(",3", NULL), one = parse(",100", "a=,1");
	struct fixture f;
	int events;

	(void)state;
	scratch_remove();
	open_log(&f, scratch_path, &none);
	append(&f, "a", 10, 10);
	append(&f, "b", 2, 10);
	assert_int_equal(f.store->ops->tidy(f.store), -1);
	close_log(&f);
	/* What is stored is counted also without rules. */
	assert_int_equal(ask(scratch_path, "SELECT sum(events) FROM counter"), 12);
	open_log(&f, scratch_path, &few);
	tidy(&f);
	assert_int_equal(gone(&f, "a", 0, &events), 9);
	assert_int_equal(gone(&f, "b", 0, &events), 0);
	close_log(&f);
	open_log(&f, scratch_path, &none);
	append(&f, "a", 5, 10);
	close_log(&f);
	open_log(&f, scratch_path, &one);
	tidy(&f);
	assert_int_equal(rows_of("a"), 1);
	assert_int_equal(rows_of("b"), 2);
	assert_int_equal(gone(&f, "a", 0, &events), 16);
	close_log(&f);
	retention_rules_free(&few);
	retention_rules_free(&one);
}

/* A removal that fails does not keep events from being stored. */
static void publishing_outlives_a_failing_removal(void **state)
{
	struct retention_rules retention_rules = parse(",2", NULL);
	struct fixture f;
	sqlite3 *db = NULL;
	int events;

	(void)state;
	scratch_remove();
	open_log(&f, scratch_path, &retention_rules);
	append(&f, "a", 2, 10);
	assert_int_equal(sqlite3_open(scratch_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				 "CREATE TRIGGER no BEFORE DELETE ON event WHEN old.position = 2"
				 " BEGIN SELECT raise(ABORT, 'made to fail'); END",
				 NULL, NULL, NULL),
		SQLITE_OK);
	append(&f, "a", 2, 10);
	append(&f, "a", 2, 10);
	assert_true(f.store->ops->tidy(f.store) > 0);
	/* All or nothing was removed; nothing is said to be gone that is there. */
	assert_int_equal(rows_of("a"), 6);
	assert_int_equal(gone(&f, "a", 0, &events), 0);
	assert_int_equal(topics_find(f.topics, "a")->removed, 0);
	assert_int_equal(sqlite3_exec(db, "DROP TRIGGER no", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	for (int i = 0; i < 100 && rows_of("a") > 2; i++) {
		f.store->ops->tidy(f.store);
		usleep(100000);
	}
	assert_int_equal(gone(&f, "a", 0, &events), 4);
	assert_int_equal(topics_find(f.topics, "a")->removed, 4);
	assert_int_equal(events, 2);
	close_log(&f);
	retention_rules_free(&retention_rules);
}

static void limit_files(rlim_t size)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A file size limit is as good as a full disk. */
static void without_space_nothing_changes_and_with_it_all_goes_on(void **state)
{
	struct retention_rules retention_rules = parse(",50", NULL);
	struct fixture f;
	int events;
	uint64_t head;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	scratch_remove();
	open_log(&f, scratch_path, &retention_rules);
	append(&f, "a", 50, 2000);
	limit_files(300000);
	for (int i = 0; i < 100 && try_append(&f, "a", 5, 2000) == 0; i++)
		continue;
	head = f.store->head;
	assert_int_equal(try_append(&f, "new", 20, 2000), -1);
	assert_true(f.store->ops->tidy(f.store) != 0);
	assert_int_equal(f.store->head, head);
	/* What is said to be gone is what is gone, and readers go on. */
	assert_int_equal(gone(&f, "a", 0, &events), head - 50);
	assert_int_equal(events, 50);
	assert_int_equal(topics_find(f.topics, "a")->removed, head - 50);
	limit_files(RLIM_INFINITY);
	append(&f, "new", 1, 2000);
	append(&f, "a", 60, 2000);
	assert_int_equal(f.store->head, head + 61);
	for (int i = 0; i < 50 && rows_of("a") > 50; i++) {
		f.store->ops->tidy(f.store);
		usleep(100000);
	}
	assert_int_equal(gone(&f, "a", 0, &events), head + 11);
	assert_int_equal(gone(&f, "new", 0, &events), head + 1);
	close_log(&f);
	retention_rules_free(&retention_rules);
}

/* --- counts, at random --- */

/* Topics whose count is not that of their rows. */
static const char wrong_counts[] =
	"WITH true(topic, events, bytes) AS (SELECT topic, count(*),"
	" sum(48 + length(CAST(data AS BLOB)) + coalesce(length(CAST(type AS BLOB)), 6)"
	" + coalesce(length(CAST(subject AS BLOB)), 0))"
	" FROM event GROUP BY topic)"
	"SELECT count(*) FROM topic LEFT JOIN true ON true.topic = id"
	" LEFT JOIN counter ON counter.topic = id"
	" WHERE coalesce(true.events, 0) <> coalesce(counter.events, 0)"
	" OR coalesce(true.bytes, 0) <> coalesce(counter.bytes, 0)";

static void copy_file(const char *from, const char *to)
{
	char command[300];

	snprintf(command, sizeof(command), "[ ! -e %s ] || cp %s %s", from, from, to);
	assert_int_equal(system(command), 0);
}

/* What a kill -9 would leave: the files as they are, opened again by another. */
static void check_a_copy(const struct retention_rules *retention_rules)
{
	char to[80], wal[80], copied_wal[90];
	struct fixture f;

	snprintf(to, sizeof(to), "%s.copy", scratch_path);
	snprintf(wal, sizeof(wal), "%s-wal", scratch_path);
	snprintf(copied_wal, sizeof(copied_wal), "%s-wal", to);
	unlink(copied_wal);
	copy_file(scratch_path, to);
	copy_file(wal, copied_wal);
	open_log(&f, to, retention_rules);
	close_log(&f);
	assert_int_equal(ask(to, wrong_counts), 0);
}

static void counts_are_right_whatever_happens(void **state)
{
	static const char *const topics[] = {"a", "b", "own/c", "own/d", "e"};
	struct retention_rules rules[4] = {
		parse(",200", "own/*=,20"), parse(",,20k", "a=,5"), parse(NULL, "b=,,2k")};
	const struct retention_rules *rule = &rules[0];
	struct fixture f;

	(void)state;
	scratch_remove();
	srandom(7);
	open_log(&f, scratch_path, rule);
	/* Enough for the counts to be saved on the way. */
	for (int i = 0; i < 40; i++)
		append(&f, topics[i % 5], 2000, 5);
	check_a_copy(rule);
	assert_int_not_equal(ask(scratch_path, "SELECT upto FROM counter WHERE topic = 0"), -1);
	for (int i = 0; i < 1500; i++) {
		long what = random() % 100;

		if (what < 90) {
			append(&f, topics[random() % 5], (int)(random() % 20) + 1,
				(size_t)random() % 300);
		} else if (what < 94) {
			tidy(&f);
		} else if (what < 97) {
			check_a_copy(&rules[random() % 3]);
		} else {
			close_log(&f);
			if (rule != &rules[3])
				assert_int_equal(ask(scratch_path, wrong_counts), 0);
			rule = &rules[random() % 4];
			open_log(&f, scratch_path, rule);
		}
	}
	close_log(&f);
	for (int i = 0; i < 3; i++)
		retention_rules_free(&rules[i]);
}

/* --- space --- */

static int64_t file_size(void)
{
	struct stat status;

	assert_int_equal(stat(scratch_path, &status), 0);
	return status.st_size;
}

static void the_file_shrinks_after_a_large_removal(void **state)
{
	struct retention_rules none = {0}, few = parse(",10", NULL);
	struct fixture f;
	int64_t large;
	int events;

	(void)state;
	scratch_remove();
	open_log(&f, scratch_path, &none);
	for (int i = 0; i < 20; i++)
		append(&f, "a", 100, 4000);
	close_log(&f);
	large = file_size();
	assert_true(large > 8000000);
	open_log(&f, scratch_path, &few);
	for (int i = 0; i < 100 && file_size() > large / 8; i++) {
		if (f.store->ops->tidy(f.store) > 0)
			usleep(100000);
	}
	assert_true(file_size() <= large / 8);
	assert_int_equal(gone(&f, "a", 0, &events), 1990);
	assert_int_equal(events, 10);
	close_log(&f);
	retention_rules_free(&few);
}

/* A steady state does not grow. */
static void a_full_log_uses_its_space_again(void **state)
{
	struct retention_rules retention_rules = parse(",1000", NULL);
	struct fixture f;
	int64_t before;

	(void)state;
	scratch_remove();
	open_log(&f, scratch_path, &retention_rules);
	for (int i = 0; i < 20; i++)
		append(&f, "a", 100, 1000);
	before = ask(scratch_path, "PRAGMA page_count");
	for (int i = 0; i < 100; i++)
		append(&f, "a", 100, 1000);
	assert_int_equal(ask(scratch_path, "SELECT count(*) FROM event"), 1000);
	assert_true(ask(scratch_path, "PRAGMA page_count") < before + before / 4);
	close_log(&f);
	retention_rules_free(&retention_rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_are_read),
		cmocka_unit_test(the_newest_events_are_kept),
		cmocka_unit_test(a_topic_with_a_rule_is_kept_by_it),
		cmocka_unit_test(bytes_are_counted),
		cmocka_unit_test(old_events_go),
		cmocka_unit_test(rules_may_change_between_runs),
		cmocka_unit_test(publishing_outlives_a_failing_removal),
		cmocka_unit_test(without_space_nothing_changes_and_with_it_all_goes_on),
		cmocka_unit_test(counts_are_right_whatever_happens),
		cmocka_unit_test(the_file_shrinks_after_a_large_removal),
		cmocka_unit_test(a_full_log_uses_its_space_again),
	};

	return cmocka_run_group_tests_name(
		"serve_retention", tests, scratch_set_up, scratch_tear_down);
}
