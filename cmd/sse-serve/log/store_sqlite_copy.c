/* SPDX-License-Identifier: MIT */
/* A copy of a shared log in a SQLite database; see store_sqlite_copy.h. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "database.h"
#include "store_sqlite_copy.h"

/* Events that a step of a deletion deletes. */
#define STEP_ROWS "1000"

/* A database that is no copy does not have it. */
#define TABLE                                                                                      \
	"CREATE TABLE IF NOT EXISTS copy("                                                         \
	" id INTEGER PRIMARY KEY CHECK (id = 1),"                                                  \
	" sequence INTEGER NOT NULL,"                                                              \
	" time INTEGER NOT NULL,"                                                                  \
	" head INTEGER NOT NULL);"

static int prepare(struct sqlite_store *sqlite)
{
	static const char *const sql[COPY_STATEMENTS] = {
		[COPY_NOTE] = "INSERT OR REPLACE INTO copy(id, sequence, time, head)"
			      " VALUES(1, ?, ?, ?)",
		[COPY_REACH] = "SELECT position FROM event WHERE topic = ? AND position > ?"
			       " ORDER BY position LIMIT 1 OFFSET " STEP_ROWS,
	};

	return database_prepare(sqlite->db, sql, sqlite->copy.statements, COPY_STATEMENTS);
}

/* An empty database becomes a copy, with the one incarnation that the shared log has. */
static int make_copy(struct sqlite_store *sqlite, const char *tag, struct error *error)
{
	char text[sizeof(TABLE) + 200];

	if (database_ask(sqlite->db, "SELECT count(*) FROM incarnation") > 0)
		return 0;
	snprintf(text, sizeof(text),
		"BEGIN IMMEDIATE;%sINSERT INTO copy VALUES(1, 0, 0, 0);"
		"INSERT INTO incarnation(tag, opened) VALUES('%s', 0);COMMIT",
		TABLE, tag);
	return database_exec(sqlite->db, sqlite->path, text, error);
}

static int check_tag(sqlite3 *db, const char *path, const char *tag, struct error *error)
{
	sqlite3_stmt *row = NULL;
	bool same = false;

	if (sqlite3_prepare_v2(db, "SELECT tag FROM incarnation ORDER BY number DESC LIMIT 1", -1,
		    &row, NULL) == SQLITE_OK &&
		sqlite3_step(row) == SQLITE_ROW)
		same = strcmp(database_text(row, 0).data, tag) == 0;
	sqlite3_finalize(row);
	if (same && database_ask(db, "SELECT count(*) FROM copy") == 1)
		return 0;
	return error_set(error, EX_DATAERR,
		"the database %s is not a copy of the log that --store names: give --db another "
		"file, or remove this one if it is not needed",
		path);
}

int store_sqlite_copy_open(struct sqlite_store *sqlite, const char *tag, struct error *error)
{
	struct sqlite_copy *copy = &sqlite->copy;

	if (make_copy(sqlite, tag, error) != 0 ||
		check_tag(sqlite->db, sqlite->path, tag, error) != 0)
		return -1;
	/* What a power cut takes from it is in the shared log. */
	if (database_exec(sqlite->db, sqlite->path, "PRAGMA synchronous=NORMAL", error) != 0)
		return -1;
	if (prepare(sqlite) != 0)
		return database_failed(sqlite->db, "cannot use the database", error);
	copy->is = true;
	copy->sequence = (uint64_t)database_ask(sqlite->db, "SELECT sequence FROM copy");
	copy->time = database_ask(sqlite->db, "SELECT time FROM copy");
	sqlite->store.head = (uint64_t)database_ask(sqlite->db, "SELECT head FROM copy");
	return 0;
}

