/* SPDX-License-Identifier: MIT */
/*
 * A database that is a copy of a log that several nodes share: it has applied the commands of that log
 * up to some sequence, which is noted in the transaction that applied them.  Only the log thread calls
 * these.
 */
#ifndef STORE_SQLITE_COPY_H
#define STORE_SQLITE_COPY_H

#include <stdint.h>

#include "store.h"
#include "store_sqlite_writer.h"

/*
 * store_sqlite_copy_open(sqlite, tag, error):
 * While the store is opened: the database is the copy of the log with this tag, or becomes it if it is
 * empty.  Return 0, or -1 with EX_DATAERR if it belongs to another log.
 */
int store_sqlite_copy_open(struct sqlite_store *sqlite, const char *tag, struct error *error);

/*
 * store_sqlite_copy_peek(path, tag, sequence, error):
 * Find what the file has applied of the log with this tag, if it is a copy of it; if it is empty, nothing.
 * Return 0, or -1 with EX_DATAERR if it is neither.
 *
 * store_sqlite_copy_sequence(path, sequence, error): likewise, of a copy of whatever log.
 *
 * store_sqlite_copy_adopt(path, tag, sequence, error):
 * A database of one server becomes a copy of the log with this tag, which begins with what it has: the command
 * with this sequence.  Ids of its events stay valid.  Return 0, or -1.
 */
int store_sqlite_copy_peek(
	const char *path, const char *tag, uint64_t *sequence, struct error *error);
int store_sqlite_copy_sequence(const char *path, uint64_t *sequence, struct error *error);
int store_sqlite_copy_adopt(
	const char *path, const char *tag, uint64_t sequence, struct error *error);

/*
 * store_sqlite_copy_note(sqlite, head): in a transaction, note what is applied with it, and the head.
 * Return 0, or -1 if SQLite fails.
 */
int store_sqlite_copy_note(struct sqlite_store *sqlite, uint64_t head);

/* store_sqlite_copy_close(sqlite) */
void store_sqlite_copy_close(struct sqlite_store *sqlite);

/*
 * store_sqlite_copy_state(store): the copy's state, to be changed before the append that applies a
 * command.
 */
struct sqlite_copy *store_sqlite_copy_state(struct store *store);

/*
 * store_sqlite_copy_reach(store, deletion, upto):
 * Find *${upto}: how far a step of the deletion goes, so that it deletes not much more than appends can
 * wait for.  Return 0, or -1 if SQLite fails.
 *
 * store_sqlite_copy_erase(store, deletion, error):
 * Delete all events of that step, as store_ops.erase does, but in one transaction; it takes one position,
 * also if no event is left there.
 */
int store_sqlite_copy_reach(
	struct store *store, const struct store_deletion *deletion, uint64_t *upto);
int store_sqlite_copy_erase(
	struct store *store, struct store_deletion *deletion, struct error *error);

#endif
