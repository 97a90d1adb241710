/* SPDX-License-Identifier: MIT */
/*
 * The log in a SQLite database, the default; see store.h.  WAL with synchronous=FULL: what is
 * committed survives a power loss.  One connection writes (the log thread's), each reader has one
 * of its own, and a lock of ours on the file keeps a second server out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "database.h"
#include "idempotency_table.h"
#include "retention.h"
#include "vacuum.h"
#include "store_sqlite.h"

/* Rows that a step of tidying looks at. */
#define TIDY_ROWS 1000

/* Expired keys are swept at most this often, unless there is more than a step's. */
#define TIDY_MS 1000

/* After a failed sweep, publishing continues without one for this long. */
#define REST_MS 1000

enum statement {
	BEGIN,
	COMMIT,
	ROLLBACK,
	GUARD,
	UNDO,
	RELEASE,
	ADD_TOPIC,
	ADD_EVENT,
	ADD_EVENTS,
	STATEMENTS
};

static const char *const sql[STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[GUARD] = "SAVEPOINT guard",
	[UNDO] = "ROLLBACK TO guard",
	[RELEASE] = "RELEASE guard",
	[ADD_TOPIC] = "INSERT INTO topic(id, name) VALUES(?, ?)",
	[ADD_EVENT] = DATABASE_ADD_EVENT,
	[ADD_EVENTS] = DATABASE_ADD_EVENTS,
};

/* A file that must stay where it is: SQLite has it open, and would go on writing into nothing. */
struct place {
	char *path;
	struct stat status; /* when the store was opened; all zero: it was not there */
};

struct sqlite_store {
	struct store store;
	char *path;
	struct place places[2]; /* the database and its WAL */
	int lock;		/* the locked file; open as long as the store is */
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	uint32_t topics_stored; /* rows of topics up to this one are written */
	struct idempotency_table keys;
	struct retention *retention; /* NULL: everything is kept */
	struct vacuum vacuum;
	int64_t rest_until, tidy_at; /* by clock_now_ms(); 0: now */
	_Atomic int64_t events;	     /* that are stored; -1: not known */
};

/* An append on its way: what becomes of the store if it gets there. */
struct transaction {
	struct store_group *const *groups;
	size_t count;
	uint32_t topics; /* the highest row of the topics that events are stored of */
	bool stores;	 /* there is an event to be stored */
	uint64_t head;
	int64_t now;
	bool swept; /* it removed something, or tried to */
};

static int run(struct sqlite_store *sqlite, enum statement statement)
{
	return database_run(sqlite->statements[statement]);
}

static int begin(struct sqlite_store *sqlite)
{
	if (sqlite->retention != NULL && retention_begin(sqlite->retention) != 0)
		return -1;
	return run(sqlite, BEGIN);
}

static int log_thread(struct sqlite_store *sqlite)
{
	uint64_t began = clock_now_us();

	if (run(sqlite, COMMIT) != 0)
		return -1;
	counter_took(&sqlite->store.sync, clock_now_us() - began);
	if (sqlite->retention != NULL) {
		retention_commit(sqlite->retention);
		sqlite->events = retention_events(sqlite->retention);
	}
	return 0;
}

/* SQLite has done it already after some failures. */
static void rollback(struct sqlite_store *sqlite)
{
	if (!sqlite3_get_autocommit(sqlite->db))
		run(sqlite, ROLLBACK);
	if (sqlite->retention != NULL)
		retention_rollback(sqlite->retention);
}

/* --- where the files are --- */

static int note_place(
	struct place *place, const char *path, const char *suffix, struct error *error)
{
	if (asprintf(&place->path, "%s%s", path, suffix) < 0) {
		place->path = NULL;
		return error_set(error, EX_OSERR, "out of memory for the store");
	}
	/* Some file systems allow no WAL. */
	if (stat(place->path, &place->status) != 0)
		place->status = (struct stat){0};
	return 0;
}

static bool is_in_place(const struct place *place)
{
	struct stat now;

	if (place->status.st_ino == 0)
		return true;
	return stat(place->path, &now) == 0 && now.st_ino == place->status.st_ino &&
	       now.st_dev == place->status.st_dev;
}

static int sqlite_check(const struct store *store, struct error *error)
{
	const struct sqlite_store *sqlite = (const struct sqlite_store *)store;

	for (size_t i = 0; i < sizeof(sqlite->places) / sizeof(sqlite->places[0]); i++) {
		const struct place *place = &sqlite->places[i];

		if (!is_in_place(place))
			return error_set(error, EX_IOERR,
				"%s was removed or replaced while the server runs, so nothing can be stored: put "
				"it back, or restart the server",
				place->path);
	}
	return 0;
}

