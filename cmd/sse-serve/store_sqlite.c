/* SPDX-License-Identifier: MIT */
/*
 * The log in a SQLite database, the default; see store.h.  WAL with synchronous=FULL: what is
 * committed survives a power loss.  One connection writes (the log thread's), each reader has one
 * of its own, and a lock of ours on the file keeps a second server out.
 */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sysexits.h>
#include <unistd.h>

#include "store.h"

/* "SSE1": tells our databases from other programs'. */
#define APPLICATION_ID 0x53534531
/* user_version: raised with each change of the tables. */
#define TABLES_VERSION 1

/* How long a writer from outside (a sqlite3 shell) may hold us up. */
#define BUSY_MS 5000

/* Rows of the type that is the default leave it out. */
#define DEFAULT_TYPE "update"

static const char tables[] =
	"CREATE TABLE topic("
	" id INTEGER PRIMARY KEY,"
	" name TEXT NOT NULL UNIQUE,"
	" removed INTEGER NOT NULL DEFAULT 0);" /* the newest position that is gone */
	"CREATE TABLE event("
	" position INTEGER PRIMARY KEY,"
	" topic INTEGER NOT NULL,"
	" time INTEGER NOT NULL,"
	" json INTEGER NOT NULL,"
	" type TEXT,"
	" data TEXT NOT NULL);"
	"CREATE INDEX event_topic ON event(topic);"
	"CREATE TABLE incarnation("
	" number INTEGER PRIMARY KEY,"
	" tag TEXT NOT NULL UNIQUE,"
	" opened INTEGER NOT NULL);";

enum write_statement { BEGIN, COMMIT, ROLLBACK, ADD_TOPIC, ADD_EVENT, WRITE_STATEMENTS };

static const char *const write_sql[WRITE_STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[ADD_TOPIC] = "INSERT INTO topic(id, name) VALUES(?, ?)",
	[ADD_EVENT] = ("INSERT INTO event(position, topic, time, json, type, data)"
		       " VALUES(?, ?, ?, ?, ?, ?)"),
};

enum read_statement { SNAPSHOT, RELEASE, REMOVED, EVENTS, NEWEST, FROM_TIME, READ_STATEMENTS };

static const char *const read_sql[READ_STATEMENTS] = {
	[SNAPSHOT] = "BEGIN",
	[RELEASE] = "COMMIT",
	[REMOVED] = "SELECT removed FROM topic WHERE id = ?",
	[EVENTS] = "SELECT position, time, json, type, data FROM event"
		   " WHERE topic = ? AND position > ? AND position <= ? ORDER BY position",
	[NEWEST] = "SELECT position FROM event WHERE topic = ? AND position <= ?"
		   " ORDER BY position DESC LIMIT 1 OFFSET ?",
	[FROM_TIME] = "SELECT position, time FROM event WHERE position > ? AND position <= ?"
		      " ORDER BY position LIMIT 1",
};

struct sqlite_store {
	struct store store;
	char *path;
	int lock; /* the locked file; open as long as the store is */
	sqlite3 *db;
	sqlite3_stmt *statements[WRITE_STATEMENTS];
	uint32_t topics_stored; /* topics below this number have their row */
};

struct store_reader {
	sqlite3 *db;
	sqlite3_stmt *statements[READ_STATEMENTS];
};

/* Why SQLite failed, in its words and the system's. */
static int failed(sqlite3 *db, const char *doing, struct error *error)
{
	int code = sqlite3_errcode(db);
	/* Of other failures it would be an older one's. */
	int why = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN
			  ? sqlite3_system_errno(db)
			  : 0;
	bool full = code == SQLITE_FULL || why == ENOSPC || why == EDQUOT;

	if (full)
		return error_set(error, EX_IOERR, "%s: no space is left for the database", doing);
	if ((code & 0xff) == SQLITE_BUSY)
		return error_set(error, EX_TEMPFAIL,
			"%s: another program is writing to the database", doing);
	return error_set(error, EX_IOERR, "%s: %s%s%s", doing, sqlite3_errmsg(db),
		why != 0 ? ": " : "", why != 0 ? strerror(why) : "");
}

/* Run a statement that gives no rows. */
static int run(sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	sqlite3_reset(statement);
	return code == SQLITE_DONE || code == SQLITE_ROW ? 0 : -1;
}

static int prepare(sqlite3 *db, const char *const *sql, sqlite3_stmt **statements, int count)
{
	for (int i = 0; i < count; i++) {
		if (sqlite3_prepare_v3(db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &statements[i],
			    NULL) != SQLITE_OK)
			return -1;
	}
	return 0;
}

