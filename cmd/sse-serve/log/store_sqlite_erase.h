/* SPDX-License-Identifier: MIT */
/*
 * Deleting events from the log in a SQLite database, so that neither of its files holds a trace of
 * them.  Only the log thread calls these.
 *
 * SQLite overwrites what it deletes (PRAGMA secure_delete), in new versions of the pages.  The old
 * ones are in the database file and in the WAL until a checkpoint has written all new pages, and
 * has cut the WAL.  See scrub.h for the copies that SQLite itself leaves.
 */
#ifndef STORE_SQLITE_ERASE_H
#define STORE_SQLITE_ERASE_H

#include <stdbool.h>

#include "store_sqlite_writer.h"

/* store_sqlite_erase(store, deletion, error): the erase of store_ops. */
int store_sqlite_erase(struct store *store, struct store_deletion *deletion, struct error *error);

/*
 * store_sqlite_erase_wash(sqlite):
 * Outside of a transaction: rid the files of deleted events that may still be in them.  False if
 * a reader of another program is in the way, or SQLite fails: try again later.
 */
bool store_sqlite_erase_wash(struct sqlite_store *sqlite);

#endif
