/* SPDX-License-Identifier: MIT */
/*
 * Retention of the log in the database: counts the events that each topic holds, and removes the
 * oldest where a topic holds too many, a few rows at a time.  Without rules it counts only.
 *
 * The counts are kept in memory.  Each row in the table `counter` is correct up to a position of
 * its own, and all rows up to that of row 0; so opening the database counts only the events after
 * it, and a reader those of one topic.  The counts do not depend on the rules, which may change
 * between runs.
 *
 * The log thread calls all but retention_open() and retention_close() inside a transaction, between
 * retention_begin() and retention_commit() or retention_rollback(); it calls those after SQLite's
 * own.
 */
#ifndef RETENTION_H
#define RETENTION_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "event.h"
#include "retention_rules.h"
#include "topic.h"

struct retention;

/*
 * retention_open(db, topics, retention_rules, error):
 * Count the events that are stored.  ${retention_rules} outlives the result.  NULL with EX_IOERR or
 * EX_OSERR.
 */
struct retention *retention_open(sqlite3 *db, struct topics *topics,
	const struct retention_rules *retention_rules, struct error *error);

/*
 * retention_use(retention, retention_rules): from now on, keep what these rules say; they outlive the
 * result.  Outside of a transaction.
 */
void retention_use(struct retention *retention, const struct retention_rules *retention_rules);

/* retention_close(retention): takes NULL. */
void retention_close(struct retention *retention);

/*
 * retention_begin(retention): make room for the topics that have a row.  0, or -1 without memory.
 */
int retention_begin(struct retention *retention);

/* retention_count(retention, event): the event was stored. */
void retention_count(struct retention *retention, const struct event *event);

/*
 * retention_supersede(retention, event):
 * The event was stored: if its topic is under `latest`, remove the older ones of its subject.
 * Return 0, or -1 if SQLite fails.
 */
int retention_supersede(struct retention *retention, const struct event *event);

/*
 * retention_sweep_again(retention): look at all subjects again, in retention_step(), whether there
 * is something that was superseded: it could not be removed.
 */
void retention_sweep_again(struct retention *retention);

/*
 * retention_step(retention, rows, everywhere, head, now):
 * Remove the oldest events where a topic holds too many, and look at no more than about ${rows}.
 * Of topics under rules of their own, look only at those that retention_count() named, unless
 * ${everywhere}.  ${head} is the newest position.  Return 0, or -1 if SQLite fails.
 */
int retention_step(
	struct retention *retention, int rows, bool everywhere, uint64_t head, int64_t now);

/*
 * retention_delete(retention, topic, after, upto, head, newest):
 * Delete the topic's oldest events with *${after} < position <= ${upto}, as many as make a small step.
 * Those up to *${after} are gone then, which is ${upto} if no other is left; *${newest} is the newest
 * that was deleted, if one was; then the deletion has taken the position after ${head}, which is the
 * newest.  Return 0, or -1 if SQLite fails.
 */
int retention_delete(struct retention *retention, const struct topic *topic, uint64_t *after,
	uint64_t upto, uint64_t head, uint64_t *newest);

/* retention_save_due(retention): did enough change since all counts were saved?  Any time. */
bool retention_save_due(const struct retention *retention);

/*
 * retention_save(retention, always, head): save all counts, if that is due or ${always}.  0, or -1.
 */
int retention_save(struct retention *retention, bool always, uint64_t head);

/* retention_events(retention): how many events are stored. */
int64_t retention_events(const struct retention *retention);

/*
 * retention_commit(retention): the changes are stored: raise each topic's newest removed position.
 */
void retention_commit(struct retention *retention);

/* retention_rollback(retention): forget the changes since retention_begin(). */
void retention_rollback(struct retention *retention);

/*
 * retention_due(retention, now):
 * The time at which events must be removed: not after ${now} if they must be now; INT64_MAX: not
 * before more events are stored.  Outside of a transaction.
 */
int64_t retention_due(const struct retention *retention, int64_t now);

#endif
