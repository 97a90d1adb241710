/* SPDX-License-Identifier: MIT */
/* The connection that writes, and its transactions; see store_sqlite_writer.h. */
#include "clock.h"
#include "database.h"
#include "store_sqlite_writer.h"

static const char *const sql[WRITER_STATEMENTS] = {
	[WRITER_BEGIN] = "BEGIN IMMEDIATE",
	[WRITER_COMMIT] = "COMMIT",
	[WRITER_ROLLBACK] = "ROLLBACK",
	[WRITER_SAVE] = "SAVEPOINT one_group",
	[WRITER_UNDO] = "ROLLBACK TO one_group",
	[WRITER_RELEASE] = "RELEASE one_group",
	[WRITER_ADD_TOPIC] = "INSERT INTO topic(id, name) VALUES(?, ?)",
	[WRITER_ADD_EVENT] = DATABASE_ADD_EVENT,
	[WRITER_ADD_EVENTS] = DATABASE_ADD_EVENTS,
	[WRITER_NEWEST] = DATABASE_NEWEST,
	[WRITER_CLOSE] = "UPDATE topic SET closed = ? WHERE id = ?",
};

int store_sqlite_writer_prepare(struct sqlite_store *sqlite)
{
	return database_prepare(sqlite->db, sql, sqlite->statements, WRITER_STATEMENTS);
}

int store_sqlite_writer_run(struct sqlite_store *sqlite, enum writer_statement statement)
{
	return database_run(sqlite->statements[statement]);
}

int store_sqlite_writer_begin(struct sqlite_store *sqlite)
{
	if (retention_begin(sqlite->retention) != 0)
		return -1;
	return store_sqlite_writer_run(sqlite, WRITER_BEGIN);
}

int store_sqlite_writer_commit(struct sqlite_store *sqlite)
{
	uint64_t began = clock_now_us();

	if (store_sqlite_writer_run(sqlite, WRITER_COMMIT) != 0)
		return -1;
	counter_took(&sqlite->store.sync, clock_now_us() - began);
	retention_commit(sqlite->retention);
	sqlite->events = retention_events(sqlite->retention);
	return 0;
}

void store_sqlite_writer_rollback(struct sqlite_store *sqlite)
{
	/* SQLite has done it already after some failures. */
	if (!sqlite3_get_autocommit(sqlite->db))
		store_sqlite_writer_run(sqlite, WRITER_ROLLBACK);
	retention_rollback(sqlite->retention);
}