static void finalize(sqlite3_stmt **statements, int count)
{
	for (int i = 0; i < count; i++)
		sqlite3_finalize(statements[i]);
}

/* One number out of a query that gives one row. */
static int64_t ask(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	int64_t number = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return number;
}

/* --- writing --- */

static int write_topics(struct sqlite_store *sqlite, uint32_t upto)
{
	sqlite3_stmt *statement = sqlite->statements[ADD_TOPIC];

	for (uint32_t number = sqlite->topics_stored; number <= upto; number++) {
		struct topic *topic = topics_get(sqlite->store.topics, number);

		sqlite3_bind_int64(statement, 1, (int64_t)number + 1);
		sqlite3_bind_text(statement, 2, topic->name, -1, SQLITE_STATIC);
		if (run(statement) != 0)
			return -1;
	}
	return 0;
}

static int write_event(struct sqlite_store *sqlite, const struct event *event)
{
	sqlite3_stmt *statement = sqlite->statements[ADD_EVENT];
	bool default_type = event->type.len == strlen(DEFAULT_TYPE) &&
			    memcmp(event->type.data, DEFAULT_TYPE, event->type.len) == 0;

	sqlite3_bind_int64(statement, 1, (int64_t)event->position);
	sqlite3_bind_int64(statement, 2, (int64_t)event->topic->number + 1);
	sqlite3_bind_int64(statement, 3, event->time);
	sqlite3_bind_int(statement, 4, event->json);
	if (default_type)
		sqlite3_bind_null(statement, 5);
	else
		sqlite3_bind_text64(statement, 5, event->type.data, event->type.len, SQLITE_STATIC,
			SQLITE_UTF8);
	sqlite3_bind_text64(
		statement, 6, event->data.data, event->data.len, SQLITE_STATIC, SQLITE_UTF8);
	return run(statement);
}

/* Number the batch's events from the head on. */
static int number_batch(struct store *store, struct store_append *const *batch, size_t count,
	uint64_t *head, uint32_t *topics, struct error *error)
{
	int64_t now = store_now();

	*head = store->head;
	*topics = 0;
	for (size_t i = 0; i < count; i++) {
		struct event *event = &batch[i]->event;

		event->topic = topics_add(store->topics, batch[i]->topic);
		if (event->topic == NULL)
			return error_set(error, EX_IOERR, "out of memory for a new topic");
		if (event->topic->number >= *topics)
			*topics = event->topic->number + 1;
		event->time = now;
		event->position = event->ephemeral ? *head : ++*head;
	}
	return 0;
}

static int write_batch(struct sqlite_store *sqlite, struct store_append *const *batch, size_t count,
	uint32_t topics)
{
	if (run(sqlite->statements[BEGIN]) != 0)
		return -1;
	if (topics > sqlite->topics_stored && write_topics(sqlite, topics - 1) != 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (!batch[i]->event.ephemeral && write_event(sqlite, &batch[i]->event) != 0)
			return -1;
	}
	return run(sqlite->statements[COMMIT]);
}

static int sqlite_append(
	struct store *store, struct store_append *const *batch, size_t count, struct error *error)
{
	struct sqlite_store *sqlite = (struct sqlite_store *)store;
	uint64_t head;
	uint32_t topics;

	if (number_batch(store, batch, count, &head, &topics, error) != 0)
		return -1;
	if ((head > store->head || topics > sqlite->topics_stored) &&
		write_batch(sqlite, batch, count, topics) != 0) {
		failed(sqlite->db, "cannot store the event", error);
		if (!sqlite3_get_autocommit(sqlite->db))
			run(sqlite->statements[ROLLBACK]);
		return -1;
	}
	store->head = head;
	if (topics > sqlite->topics_stored)
		sqlite->topics_stored = topics;
	store_deliver(store, batch, count);
	return 0;
}

/* --- reading --- */

static void sqlite_reader_free(struct store_reader *reader)
{
	if (reader == NULL)
		return;
	finalize(reader->statements, READ_STATEMENTS);
	sqlite3_close(reader->db);
	free(reader);
}

static struct store_reader *sqlite_reader_new(struct store *store, struct error *error)
{
	const struct sqlite_store *sqlite = (const struct sqlite_store *)store;
	struct store_reader *reader = calloc(1, sizeof(*reader));

