/* SPDX-License-Identifier: MIT */
/* The database file; see database.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "database.h"

/* "SSE1": tells our databases from other programs'. */
#define APPLICATION_ID 0x53534531

#define TABLES_1                                                                                   \
	"CREATE TABLE topic("                                                                      \
	" id INTEGER PRIMARY KEY,"                                                                 \
	" name TEXT NOT NULL UNIQUE,"                                                              \
	" removed INTEGER NOT NULL DEFAULT 0);" /* the newest position that is gone */             \
	"CREATE TABLE event("                                                                      \
	" position INTEGER PRIMARY KEY,"                                                           \
	" topic INTEGER NOT NULL,"                                                                 \
	" time INTEGER NOT NULL,"                                                                  \
	" json INTEGER NOT NULL,"                                                                  \
	" type TEXT,"                                                                              \
	" data TEXT NOT NULL);"                                                                    \
	"CREATE INDEX event_topic ON event(topic);"                                                \
	"CREATE TABLE incarnation("                                                                \
	" number INTEGER PRIMARY KEY,"                                                             \
	" tag TEXT NOT NULL UNIQUE,"                                                               \
	" opened INTEGER NOT NULL);"

/*
 * publish_key: what was published under a key, and as which event (which may be gone by now).
 * counter: what a topic holds up to a position, see retention.c; topic 0: how far all are counted.
 */
#define TABLES_2                                                                                   \
	"CREATE TABLE publish_key("                                                                \
	" position INTEGER PRIMARY KEY,"                                                           \
	" topic INTEGER NOT NULL,"                                                                 \
	" key TEXT NOT NULL,"                                                                      \
	" fingerprint INTEGER NOT NULL,"                                                           \
	" time INTEGER NOT NULL,"                                                                  \
	" UNIQUE(topic, key));"                                                                    \
	"CREATE TABLE counter("                                                                    \
	" topic INTEGER PRIMARY KEY,"                                                              \
	" events INTEGER NOT NULL,"                                                                \
	" bytes INTEGER NOT NULL,"                                                                 \
	" upto INTEGER NOT NULL);"

/*
 * superseded: by a newer event of the same subject.  erased: see struct topic.  A database of version
 * 2 gets the columns at the end of its tables, where a new one has them too.
 */
#define TABLES_3                                                                                   \
	"ALTER TABLE topic ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0;"                         \
	"ALTER TABLE topic ADD COLUMN superseded INTEGER NOT NULL DEFAULT 0;"                      \
	"ALTER TABLE topic ADD COLUMN closed INTEGER NOT NULL DEFAULT 0;"                          \
	"ALTER TABLE topic ADD COLUMN erased INTEGER NOT NULL DEFAULT 0;"                          \
	"ALTER TABLE event ADD COLUMN subject TEXT;"                                               \
	"CREATE INDEX event_subject ON event(topic, subject, position)"                            \
	" WHERE subject IS NOT NULL;"

void database_set_up(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/* Does the path still lead to the file that was opened?  An import replaces it. */
static bool is_still_there(const char *path, int fd)
{
	struct stat there, opened;

	return stat(path, &there) == 0 && fstat(fd, &opened) == 0 &&
	       there.st_dev == opened.st_dev && there.st_ino == opened.st_ino;
}

int database_lock(const char *path, int *lock, struct error *error)
{
	*lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*lock < 0)
		return error_set(error, EX_CANTCREAT,
			"cannot open the database %s: %s; choose another file with --db FILE", path,
			strerror(errno));
	if (flock(*lock, LOCK_EX | LOCK_NB) == 0) {
		if (is_still_there(path, *lock))
			return 0;
		errno = EWOULDBLOCK;
	}
	error_set(error, errno == EWOULDBLOCK ? EX_TEMPFAIL : EX_CANTCREAT,
		"the database %s is in use by another sse-serve; stop that one, or choose "
		"another file with --db FILE",
		path);
	close(*lock);
	*lock = -1;
	return -1;
}

int database_check(sqlite3 *db, const char *path, int *version, struct error *error)
{
	int64_t application = database_ask(db, "PRAGMA application_id"), tables, number;
	int code = sqlite3_errcode(db) & 0xff;

	/* That it cannot be read says nothing of whose it is. */
	if (code == SQLITE_CANTOPEN || code == SQLITE_READONLY)
		return error_set(error, EX_CANTCREAT,
			"cannot use the database %s: its folder must be writable", path);
	if (code == SQLITE_BUSY)
		return database_failed(db, "cannot use the database", error);
	number = database_ask(db, "PRAGMA user_version");
	tables = database_ask(db, "SELECT count(*) FROM sqlite_schema");
	if (sqlite3_errcode(db) == SQLITE_NOTADB || (tables != 0 && application != APPLICATION_ID))
		return error_set(error, EX_DATAERR,
			"%s is not a database of sse-serve; choose another file with --db FILE",
			path);
	if (number > DATABASE_VERSION)
		return error_set(error, EX_DATAERR,
			"the database %s is of a newer sse-serve (version %d; this one knows %d): "
			"upgrade sse-serve",
			path, (int)number, DATABASE_VERSION);
	*version = tables == 0 ? 0 : (int)number;
	return 0;
}

