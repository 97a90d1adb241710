/* SPDX-License-Identifier: MIT */
/*
 * The database file: its tables, the check that it is ours, and the SQLite helpers that the store
 * (see store_sqlite.c) and its maintenance (see maintain.h) share.
 */
#ifndef DATABASE_H
#define DATABASE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "event.h"
#include "identity.h"
#include "topic.h"

/* user_version: raised with each change of the tables. */
#define DATABASE_VERSION 3

/* Rows of the default type leave the type out. */
#define DATABASE_DEFAULT_TYPE "update"

/*
 * database_set_up():
 * Call it before the first use of SQLite and before any thread starts.  It turns off SQLite's
 * memory statistics, which take a lock at each allocation.
 */
void database_set_up(void);

/*
 * database_lock(path, lock, error):
 * Open the file, or create it, and lock out every other sse-serve as long as *${lock} is open.
 * Close it after SQLite's connections: closing any descriptor of the file would drop SQLite's own
 * locks.  Return 0, or -1 with EX_TEMPFAIL if another process has it, EX_CANTCREAT otherwise.
 */
int database_lock(const char *path, int *lock, struct error *error);

/*
 * database_check(db, path, version, error):
 * Does the database belong to sse-serve, and is its version known?  *${version} is 0 if it has no
 * tables yet.  Return 0, or -1 with EX_DATAERR, EX_CANTCREAT (not writable) or EX_TEMPFAIL.
 */
int database_check(sqlite3 *db, const char *path, int *version, struct error *error);

/* database_make(db, path, error): create the tables in an empty database. */
int database_make(sqlite3 *db, const char *path, struct error *error);

/* database_upgrade(db, path, version, error): from this older version, in one transaction. */
int database_upgrade(sqlite3 *db, const char *path, int version, struct error *error);

/*
 * database_topics(db, path, version, topics, error):
 * Register the database's topics, in an empty registry, with the positions of what is gone, and of
 * what closed them.
 */
int database_topics(
	sqlite3 *db, const char *path, int version, struct topics *topics, struct error *error);

/* database_incarnations(db, identity, error): add the log's incarnations. */
int database_incarnations(sqlite3 *db, struct identity *identity, struct error *error);

/* database_head(db, version): the newest position ever used; -1 if it cannot be read. */
int64_t database_head(sqlite3 *db, int version);

/*
 * database_read(path, alone, db, version, error):
 * Open an existing log to read it from the command line.  ${alone} says that no other process
 * writes to it; then the file is not changed at all.  Return 0, or -1 with EX_NOINPUT if it does
 * not exist, or as database_check().  The caller closes *${db} in every case.
 */
int database_read(const char *path, bool alone, sqlite3 **db, int *version, struct error *error);

/* --- helpers for SQLite --- */

/*
 * database_failed(db, doing, error): fill ${error} with SQLite's reason and the system's; return
 * -1.
 */
int database_failed(sqlite3 *db, const char *doing, struct error *error);

/* How long another writer (a sqlite3 shell) may delay the server. */
#define DATABASE_BUSY_MS 5000

/* database_exec(db, path, sql, error): run statements; roll back if one fails. */
int database_exec(sqlite3 *db, const char *path, const char *sql, struct error *error);

/* database_ask(db, sql): the number that a query for one row gives; -1 if it fails. */
int64_t database_ask(sqlite3 *db, const char *sql);

/* database_prepare(db, sql, statements, count): 0, or -1. */
int database_prepare(sqlite3 *db, const char *const *sql, sqlite3_stmt **statements, int count);

/* database_finalize(statements, count): skip those that are NULL. */
void database_finalize(sqlite3_stmt **statements, int count);

/* database_run(statement): run a statement that gives no rows, and reset it.  0, or -1. */
int database_run(sqlite3_stmt *statement);

/* database_text(statement, column): the text, valid until the next step. */
struct sse_text database_text(sqlite3_stmt *statement, int column);

/* The columns of an event, in the order that database_event() and database_add_event() take. */
#define DATABASE_EVENT "position, topic, time, json, type, data, subject"
#define DATABASE_EVENT_COLUMNS 7
/* All events in the order of their positions, in a database of this version. */
#define DATABASE_ALL_EVENTS(version)                                                               \
	((version) >= 3 ? "SELECT " DATABASE_EVENT " FROM event ORDER BY position"                 \
			: "SELECT position, topic, time, json, type, data, NULL FROM event"        \
			  " ORDER BY position")
/* All topics, with what is gone of them, in a database of this version. */
#define DATABASE_ALL_TOPICS(version)                                                               \
	((version) >= 3 ? "SELECT id, name, removed, deleted, superseded, closed, erased"          \
			  " FROM topic ORDER BY id"                                                \
			: "SELECT id, name, removed, 0, 0, 0, 0 FROM topic ORDER BY id")
/*
 * How many rows a statement for many rows inserts, and the text for them: a statement costs SQLite
 * about as much as a row.
 */
#define DATABASE_ROWS 16
#define DATABASE_ROWS_OF(row) DATABASE_FOUR_OF(DATABASE_FOUR_OF(row))
#define DATABASE_FOUR_OF(row) row ", " row ", " row ", " row

#define DATABASE_INSERT_EVENT "INSERT INTO event(" DATABASE_EVENT ") VALUES"
#define DATABASE_EVENT_ROW "(?, ?, ?, ?, ?, ?, ?)"
#define DATABASE_ADD_EVENT DATABASE_INSERT_EVENT DATABASE_EVENT_ROW
#define DATABASE_ADD_EVENTS DATABASE_INSERT_EVENT DATABASE_ROWS_OF(DATABASE_EVENT_ROW)

/* The position of the newest event of a topic. */
#define DATABASE_NEWEST "SELECT position FROM event WHERE topic = ? ORDER BY position DESC LIMIT 1"

/*
 * database_event(row, event): fill all members but the topic; texts are valid until the next step.
 */
void database_event(sqlite3_stmt *row, struct event *event);

/* database_event_topic(row): the topic's row. */
uint32_t database_event_topic(sqlite3_stmt *row);

/* database_bind_event(statement, row, event): bind it as the row of this number, from 0. */
void database_bind_event(sqlite3_stmt *statement, int row, const struct event *event);

/* database_add_event(statement, event): insert it. */
int database_add_event(sqlite3_stmt *statement, const struct event *event);

#endif
