/* SPDX-License-Identifier: MIT */
/*
 * Retention of the log in the database: counts the events that each topic holds, and removes the
 * oldest where a topic holds too many, a few rows at a time.
 *
 * The counts are kept in memory.  Each row in the table `counter` is correct up to a position of
 * its own, and all rows up to that of row 0; so opening the database counts only the events after
 * it.  The counts do not depend on the rules, which may change between runs.
 *
 * The log thread calls all but prune_open() and prune_close() inside a transaction, between
 * prune_begin() and prune_commit() or prune_rollback(); it calls those after SQLite's own.
 */
#ifndef PRUNE_H
#define PRUNE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "event.h"
#include "retention_rules.h"
#include "topic.h"

struct prune;

/*
 * prune_open(db, topics, retention, error):
 * Count the events that are stored.  ${retention} outlives the result.  NULL with EX_IOERR or
 * EX_OSERR.
 */
struct prune *prune_open(
	sqlite3 *db, struct topics *topics, const struct retention *retention, struct error *error);

/* prune_close(prune): takes NULL. */
void prune_close(struct prune *prune);

/* prune_begin(prune): make room for the topics that have a row.  0, or -1 without memory. */
int prune_begin(struct prune *prune);

/* prune_count(prune, event): the event was stored. */
void prune_count(struct prune *prune, const struct event *event);

/*
 * prune_step(prune, rows, everywhere, head, now):
 * Remove the oldest events where a topic holds too many, and look at no more than about ${rows}.
 * Of topics under rules of their own, look only at those that prune_count() named, unless
 * ${everywhere}.  ${head} is the newest position.  Return 0, or -1 if SQLite fails.
 */
int prune_step(struct prune *prune, int rows, bool everywhere, uint64_t head, int64_t now);

/* prune_save(prune, head): save all counts, if enough changed or ${always}.  0, or -1. */
int prune_save(struct prune *prune, bool always, uint64_t head);

/* prune_events(prune): how many events are stored. */
int64_t prune_events(const struct prune *prune);

/* prune_commit(prune): the changes are stored: raise each topic's newest removed position. */
void prune_commit(struct prune *prune);

/* prune_rollback(prune): forget the changes since prune_begin(). */
void prune_rollback(struct prune *prune);

/*
 * prune_due(prune, now):
 * The time at which events must be removed: not after ${now} if they must be now; INT64_MAX: not
 * before more events are stored.  Outside of a transaction.
 */
int64_t prune_due(const struct prune *prune, int64_t now);

#endif