	if (reader == NULL) {
		error_set(error, EX_OSERR, "out of memory for a reader");
		return NULL;
	}
	if (sqlite3_open_v2(sqlite->path, &reader->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
		    NULL) != SQLITE_OK ||
		sqlite3_exec(reader->db, "PRAGMA query_only=1", NULL, NULL, NULL) != SQLITE_OK ||
		prepare(reader->db, read_sql, reader->statements, READ_STATEMENTS) != 0) {
		failed(reader->db, "cannot open the database for reading", error);
		sqlite_reader_free(reader);
		return NULL;
	}
	sqlite3_busy_timeout(reader->db, BUSY_MS);
	return reader;
}

static struct sse_text column_text(sqlite3_stmt *statement, int column)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);

	/* The bytes after the text: SQLite counts them for the form it was last given in. */
	return (struct sse_text){text ? text : "", (size_t)sqlite3_column_bytes(statement, column)};
}

static int visit_events(struct store_reader *reader, const struct store_query *query,
	store_visit visit, void *context)
{
	sqlite3_stmt *statement = reader->statements[EVENTS];
	bool go_on = true;
	int code;

	sqlite3_bind_int64(statement, 1, (int64_t)query->topic->number + 1);
	sqlite3_bind_int64(statement, 2, (int64_t)query->after);
	sqlite3_bind_int64(statement, 3, (int64_t)query->upto);
	while ((code = sqlite3_step(statement)) == SQLITE_ROW && go_on) {
		struct event event = {.topic = (struct topic *)query->topic,
			.position = (uint64_t)sqlite3_column_int64(statement, 0),
			.time = sqlite3_column_int64(statement, 1),
			.json = sqlite3_column_int(statement, 2) != 0,
			.type = {DEFAULT_TYPE, strlen(DEFAULT_TYPE)},
			.data = column_text(statement, 4)};

		if (sqlite3_column_type(statement, 3) != SQLITE_NULL)
			event.type = column_text(statement, 3);
		go_on = visit(context, &event);
	}
	sqlite3_reset(statement);
	return code == SQLITE_DONE || code == SQLITE_ROW ? 0 : -1;
}

static int read_removed(struct store_reader *reader, struct store_query *query)
{
	sqlite3_stmt *statement = reader->statements[REMOVED];
	int code;

	sqlite3_bind_int64(statement, 1, (int64_t)query->topic->number + 1);
	code = sqlite3_step(statement);
	query->removed = code == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
	sqlite3_reset(statement);
	return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : -1;
}

static int sqlite_read(struct store_reader *reader, struct store_query *query, store_visit visit,
	void *context, struct error *error)
{
	int result = 0;

	if (run(reader->statements[SNAPSHOT]) != 0 || read_removed(reader, query) != 0 ||
		visit_events(reader, query, visit, context) != 0)
		result = failed(reader->db, "cannot read the log", error);
	/* No snapshot outlives a chunk, or the WAL would grow. */
	if (!sqlite3_get_autocommit(reader->db))
		run(reader->statements[RELEASE]);
	return result;
}

static int sqlite_newest(struct store_reader *reader, const struct topic *topic, uint64_t upto,
	uint64_t count, uint64_t *after, struct error *error)
{
	sqlite3_stmt *statement = reader->statements[NEWEST];
	int code;

	sqlite3_bind_int64(statement, 1, (int64_t)topic->number + 1);
	sqlite3_bind_int64(statement, 2, (int64_t)upto);
	sqlite3_bind_int64(statement, 3, (int64_t)count);
	code = sqlite3_step(statement);
	*after = code == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
	sqlite3_reset(statement);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return failed(reader->db, "cannot read the log", error);
	return 0;
}

/*
 * By halving: times grow with positions, but for a clock that was set back, where any of the
 * places that it could mean will do.
 */
static int sqlite_since(struct store_reader *reader, int64_t time, uint64_t upto, uint64_t *after,
	struct error *error)
{
	sqlite3_stmt *statement = reader->statements[FROM_TIME];
	uint64_t low = 0, high = upto; /* all up to low are older; what is after high is not */
	int code;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		sqlite3_bind_int64(statement, 1, (int64_t)middle);
		sqlite3_bind_int64(statement, 2, (int64_t)high);
		code = sqlite3_step(statement);
		if (code == SQLITE_ROW && sqlite3_column_int64(statement, 1) < time)
			low = (uint64_t)sqlite3_column_int64(statement, 0);
		else
			high = middle;
		sqlite3_reset(statement);
		if (code != SQLITE_ROW && code != SQLITE_DONE)
			return failed(reader->db, "cannot read the log", error);
	}
	*after = low;
	return 0;
}