int database_make(sqlite3 *db, const char *path, struct error *error)
{
	char sql[sizeof(TABLES_1 TABLES_2 TABLES_3) + 200];

	snprintf(sql, sizeof(sql), "BEGIN;%sPRAGMA application_id=%d;PRAGMA user_version=%d;COMMIT",
		TABLES_1 TABLES_2 TABLES_3, APPLICATION_ID, DATABASE_VERSION);
	return database_exec(db, path, sql, error);
}

int database_upgrade(sqlite3 *db, const char *path, int version, struct error *error)
{
	char sql[sizeof(TABLES_2 TABLES_3) + 100];

	snprintf(sql, sizeof(sql), "BEGIN IMMEDIATE;%s%sPRAGMA user_version=%d;COMMIT",
		version < 2 ? TABLES_2 : "", TABLES_3, DATABASE_VERSION);
	return database_exec(db, path, sql, error);
}

int database_topics(
	sqlite3 *db, const char *path, int version, struct topics *topics, struct error *error)
{
	sqlite3_stmt *rows = NULL;
	int result = 0, code;

	if (sqlite3_prepare_v2(db, DATABASE_ALL_TOPICS(version), -1, &rows, NULL) != SQLITE_OK)
		return database_failed(db, "cannot read the database's topics", error);
	while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
		struct topic *topic = topics_add(topics, database_text(rows, 1).data);

		if (topic == NULL || topics_keep(topics, topic) != 0 ||
			topic->row != sqlite3_column_int64(rows, 0)) {
			result = error_set(error, EX_DATAERR,
				"the topics of the database %s are not numbered consecutively: it was "
				"changed by another program",
				path);
			break;
		}
		topic->removed = (uint64_t)sqlite3_column_int64(rows, 2);
		topic->deleted = (uint64_t)sqlite3_column_int64(rows, 3);
		topic->superseded = (uint64_t)sqlite3_column_int64(rows, 4);
		topic->closed = (uint64_t)sqlite3_column_int64(rows, 5);
		topic->erased = (uint64_t)sqlite3_column_int64(rows, 6);
	}
	if (result == 0 && code != SQLITE_DONE)
		result = database_failed(db, "cannot read the database's topics", error);
	sqlite3_finalize(rows);
	return result;
}

int database_incarnations(sqlite3 *db, struct identity *identity, struct error *error)
{
	sqlite3_stmt *rows = NULL;
	int result = 0, code = SQLITE_ERROR;

	if (sqlite3_prepare_v2(db, "SELECT tag, opened FROM incarnation ORDER BY number", -1, &rows,
		    NULL) == SQLITE_OK) {
		while ((code = sqlite3_step(rows)) == SQLITE_ROW && result == 0)
			result = identity_add(identity, database_text(rows, 0).data,
				(uint64_t)sqlite3_column_int64(rows, 1));
	}
	if (result != 0 || code != SQLITE_DONE)
		result = database_failed(db, "cannot read the database's incarnations", error);
	sqlite3_finalize(rows);
	return result;
}

int64_t database_head(sqlite3 *db, int version)
{
	static const char *const newest[] = {
		"SELECT max(coalesce((SELECT max(position) FROM event), 0),"
		" coalesce((SELECT max(removed) FROM topic), 0),"
		" coalesce((SELECT max(opened) FROM incarnation), 0))",
		"SELECT coalesce(max(position), 0) FROM publish_key",
		"SELECT coalesce(max(max(deleted, superseded, closed, erased)), 0) FROM topic",
	};
	int64_t head = 0;

	/* Each version added one. */
	for (int i = 0; i < version; i++) {
		int64_t position = database_ask(db, newest[i]);

		if (position < 0)
			return -1;
		head = position > head ? position : head;
	}
	return head;
}

/* "file:PATH", with what has a meaning in a URI escaped.  The caller frees it. */
static char *uri_of(const char *path, const char *query)
{
	char *uri = malloc(3 * strlen(path) + strlen(query) + 6), *out = uri;

	if (uri == NULL)
		return NULL;
	out += sprintf(out, "file:");
	for (; *path != '\0'; path++) {
		if (strchr("?#%", *path) != NULL)
			out += sprintf(out, "%%%02X", (unsigned char)*path);
		else
			*out++ = *path;
	}
	strcpy(out, query);
	return uri;
}