/* --- writing --- */

/* Register the event's topic; with a row, if the event is stored. */
static int find_topic(
	struct sqlite_store *sqlite, struct transaction *all, struct store_append *append)
{
	struct topics *topics = sqlite->store.topics;
	struct topic *topic = topics_add(topics, append->topic);

	append->event.topic = topic;
	if (topic == NULL || append->event.ephemeral)
		return topic != NULL ? 0 : -1;
	if (topics_keep(topics, topic) != 0)
		return -1;
	if (topic->row > all->topics)
		all->topics = topic->row;
	all->stores = true;
	return 0;
}

static int find_topics(struct sqlite_store *sqlite, struct transaction *all, struct error *error)
{
	for (size_t i = 0; i < all->count; i++) {
		for (size_t j = 0; j < all->groups[i]->count; j++) {
			if (find_topic(sqlite, all, &all->groups[i]->appends[j]) != 0)
				return error_set(error, EX_IOERR, "out of memory for a new topic");
		}
	}
	return 0;
}

static int write_topics(struct sqlite_store *sqlite, uint32_t upto)
{
	sqlite3_stmt *statement = sqlite->statements[ADD_TOPIC];

	for (uint32_t row = sqlite->topics_stored + 1; row <= upto; row++) {
		struct topic *topic = topics_of_row(sqlite->store.topics, row);

		sqlite3_bind_int64(statement, 1, row);
		sqlite3_bind_text(statement, 2, topic->name, -1, SQLITE_STATIC);
		if (database_run(statement) != 0)
			return -1;
	}
	return 0;
}

/* Store one, unless its key is known.  *${conflict} if it is known for something else. */
static int write_append(struct sqlite_store *sqlite, struct store_append *append,
	struct transaction *all, bool *conflict)
{
	struct event *event = &append->event;
	bool keyed = append->key.len > 0 && !event->ephemeral, known = false;

	append->duplicate = false;
	event->time = all->now;
	event->position = event->ephemeral ? all->head : all->head + 1;
	if (keyed && idempotency_table_add(&sqlite->keys, append, all->now, &known) != 0)
		return -1;
	*conflict = known && !append->duplicate;
	if (known || event->ephemeral)
		return 0;
	all->head++;
	return database_add_event(sqlite->statements[ADD_EVENT], event);
}

/*
 * Store DATABASE_ROWS of them at once, if all are to be stored and none is known; else ${stored}
 * stays false, and nothing is done.
 */
static int write_rows(struct sqlite_store *sqlite, struct store_append *appends,
	struct transaction *all, bool *stored)
{
	sqlite3_stmt *statement = sqlite->statements[ADD_EVENTS];
	bool keyed = appends->key.len > 0, known = false;

	for (int i = 0; i < DATABASE_ROWS; i++) {
		struct store_append *append = &appends[i];

		if (append->event.ephemeral || (append->key.len > 0) != keyed)
			return 0;
		append->duplicate = false;
		append->event.time = all->now;
		append->event.position = all->head + 1 + (uint64_t)i;
		database_bind_event(statement, i, &append->event);
	}
	if (keyed && idempotency_table_add_rows(&sqlite->keys, appends, &known) != 0)
		return -1;
	if (known)
		return 0;
	*stored = true;
	all->head += DATABASE_ROWS;
	return database_run(statement);
}

/* Those from ${at} on, up to DATABASE_ROWS or a conflict; ${at} moves on. */
static int write_some(
	struct sqlite_store *sqlite, struct store_group *group, size_t *at, struct transaction *all)
{
	size_t end = group->count - *at > DATABASE_ROWS ? *at + DATABASE_ROWS : group->count;
	bool stored = false;

	if (end == *at + DATABASE_ROWS &&
		write_rows(sqlite, &group->appends[*at], all, &stored) != 0)
		return -1;
	if (stored)
		*at = end;
	for (; *at < end && !group->conflict; ++*at) {
		if (write_append(sqlite, &group->appends[*at], all, &group->conflict) != 0)
			return -1;
		group->conflicted = *at;
	}
	return 0;
}

/* Can a group be half written when it turns out that it cannot be? */
static bool needs_guard(const struct store_group *group)
{
	for (size_t i = 1; i < group->count; i++) {
		if (group->appends[i].key.len > 0 && !group->appends[i].event.ephemeral)
			return true;
	}
	return false;
}

