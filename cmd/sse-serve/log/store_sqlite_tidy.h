/* SPDX-License-Identifier: MIT */
/*
 * Removing from the log in a SQLite database: expired keys, events that retention no longer keeps,
 * and the space that they took.  Only the log thread calls these.
 */
#ifndef STORE_SQLITE_TIDY_H
#define STORE_SQLITE_TIDY_H

#include <stdbool.h>
#include <stdint.h>

#include "store_sqlite_writer.h"

/* store_sqlite_retain(store, retention_rules): the retain of store_ops. */
void store_sqlite_retain(struct store *store, const struct retention_rules *retention_rules);

/* store_sqlite_tidy(store): the tidy of store_ops, between transactions. */
int64_t store_sqlite_tidy(struct store *store);

/*
 * store_sqlite_tidy_some(sqlite, head, now, removed):
 * Inside the transaction that appended the events up to ${head}, remove about as much as was
 * appended, and a little more: so no sync is spent on it.  Do nothing while removing rests.
 * *${removed} is set if it removed something, or tried to.  Return 0, or -1 if SQLite fails.
 */
int store_sqlite_tidy_some(struct sqlite_store *sqlite, uint64_t head, int64_t now, bool *removed);

/*
 * store_sqlite_tidy_superseded(sqlite, event, removed):
 * Likewise, but before that, remove what this event of them superseded, if that is the rule for its
 * topic.
 */
int store_sqlite_tidy_superseded(
	struct sqlite_store *sqlite, const struct event *event, bool *removed);

/* store_sqlite_tidy_rest(sqlite): for a second, nothing is removed with an append. */
void store_sqlite_tidy_rest(struct sqlite_store *sqlite);

#endif