static bool has_wal(const char *path)
{
	struct stat status;
	char *name = NULL;
	bool has = asprintf(&name, "%s-wal", path) < 0 ||
		   (stat(name, &status) == 0 && status.st_size > 0);

	free(name);
	return has;
}

int database_read(const char *path, bool alone, sqlite3 **db, int *version, struct error *error)
{
	/* Without a WAL nothing beside the file is looked at, let alone made. */
	char *uri = uri_of(path, !alone ? "" : has_wal(path) ? "?mode=ro" : "?immutable=1");
	int code = SQLITE_NOMEM;

	if (access(path, R_OK) != 0) {
		free(uri);
		return error_set(error, EX_NOINPUT, "cannot read the database %s: %s", path,
			strerror(errno));
	}
	if (uri != NULL)
		code = sqlite3_open_v2(uri, db,
			SQLITE_OPEN_URI | (alone ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE),
			NULL);
	free(uri);
	if (code != SQLITE_OK)
		return database_failed(*db, "cannot open the database", error);
	sqlite3_busy_timeout(*db, DATABASE_BUSY_MS);
	if (database_check(*db, path, version, error) != 0 ||
		database_exec(*db, path, "PRAGMA query_only=1", error) != 0)
		return -1;
	if (*version == 0)
		return error_set(error, EX_NOINPUT, "the database %s is empty", path);
	return 0;
}

int database_failed(sqlite3 *db, const char *doing, struct error *error)
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

int database_exec(sqlite3 *db, const char *path, const char *sql, struct error *error)
{
	char doing[300];

	if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	snprintf(doing, sizeof(doing), "cannot use the database %s", path);
	database_failed(db, doing, error);
	if (!sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

int64_t database_ask(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	int64_t number = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return number;
}

int database_prepare(sqlite3 *db, const char *const *sql, sqlite3_stmt **statements, int count)
{
	for (int i = 0; i < count; i++) {
		if (sqlite3_prepare_v3(db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &statements[i],
			    NULL) != SQLITE_OK)
			return -1;
	}
	return 0;
}

void database_finalize(sqlite3_stmt **statements, int count)
{
	for (int i = 0; i < count; i++)
		sqlite3_finalize(statements[i]);
}

int database_run(sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	sqlite3_reset(statement);
	return code == SQLITE_DONE || code == SQLITE_ROW ? 0 : -1;
}

struct sse_text database_text(sqlite3_stmt *statement, int column)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);

	/* The bytes after the text: SQLite counts them for the form it was last given in. */
	return (struct sse_text){text ? text : "", (size_t)sqlite3_column_bytes(statement, column)};
}

void database_event(sqlite3_stmt *row, struct event *event)
{
	*event = (struct event){.position = (uint64_t)sqlite3_column_int64(row, 0),
		.time = sqlite3_column_int64(row, 2),
		.json = sqlite3_column_int(row, 3) != 0,
		.type = {DATABASE_DEFAULT_TYPE, strlen(DATABASE_DEFAULT_TYPE)},
		.data = database_text(row, 5),
		.subject = database_text(row, 6)};
	if (sqlite3_column_type(row, 4) != SQLITE_NULL)
		event->type = database_text(row, 4);
}

uint32_t database_event_topic(sqlite3_stmt *row)
{
	return (uint32_t)sqlite3_column_int64(row, 1);
}

void database_bind_event(sqlite3_stmt *statement, int row, const struct event *event)
{
	int first = row * DATABASE_EVENT_COLUMNS;
	bool default_type = event->type.len == strlen(DATABASE_DEFAULT_TYPE) &&
			    memcmp(event->type.data, DATABASE_DEFAULT_TYPE, event->type.len) == 0;

	sqlite3_bind_int64(statement, first + 1, (int64_t)event->position);
	sqlite3_bind_int64(statement, first + 2, topic_row(event->topic));
	sqlite3_bind_int64(statement, first + 3, event->time);
	sqlite3_bind_int(statement, first + 4, event->json);
	if (default_type)
		sqlite3_bind_null(statement, first + 5);
	else
		sqlite3_bind_text64(statement, first + 5, event->type.data, event->type.len,
			SQLITE_STATIC, SQLITE_UTF8);
	sqlite3_bind_text64(statement, first + 6, event->data.data, event->data.len, SQLITE_STATIC,
		SQLITE_UTF8);
	if (event->subject.len == 0)
		sqlite3_bind_null(statement, first + 7);
	else
		sqlite3_bind_text64(statement, first + 7, event->subject.data, event->subject.len,
			SQLITE_STATIC, SQLITE_UTF8);
}

int database_add_event(sqlite3_stmt *statement, const struct event *event)
{
	database_bind_event(statement, 0, event);
	return database_run(statement);
}