static int write_group(
	struct sqlite_store *sqlite, struct store_group *group, struct transaction *all)
{
	bool guarded = needs_guard(group);
	uint64_t head = all->head;
	size_t at = 0;

	group->conflict = false;
	if (guarded && run(sqlite, GUARD) != 0)
		return -1;
	while (at < group->count && !group->conflict) {
		if (write_some(sqlite, group, &at, all) != 0)
			return -1;
	}
	if (group->conflict) {
		all->head = head;
		if (guarded && run(sqlite, UNDO) != 0)
			return -1;
	}
	return guarded ? run(sqlite, RELEASE) : 0;
}

static void count_events(struct sqlite_store *sqlite, const struct transaction *all)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct store_group *group = all->groups[i];

		for (size_t j = 0; j < group->count && !group->conflict; j++) {
			const struct store_append *append = &group->appends[j];

			if (!append->event.ephemeral && !append->duplicate)
				retention_count(sqlite->retention, &append->event);
		}
	}
}

static int remove_some(struct sqlite_store *sqlite, const struct transaction *all)
{
	int rows = (int)(2 * (all->head - sqlite->store.head)) + 16;

	if (idempotency_table_sweep(&sqlite->keys, rows, all->now) != 0)
		return -1;
	if (sqlite->retention == NULL)
		return 0;
	return retention_step(sqlite->retention, rows, false, all->head, all->now) == 0
		       ? retention_save(sqlite->retention, false, all->head)
		       : -1;
}

/* Remove about as much as was appended, and a little more: so no sync is spent on it. */
static int sweep(struct sqlite_store *sqlite, struct transaction *all)
{
	int before = sqlite3_total_changes(sqlite->db), result = remove_some(sqlite, all);

	all->swept = result != 0 || sqlite3_total_changes(sqlite->db) != before;
	return result;
}

static int write_all(struct sqlite_store *sqlite, struct transaction *all)
{
	/* Ephemeral events do not touch the database. */
	bool writes = all->stores;
	bool rests = sqlite->rest_until != 0 && sqlite->rest_until > clock_now_ms();

	all->now = clock_wall_ms();
	all->head = sqlite->store.head;
	if (writes && (begin(sqlite) != 0 || write_topics(sqlite, all->topics) != 0))
		return -1;
	for (size_t i = 0; i < all->count; i++) {
		if (write_group(sqlite, all->groups[i], all) != 0)
			return -1;
	}
	if (!writes)
		return 0;
	if (sqlite->retention != NULL)
		count_events(sqlite, all);
	if (!rests && sweep(sqlite, all) != 0)
		return -1;
	return log_thread(sqlite);
}

static int sqlite_append(
	struct store *store, struct store_group *const *groups, size_t count, struct error *error)
{
	struct sqlite_store *sqlite = (struct sqlite_store *)store;
	struct transaction all = {.groups = groups, .count = count};
	int result;

	if (find_topics(sqlite, &all, error) != 0)
		return -1;
	/* A stored event must be found again. */
	if (all.stores && sqlite_check(store, error) != 0)
		return -1;
	if (sqlite->retention != NULL && retention_begin(sqlite->retention) != 0)
		return error_set(error, EX_IOERR, "out of memory for a new topic");
	result = write_all(sqlite, &all);
	if (result != 0 && all.swept) {
		/* There may be space for the events alone. */
		rollback(sqlite);
		sqlite->rest_until = clock_now_ms() + REST_MS;
		all.swept = false;
		result = write_all(sqlite, &all);
	}
	if (result != 0) {
		database_failed(sqlite->db, "cannot store the event", error);
		rollback(sqlite);
		return -1;
	}
	if (sqlite->retention == NULL && sqlite->events >= 0)
		sqlite->events += (int64_t)(all.head - store->head);
	store->head = all.head;
	if (all.topics > sqlite->topics_stored)
		sqlite->topics_stored = all.topics;
	store_deliver(store, groups, count);
	return 0;
}

/* --- tidying --- */

/* The time from which there is something to remove. */
static int64_t due(const struct sqlite_store *sqlite, int64_t now)
{
	int64_t keys = idempotency_table_expires(&sqlite->keys);
	int64_t events =
		sqlite->retention != NULL ? retention_due(sqlite->retention, now) : INT64_MAX;

	return keys < events ? keys : events;
}