static int open_file(const char *path, sqlite3 **db, int *version, struct error *error)
{
	if (sqlite3_open_v2(path, db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		return database_failed(*db, "cannot open the database", error);
	sqlite3_busy_timeout(*db, DATABASE_BUSY_MS);
	return database_check(*db, path, version, error);
}

/* Of any log, if ${tag} is NULL. */
static int read_sequence(const char *path, const char *tag, uint64_t *sequence, struct error *error)
{
	sqlite3 *db = NULL;
	int version = 0, result = open_file(path, &db, &version, error);
	int64_t number = -1;

	*sequence = 0;
	if (result == 0 && version > 0 && tag != NULL)
		result = check_tag(db, path, tag, error);
	if (result == 0 && version > 0) {
		number = database_ask(db, "SELECT sequence FROM copy");
		*sequence = (uint64_t)number;
		if (number < 0)
			result = database_failed(db, "cannot read the database", error);
	}
	sqlite3_close(db);
	return result;
}

int store_sqlite_copy_peek(
	const char *path, const char *tag, uint64_t *sequence, struct error *error)
{
	return read_sequence(path, tag, sequence, error);
}

int store_sqlite_copy_sequence(const char *path, uint64_t *sequence, struct error *error)
{
	return read_sequence(path, NULL, sequence, error);
}

int store_sqlite_copy_adopt(
	const char *path, const char *tag, uint64_t sequence, struct error *error)
{
	sqlite3 *db = NULL;
	int version = 0, result = open_file(path, &db, &version, error);
	long long head = result == 0 ? (long long)database_head(db, version) : -1;
	char text[sizeof(TABLE) + 300];

	if (result == 0 && head < 0)
		result = database_failed(db, "cannot read the database's head", error);
	snprintf(text, sizeof(text),
		"BEGIN IMMEDIATE;" TABLE "DELETE FROM copy;"
		"INSERT INTO copy VALUES(1, %llu,"
		" (SELECT coalesce(max(time), 0) FROM event), %lld);"
		"INSERT INTO incarnation(tag, opened) VALUES('%s', %lld);COMMIT",
		(unsigned long long)sequence, head, tag, head);
	if (result == 0)
		result = database_exec(db, path, text, error);
	sqlite3_close(db);
	return result;
}

int store_sqlite_copy_note(struct sqlite_store *sqlite, uint64_t head)
{
	sqlite3_stmt *note = sqlite->copy.statements[COPY_NOTE];

	if (!sqlite->copy.is)
		return 0;
	sqlite3_bind_int64(note, 1, (int64_t)sqlite->copy.sequence);
	sqlite3_bind_int64(note, 2, sqlite->copy.time);
	sqlite3_bind_int64(note, 3, (int64_t)head);
	return database_run(note);
}

void store_sqlite_copy_close(struct sqlite_store *sqlite)
{
	database_finalize(sqlite->copy.statements, COPY_STATEMENTS);
}

struct sqlite_copy *store_sqlite_copy_state(struct store *store)
{
	return &((struct sqlite_store *)store)->copy;
}

int store_sqlite_copy_reach(
	struct store *store, const struct store_deletion *deletion, uint64_t *upto)
{
	struct sqlite_store *sqlite = (struct sqlite_store *)store;
	sqlite3_stmt *row = sqlite->copy.statements[COPY_REACH];
	int code;

	sqlite3_bind_int64(row, 1, topic_row(deletion->topic));
	sqlite3_bind_int64(row, 2, (int64_t)deletion->after);
	code = sqlite3_step(row);
	*upto = deletion->upto;
	if (code == SQLITE_ROW && (uint64_t)sqlite3_column_int64(row, 0) < deletion->upto)
		*upto = (uint64_t)sqlite3_column_int64(row, 0);
	sqlite3_reset(row);
	return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : -1;
}

/* In a transaction.  Return 0, or -1 if SQLite fails. */
static int erase_all(struct sqlite_store *sqlite, struct store_deletion *deletion)
{
	uint64_t after = deletion->after, head = sqlite->store.head, newest = 0;

	do {
		if (retention_delete(sqlite->retention, deletion->topic, &after, deletion->upto,
			    head, &newest) != 0)
			return -1;
	} while (after < deletion->upto);
	if (store_sqlite_copy_note(sqlite, head + 1) != 0)
		return -1;
	deletion->newest = newest;
	return 0;
}

int store_sqlite_copy_erase(
	struct store *store, struct store_deletion *deletion, struct error *error)
{
	struct sqlite_store *sqlite = (struct sqlite_store *)store;

	if (store_sqlite_writer_begin(sqlite) != 0 || erase_all(sqlite, deletion) != 0 ||
		store_sqlite_writer_commit(sqlite) != 0) {
		database_failed(sqlite->db, "cannot delete the events", error);
		store_sqlite_writer_rollback(sqlite);
		return -1;
	}
	sqlite->unwashed = true;
	deletion->erased = ++sqlite->store.head;
	deletion->after = deletion->upto;
	return 0;
}