/* --- opening and closing --- */

static void sqlite_close(struct store *store)
{
	struct sqlite_store *sqlite = (struct sqlite_store *)store;

	finalize(sqlite->statements, WRITE_STATEMENTS);
	sqlite3_close(sqlite->db);
	/* After SQLite's: to close any descriptor of the file would drop SQLite's own locks. */
	if (sqlite->lock >= 0)
		close(sqlite->lock);
	identity_free(&store->identity);
	free(sqlite->path);
	free(sqlite);
}

static int lock_file(struct sqlite_store *sqlite, struct error *error)
{
	sqlite->lock = open(sqlite->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (sqlite->lock < 0)
		return error_set(error, EX_CANTCREAT,
			"cannot open the database %s: %s; --db names another file", sqlite->path,
			strerror(errno));
	if (flock(sqlite->lock, LOCK_EX | LOCK_NB) != 0)
		return error_set(error, errno == EWOULDBLOCK ? EX_TEMPFAIL : EX_CANTCREAT,
			"the database %s is in use by another sse-serve; stop that one, or give "
			"--db another file",
			sqlite->path);
	return 0;
}

/* Is it ours, and of a version that we know? */
static int check_kind(struct sqlite_store *sqlite, bool *fresh, struct error *error)
{
	int64_t application = ask(sqlite->db, "PRAGMA application_id"), version;
	int code = sqlite3_errcode(sqlite->db) & 0xff;

	/* That it cannot be read says nothing of whose it is. */
	if (code == SQLITE_CANTOPEN || code == SQLITE_READONLY)
		return error_set(error, EX_CANTCREAT,
			"cannot use the database %s: the folder that it is in must be writable",
			sqlite->path);
	if (code == SQLITE_BUSY)
		return failed(sqlite->db, "cannot use the database", error);
	version = ask(sqlite->db, "PRAGMA user_version");
	*fresh = ask(sqlite->db, "SELECT count(*) FROM sqlite_schema") == 0;
	if (sqlite3_errcode(sqlite->db) == SQLITE_NOTADB ||
		(!*fresh && application != APPLICATION_ID))
		return error_set(error, EX_DATAERR,
			"%s is not a database of sse-serve; --db names another file", sqlite->path);
	if (version > TABLES_VERSION)
		return error_set(error, EX_DATAERR,
			"the database %s is of a newer sse-serve (version %d; this one knows %d): "
			"upgrade sse-serve",
			sqlite->path, (int)version, TABLES_VERSION);
	return 0;
}

static int exec(struct sqlite_store *sqlite, const char *sql, struct error *error)
{
	char doing[300];

	if (sqlite3_exec(sqlite->db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	snprintf(doing, sizeof(doing), "cannot use the database %s", sqlite->path);
	failed(sqlite->db, doing, error);
	if (!sqlite3_get_autocommit(sqlite->db))
		sqlite3_exec(sqlite->db, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

static int make_tables(struct sqlite_store *sqlite, struct error *error)
{
	char sql[sizeof(tables) + 200];

	snprintf(sql, sizeof(sql), "BEGIN;%sPRAGMA application_id=%d;PRAGMA user_version=%d;COMMIT",
		tables, APPLICATION_ID, TABLES_VERSION);
	return exec(sqlite, sql, error);
}

static int open_database(struct sqlite_store *sqlite, struct error *error)
{
	bool fresh = false;

	if (sqlite3_open_v2(sqlite->path, &sqlite->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
		    NULL) != SQLITE_OK)
		return failed(sqlite->db, "cannot open the database", error);
	sqlite3_busy_timeout(sqlite->db, BUSY_MS);
	sqlite3_extended_result_codes(sqlite->db, 0);
	if (check_kind(sqlite, &fresh, error) != 0)
		return -1;
	/* auto_vacuum counts only before the first table. */
	if (fresh && exec(sqlite, "PRAGMA auto_vacuum=INCREMENTAL", error) != 0)
		return -1;
	if (exec(sqlite,
		    "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;"
		    "PRAGMA journal_size_limit=67108864",
		    error) != 0)
		return -1;
	if (fresh && make_tables(sqlite, error) != 0)
		return -1;
	if (prepare(sqlite->db, write_sql, sqlite->statements, WRITE_STATEMENTS) != 0)
		return failed(sqlite->db, "cannot use the database", error);
	return 0;
}

static int load_topics(struct sqlite_store *sqlite, struct error *error)
{
	sqlite3_stmt *rows = NULL;
	int result = 0, code;

	if (sqlite3_prepare_v2(sqlite->db, "SELECT id, name, removed FROM topic ORDER BY id", -1,
		    &rows, NULL) != SQLITE_OK)
		return failed(sqlite->db, "cannot read the database's topics", error);
	while ((code = sqlite3_step(rows)) == SQLITE_ROW && result == 0) {
		struct topic *topic = topics_add(sqlite->store.topics, column_text(rows, 1).data);

		if (topic == NULL || topic->number + 1 != sqlite3_column_int64(rows, 0)) {
			result = error_set(error, EX_DATAERR,
				"the topics of the database %s are not numbered in a row: it was "
				"changed by another program",
				sqlite->path);
			break;
		}
		topic->removed = (uint64_t)sqlite3_column_int64(rows, 2);
		sqlite->topics_stored = topic->number + 1;
	}
	if (result == 0 && code != SQLITE_DONE)
		result = failed(sqlite->db, "cannot read the database's topics", error);
	sqlite3_finalize(rows);
	return result;
}

static int load_incarnations(struct sqlite_store *sqlite, struct error *error)
{
	sqlite3_stmt *rows = NULL;
	int result = 0, code = SQLITE_ERROR;

	if (sqlite3_prepare_v2(sqlite->db, "SELECT tag, opened FROM incarnation ORDER BY number",
		    -1, &rows, NULL) == SQLITE_OK) {
		while ((code = sqlite3_step(rows)) == SQLITE_ROW && result == 0)
			result = identity_add(&sqlite->store.identity, column_text(rows, 0).data,
				(uint64_t)sqlite3_column_int64(rows, 1));
	}
	if (result != 0 || code != SQLITE_DONE)
		result = failed(sqlite->db, "cannot read the database's incarnations", error);
	sqlite3_finalize(rows);
	return result;
}

/*
 * Begin an incarnation.  One that wrote nothing gave out no id of its own (but the first, for
 * position 0), so it need not be kept, and restarting a server often costs nothing.
 */
static int begin_incarnation(struct sqlite_store *sqlite, struct error *error)
{
	char tag[IDENTITY_TAG + 1], sql[300];

	if (identity_new_tag(tag) != 0)
		return error_set(error, EX_OSERR, "the system gives no random numbers");
	snprintf(sql, sizeof(sql),
		"BEGIN IMMEDIATE;"
		"DELETE FROM incarnation WHERE opened = %lld"
		" AND number > (SELECT min(number) FROM incarnation);"
		"INSERT INTO incarnation(tag, opened) VALUES('%s', %lld);"
		"COMMIT",
		(long long)sqlite->store.head, tag, (long long)sqlite->store.head);
	return exec(sqlite, sql, error);
}

struct store *store_sqlite_open(const struct store_config *config, struct error *error)
{
	static const struct store_ops ops = {
		.name = "sqlite",
		.append = sqlite_append,
		.reader_new = sqlite_reader_new,
		.reader_free = sqlite_reader_free,
		.read = sqlite_read,
		.newest = sqlite_newest,
		.since = sqlite_since,
		.close = sqlite_close,
	};
	struct sqlite_store *sqlite = calloc(1, sizeof(*sqlite));
	int64_t head;

	if (sqlite == NULL || (sqlite->path = strdup(config->path)) == NULL) {
		free(sqlite);
		error_set(error, EX_OSERR, "out of memory for the store");
		return NULL;
	}
	sqlite->store.ops = &ops;
	sqlite->store.topics = config->topics;
	sqlite->lock = -1;
	if (lock_file(sqlite, error) != 0 || open_database(sqlite, error) != 0 ||
		load_topics(sqlite, error) != 0)
		goto err;
	/* Positions are never used twice, also when all events are gone. */
	head = ask(sqlite->db, "SELECT max(coalesce((SELECT max(position) FROM event), 0),"
			       " coalesce((SELECT max(removed) FROM topic), 0),"
			       " coalesce((SELECT max(opened) FROM incarnation), 0))");
	if (head < 0) {
		failed(sqlite->db, "cannot read the database's head", error);
		goto err;
	}
	sqlite->store.head = (uint64_t)head;
	if (begin_incarnation(sqlite, error) != 0 || load_incarnations(sqlite, error) != 0)
		goto err;
	return &sqlite->store;

err:
	sqlite_close(&sqlite->store);
	return NULL;
}
