/* SPDX-License-Identifier: MIT */
/*
 * The database file as such: its tables, whose it is, and the pieces by which the store (see
 * store_sqlite.c) and the maintenance of it (see maintain.h) talk to SQLite.
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
#define DATABASE_VERSION 2

/* Rows of the type that is the default leave it out. */
#define DATABASE_DEFAULT_TYPE "update"

/*
 * database_set_up():
 * Before the first use of SQLite, and before there are threads: it is not to count its memory, for
 * which it takes a lock at each allocation.
 */
void database_set_up(void);

/*
 * database_lock(path, lock, error):
 * Open the file, or make it, and keep every other sse-serve out for as long as *${lock} is open.
 * Close it after SQLite's connections: to close any descriptor of the file would drop SQLite's own
 * locks.  Return 0, or -1 with EX_TEMPFAIL if another has it, EX_CANTCREAT otherwise.
 */
int database_lock(const char *path, int *lock, struct error *error);

/*
 * database_check(db, path, version, error):
 * Is it ours, and of a version that we know?  *${version} is 0 if it has no tables yet.  Return
 * 0, or -1 with EX_DATAERR, EX_CANTCREAT (not writable) or EX_TEMPFAIL.
 */
int database_check(sqlite3 *db, const char *path, int *version, struct error *error);

/* database_make(db, path, error): make the tables in an empty database. */
int database_make(sqlite3 *db, const char *path, struct error *error);

/* database_upgrade(db, path, error): from version 1, in one transaction. */
int database_upgrade(sqlite3 *db, const char *path, struct error *error);

/*
 * database_topics(db, path, topics, error):
 * Register the database's topics, in an empty registry, with their marks of what was removed.
 */
int database_topics(sqlite3 *db, const char *path, struct topics *topics, struct error *error);

/* database_incarnations(db, identity, error): add them. */
int database_incarnations(sqlite3 *db, struct identity *identity, struct error *error);

/* database_head(db, version): the newest position that was ever used; -1 if it cannot be read. */
int64_t database_head(sqlite3 *db, int version);

/*
 * database_read(path, alone, db, version, error):
 * Open an existing log for reading it from the command line.  With ${alone} no other process
 * writes to it, and then the file is not changed in the least.  Return 0, or -1 with EX_NOINPUT if
 * there is none, or as database_check(); *${db} is to be closed also then.
 */
int database_read(const char *path, bool alone, sqlite3 **db, int *version, struct error *error);

/* --- SQLite, said shorter --- */

/* database_failed(db, doing, error): why SQLite failed, in its words and the system's.  -1. */
int database_failed(sqlite3 *db, const char *doing, struct error *error);

/* How long a writer from outside (a sqlite3 shell) may hold us up. */
#define DATABASE_BUSY_MS 5000

/* database_exec(db, path, sql, error): run statements; what failed is rolled back. */
int database_exec(sqlite3 *db, const char *path, const char *sql, struct error *error);

/* database_ask(db, sql): one number out of a query that gives one row; -1 if it fails. */
int64_t database_ask(sqlite3 *db, const char *sql);

/* database_prepare(db, sql, statements, count): 0, or -1. */
int database_prepare(sqlite3 *db, const char *const *sql, sqlite3_stmt **statements, int count);

/* database_finalize(statements, count): NULLs among them are skipped. */
void database_finalize(sqlite3_stmt **statements, int count);

/* database_run(statement): run one that gives no rows, and reset it.  0, or -1. */
int database_run(sqlite3_stmt *statement);

/* database_text(statement, column): valid until the next step. */
struct sse_text database_text(sqlite3_stmt *statement, int column);

/* The columns of an event, in the order that database_event() and database_add_event() take. */
#define DATABASE_EVENT "position, topic, time, json, type, data"
/*
 * As many rows as a statement for many of them inserts, and their place in its text: a statement
 * costs SQLite about as much as a row.
 */
#define DATABASE_ROWS 16
#define DATABASE_ROWS_OF(row) DATABASE_FOUR_OF(DATABASE_FOUR_OF(row))
#define DATABASE_FOUR_OF(row) row ", " row ", " row ", " row

#define DATABASE_INSERT_EVENT "INSERT INTO event(" DATABASE_EVENT ") VALUES"
#define DATABASE_EVENT_ROW "(?, ?, ?, ?, ?, ?)"
#define DATABASE_ADD_EVENT DATABASE_INSERT_EVENT DATABASE_EVENT_ROW
#define DATABASE_ADD_EVENTS DATABASE_INSERT_EVENT DATABASE_ROWS_OF(DATABASE_EVENT_ROW)

/* database_event(row, event): all but the topic; texts are valid until the next step. */
void database_event(sqlite3_stmt *row, struct event *event);

/* database_event_topic(row): the topic's row. */
uint32_t database_event_topic(sqlite3_stmt *row);

/* database_bind_event(statement, row, event): it is to be the row of this number, from 0 on. */
void database_bind_event(sqlite3_stmt *statement, int row, const struct event *event);

/* database_add_event(statement, event): insert it. */
int database_add_event(sqlite3_stmt *statement, const struct event *event);

#endif
