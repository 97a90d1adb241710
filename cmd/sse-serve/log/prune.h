/* SPDX-License-Identifier: MIT */
/*
 * Retention of the log in the database: counts what each topic holds, and removes the oldest
 * events of what holds too much, a few rows at a time.
 *
 * The counts are kept in memory.  Their rows in the table `counter` are right up to a position of
 * their own, and all of them up to that of row 0; so an opening counts only the rows after it.
 * Rules play no part in them, and may change between runs.
 *
 * All but prune_open() and prune_close() is called inside a transaction of the log thread, between
 * prune_begin() and prune_commit() or prune_rollback(), which the caller calls after SQLite's own.
 */
#ifndef PRUNE_H
#define PRUNE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "event.h"
#include "retention.h"
#include "topic.h"

struct prune;

/*
 * prune_open(db, topics, retention, error):
 * Count what is there.  ${retention} outlives it.  NULL with EX_IOERR or EX_OSERR.
 */
struct prune *prune_open(
	sqlite3 *db, struct topics *topics, const struct retention *retention, struct error *error);

/* prune_close(prune): takes NULL. */
void prune_close(struct prune *prune);

/* prune_begin(prune): make room for the topics that have a row.  -1 without memory. */
int prune_begin(struct prune *prune);

/* prune_count(prune, event): the event was stored. */
void prune_count(struct prune *prune, const struct event *event);

/*
 * prune_step(prune, rows, everywhere, head, now):
 * Remove the oldest events of what holds too much, looking at no more than about ${rows}; of
 * topics under rules of their own only at those that prune_count() named, unless ${everywhere}.
 * ${head} is the newest position.  Return 0, or -1 if SQLite fails.
 */
int prune_step(struct prune *prune, int rows, bool everywhere, uint64_t head, int64_t now);

/* prune_save(prune, head): save all counts, if it is worth it or ${always}.  0, or -1. */
int prune_save(struct prune *prune, bool always, uint64_t head);

/* prune_events(prune): how many events are stored. */
int64_t prune_events(const struct prune *prune);

/* prune_commit(prune): what was done is safe: raise the topics' marks of what is gone. */
void prune_commit(struct prune *prune);

/* prune_rollback(prune): forget what was done since prune_begin(). */
void prune_rollback(struct prune *prune);

/*
 * prune_due(prune, now):
 * The time from which something must be removed: not after ${now} if it is so now; INT64_MAX:
 * not before more is stored.  Outside of a transaction.
 */
int64_t prune_due(const struct prune *prune, int64_t now);

#endif
