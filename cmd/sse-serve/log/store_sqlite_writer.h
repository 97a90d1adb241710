/* SPDX-License-Identifier: MIT */
/*
 * The one connection that writes to the log's SQLite database, and its transactions.  It belongs to
 * the log thread.  Only store_sqlite.c and the other store_sqlite_*.c see this.
 */
#ifndef STORE_SQLITE_WRITER_H
#define STORE_SQLITE_WRITER_H

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "database_files.h"
#include "idempotency_table.h"
#include "retention.h"
#include "scrub.h"
#include "store.h"
#include "vacuum.h"

enum writer_statement {
	WRITER_BEGIN,
	WRITER_COMMIT,
	WRITER_ROLLBACK,
	WRITER_SAVE, /* a savepoint inside a transaction, which undoes one group */
	WRITER_UNDO,
	WRITER_RELEASE,
	WRITER_ADD_TOPIC,
	WRITER_ADD_EVENT,
	WRITER_ADD_EVENTS, /* DATABASE_ROWS of them */
	WRITER_NEWEST,	   /* the position of a topic's newest event */
	WRITER_CLOSE,	   /* mark a topic as closed */
	WRITER_STATEMENTS
};

enum copy_statement { COPY_NOTE, COPY_REACH, COPY_STATEMENTS };

/* Of a database that is a copy of a shared log; see store_sqlite_copy.h. */
struct sqlite_copy {
	bool is;	   /* it is one */
	uint64_t sequence; /* of the newest command that is applied with the next transaction */
	int64_t time;	   /* the newest time of a command, which never goes back; ms since 1970 */
	sqlite3_stmt *statements[COPY_STATEMENTS];
};

/* An open store. */
struct sqlite_store {
	struct store
		store; /* the first member, so that a pointer to one is a pointer to the other */
	char *path;
	struct database_files files;
	int lock; /* the locked file; open as long as the store is */
	sqlite3 *db;
	sqlite3_stmt *statements[WRITER_STATEMENTS];
	uint32_t topics_stored; /* rows of topics up to this one are written */
	struct idempotency_table keys;
	struct retention *retention;
	struct vacuum vacuum;
	struct scrub scrub;
	bool unwashed;		     /* a file may hold deleted events, see store_sqlite_erase.h */
	bool wash_held;		     /* and a deletion has waited in vain for it to be clean */
	int64_t rest_until, tidy_at; /* by a monotonic clock, ms; 0: now */
	struct sqlite_copy copy;
	_Atomic int64_t events;	     /* that are stored.  Any thread reads it */
};

/* store_sqlite_writer_prepare(sqlite): prepare the statements.  Return 0, or -1 if SQLite fails. */
int store_sqlite_writer_prepare(struct sqlite_store *sqlite);

/*
 * store_sqlite_writer_run(sqlite, statement): run one that takes no values.  Return 0, or -1 if
 * SQLite fails.
 */
int store_sqlite_writer_run(struct sqlite_store *sqlite, enum writer_statement statement);

/*
 * store_sqlite_writer_begin(sqlite):
 * Begin a transaction.  Return 0, or -1 if SQLite or memory fails.  After a failure of this or of
 * anything else in the transaction, call store_sqlite_writer_rollback().
 */
int store_sqlite_writer_begin(struct sqlite_store *sqlite);

/*
 * store_sqlite_writer_commit(sqlite):
 * Commit the transaction, count the sync, and the events that are stored now.  Return 0, or -1 if
 * SQLite fails.
 */
int store_sqlite_writer_commit(struct sqlite_store *sqlite);

/* store_sqlite_writer_rollback(sqlite): undo the transaction, if one has begun. */
void store_sqlite_writer_rollback(struct sqlite_store *sqlite);

#endif
