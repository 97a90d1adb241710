/* SPDX-License-Identifier: MIT */
/*
 * Idempotency keys in the database.  They outlive the events that they name, and expire: one
 * older than the window counts as unknown, whether or not its row is still there.  The log
 * thread's, inside its transactions.
 */
#ifndef KEYTABLE_H
#define KEYTABLE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "store.h"

struct keytable {
	sqlite3 *db;
	sqlite3_stmt *find, *add, *add_rows, *oldest, *remove, *remove_from, *expire;
	int64_t window; /* ms */
	int64_t first;	/* time of the oldest key; INT64_MAX: there is none */
};

/* keytable_open(keys, db, window): 0, or -1 if SQLite fails. */
int keytable_open(struct keytable *keys, sqlite3 *db, int64_t window);
void keytable_close(struct keytable *keys);

/*
 * keytable_add(keys, append, now, known):
 * Remember the key of ${append}, whose event has its topic, position and time.  If it is known
 * already, say so, and fill in the position and time of the first, and whether it is a duplicate
 * (if not, it is a conflict); one that has expired gives way.  Return 0, or -1 if SQLite fails.
 */
int keytable_add(struct keytable *keys, struct store_append *append, int64_t now, bool *known);

/*
 * keytable_add_rows(keys, appends, known):
 * Remember the keys of DATABASE_ROWS appends at once, whose events have their topics and positions
 * that follow each other.  If one is known already, or expired, say so and remember none.  Return
 * 0, or -1 if SQLite fails.
 */
int keytable_add_rows(struct keytable *keys, const struct store_append *appends, bool *known);

/* keytable_expires(keys): the time from which there is a key to remove; INT64_MAX: never. */
int64_t keytable_expires(const struct keytable *keys);

/* keytable_sweep(keys, rows, now): remove at most ${rows} expired keys.  0, or -1. */
int keytable_sweep(struct keytable *keys, int rows, int64_t now);

#endif
