/* SPDX-License-Identifier: MIT */
/*
 * Idempotency keys in the database.  Keys outlive the events that they name, and expire: a key
 * older than the window counts as unknown, even if its row still exists.  Only the log thread uses
 * them, inside its transactions.
 */
#ifndef IDEMPOTENCY_TABLE_H
#define IDEMPOTENCY_TABLE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "store.h"

struct idempotency_table {
	sqlite3 *db;
	sqlite3_stmt *find, *add, *add_rows, *oldest, *remove, *remove_from, *expire;
	int64_t window; /* ms */
	int64_t first;	/* time of the oldest key; INT64_MAX: no key */
};

/* idempotency_table_open(keys, db, window): 0, or -1 if SQLite fails. */
int idempotency_table_open(struct idempotency_table *keys, sqlite3 *db, int64_t window);
void idempotency_table_close(struct idempotency_table *keys);

/*
 * idempotency_table_add(keys, append, now, known):
 * Remember the key of ${append}, whose event has its topic, position and time.  If the key is known
 * already, set *${known}, and fill in the position and time of the first event with it, and whether
 * this one is a duplicate (if not, it is a conflict).  A new key replaces an expired one.  Return
 * 0, or -1 if SQLite fails.
 */
int idempotency_table_add(
	struct idempotency_table *keys, struct store_append *append, int64_t now, bool *known);

/*
 * idempotency_table_find(keys, append, now, known):
 * The same, but nothing is remembered.
 */
int idempotency_table_find(
	struct idempotency_table *keys, struct store_append *append, int64_t now, bool *known);

/*
 * idempotency_table_add_rows(keys, appends, known):
 * Remember the keys of DATABASE_ROWS appends at once.  Their events have their topics, and
 * consecutive positions.  If one of the keys is known or expired, set *${known} and remember none.
 * Return 0, or -1 if SQLite fails.
 */
int idempotency_table_add_rows(
	struct idempotency_table *keys, const struct store_append *appends, bool *known);

/*
 * idempotency_table_expires(keys): the time at which the first key can be removed; INT64_MAX:
 * never.
 */
int64_t idempotency_table_expires(const struct idempotency_table *keys);

/* idempotency_table_sweep(keys, rows, now): remove at most ${rows} expired keys.  0, or -1. */
int idempotency_table_sweep(struct idempotency_table *keys, int rows, int64_t now);

#endif