static int tidy_step(struct sqlite_store *sqlite, int64_t now)
{
	if (begin(sqlite) == 0 && idempotency_table_sweep(&sqlite->keys, TIDY_ROWS, now) == 0 &&
		(sqlite->retention == NULL || retention_step(sqlite->retention, TIDY_ROWS, true,
						      sqlite->store.head, now) == 0) &&
		log_thread(sqlite) == 0)
		return 0;
	rollback(sqlite);
	return -1;
}

/* What is due, and when to come again: 0 if there is more of it, -1 for never. */
static int64_t tidy_rows(struct sqlite_store *sqlite)
{
	int64_t now = clock_wall_ms(), then = due(sqlite, now), wait;

	if (then == INT64_MAX)
		return -1;
	if (then <= now) {
		if (tidy_step(sqlite, now) != 0)
			return REST_MS;
		then = due(sqlite, now);
		if (then <= now)
			return 0;
	}
	/* Bounded, since the clock may be set. */
	wait = then - now < 60 * TIDY_MS ? then - now : 60 * TIDY_MS;
	return wait > TIDY_MS ? wait : TIDY_MS;
}

static int64_t sqlite_tidy(struct store *store)
{
	struct sqlite_store *sqlite = (struct sqlite_store *)store;
	int64_t now = clock_now_ms(), rows, vacuum = -1;

	if (sqlite->tidy_at > now)
		return sqlite->tidy_at - now;
	rows = tidy_rows(sqlite);
	if (rows != 0 && sqlite->retention != NULL)
		vacuum = vacuum_step(&sqlite->vacuum);
	if (vacuum >= 0 && (rows < 0 || vacuum < rows))
		rows = vacuum;
	/* Publishing calls this after each batch: not each of them is worth a sync. */
	sqlite->tidy_at = rows == 0 ? 0 : now + (rows < 0 || rows > TIDY_MS ? TIDY_MS : rows);
	return rows;
}

/* --- opening and closing --- */

static struct store_reader *sqlite_reader_new(struct store *store, struct error *error)
{
	const struct sqlite_store *sqlite = (const struct sqlite_store *)store;

	return store_sqlite_reader(sqlite->path, store->topics, error);
}

/* The database's files, as far as they are there. */
static void sqlite_size(const struct store *store, int64_t *bytes, int64_t *events)
{
	const struct sqlite_store *sqlite = (const struct sqlite_store *)store;
	struct stat status;

	*events = sqlite->events;
	*bytes = 0;
	for (size_t i = 0; i < sizeof(sqlite->places) / sizeof(sqlite->places[0]); i++)
		*bytes += stat(sqlite->places[i].path, &status) == 0 ? status.st_size : 0;
}

static void sqlite_close(struct store *store)
{
	struct sqlite_store *sqlite = (struct sqlite_store *)store;

	/* Rows that were counted need not be counted again. */
	if (sqlite->retention != NULL && begin(sqlite) == 0 &&
		retention_save(sqlite->retention, true, store->head) == 0)
		log_thread(sqlite);
	retention_close(sqlite->retention);
	idempotency_table_close(&sqlite->keys);
	database_finalize(sqlite->statements, STATEMENTS);
	sqlite3_close(sqlite->db);
	if (sqlite->lock >= 0)
		close(sqlite->lock);
	identity_free(&store->identity);
	free(sqlite->places[0].path);
	free(sqlite->places[1].path);
	free(sqlite->path);
	free(sqlite);
}

static int open_database(struct sqlite_store *sqlite, struct error *error)
{
	int version = 0;

	if (sqlite3_open_v2(sqlite->path, &sqlite->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
		    NULL) != SQLITE_OK)
		return database_failed(sqlite->db, "cannot open the database", error);
	sqlite3_busy_timeout(sqlite->db, DATABASE_BUSY_MS);
	sqlite3_extended_result_codes(sqlite->db, 0);
	if (database_check(sqlite->db, sqlite->path, &version, error) != 0)
		return -1;
	/* auto_vacuum counts only before the first table. */
	if (version == 0 && database_exec(sqlite->db, sqlite->path,
				    "PRAGMA auto_vacuum=INCREMENTAL", error) != 0)
		return -1;
	/* What undoes a group alone is kept in memory: in a file it is five writes an event. */
	if (database_exec(sqlite->db, sqlite->path,
		    "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;"
		    "PRAGMA journal_size_limit=67108864;PRAGMA temp_store=MEMORY",
		    error) != 0)
		return -1;
	if (version == 0 && database_make(sqlite->db, sqlite->path, error) != 0)
		return -1;
	if (version == 1 && database_upgrade(sqlite->db, sqlite->path, error) != 0)
		return -1;
	return 0;
}

static int load(struct sqlite_store *sqlite, struct error *error)
{
	int64_t head;

	if (database_topics(sqlite->db, sqlite->path, sqlite->store.topics, error) != 0)
		return -1;
	sqlite->topics_stored = topics_kept(sqlite->store.topics);
	/* Positions are never used twice, also when all events are gone. */
	head = database_head(sqlite->db, DATABASE_VERSION);
	if (head < 0)
		return database_failed(sqlite->db, "cannot read the database's head", error);
	sqlite->store.head = (uint64_t)head;
	return 0;
}

/*
 * Begin an incarnation.  One that wrote nothing gave out no id of its own (but the first, for
 * position 0), so it need not be kept, and restarting a server often costs nothing.
 */
static int begin_incarnation(struct sqlite_store *sqlite, struct error *error)
{
	char tag[IDENTITY_TAG + 1], text[300];

	if (identity_new_tag(tag) != 0)
		return error_set(error, EX_OSERR, "the system gives no random numbers");
	snprintf(text, sizeof(text),
		"BEGIN IMMEDIATE;"
		"DELETE FROM incarnation WHERE opened = %lld"
		" AND number > (SELECT min(number) FROM incarnation);"
		"INSERT INTO incarnation(tag, opened) VALUES('%s', %lld);"
		"COMMIT",
		(long long)sqlite->store.head, tag, (long long)sqlite->store.head);
	return database_exec(sqlite->db, sqlite->path, text, error);
}

/* Positions have no holes but by removing; where something was removed it is not known. */
static int64_t stored_events(const struct sqlite_store *sqlite)
{
	bool whole = database_ask(sqlite->db, "SELECT coalesce(max(removed), 0) FROM topic") == 0;

	return whole ? (int64_t)sqlite->store.head : -1;
}

static int open_parts(
	struct sqlite_store *sqlite, const struct store_config *config, struct error *error)
{
	const struct retention_rules *retention_rules = config->retention_rules;
	static const struct retain nothing;

	if (database_prepare(sqlite->db, sql, sqlite->statements, STATEMENTS) != 0 ||
		idempotency_table_open(&sqlite->keys, sqlite->db, config->idempotency_window) != 0)
		return database_failed(sqlite->db, "cannot use the database", error);
	sqlite->vacuum.db = sqlite->db;
	sqlite->events = stored_events(sqlite);
	if (retention_rules == NULL ||
		(retention_rules->count == 0 &&
			memcmp(&retention_rules->all, &nothing, sizeof(nothing)) == 0))
		return 0;
	sqlite->retention = retention_open(sqlite->db, config->topics, retention_rules, error);
	if (sqlite->retention == NULL)
		return -1;
	sqlite->events = retention_events(sqlite->retention);
	return 0;
}

struct store *store_sqlite_open(const struct store_config *config, struct error *error)
{
	static const struct store_ops ops = {
		.name = "sqlite",
		.append = sqlite_append,
		.tidy = sqlite_tidy,
		.reader_new = sqlite_reader_new,
		.reader_free = store_sqlite_reader_free,
		.read = store_sqlite_read,
		.newest = store_sqlite_newest,
		.since = store_sqlite_since,
		.check = sqlite_check,
		.size = sqlite_size,
		.close = sqlite_close,
	};
	struct sqlite_store *sqlite = calloc(1, sizeof(*sqlite));

	if (sqlite == NULL || (sqlite->path = strdup(config->path)) == NULL) {
		free(sqlite);
		error_set(error, EX_OSERR, "out of memory for the store");
		return NULL;
	}
	sqlite->store.ops = &ops;
	sqlite->store.topics = config->topics;
	sqlite->lock = -1;
	if (database_lock(sqlite->path, &sqlite->lock, error) == 0 &&
		open_database(sqlite, error) == 0 && load(sqlite, error) == 0 &&
		begin_incarnation(sqlite, error) == 0 &&
		database_incarnations(sqlite->db, &sqlite->store.identity, error) == 0 &&
		open_parts(sqlite, config, error) == 0 &&
		note_place(&sqlite->places[0], sqlite->path, "", error) == 0 &&
		note_place(&sqlite->places[1], sqlite->path, "-wal", error) == 0)
		return &sqlite->store;
	sqlite_close(&sqlite->store);
	return NULL;
}
