/* SPDX-License-Identifier: MIT */
/*
 * The spool of a run: it takes the events that cannot be sent now, and is a source of groups that
 * go before those of the input.  A run without --spool, or whose spool cannot be opened, has a
 * spool that is not open.
 */
#ifndef RUN_SPOOL_H
#define RUN_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backoff.h"
#include "deliver.h"
#include "error.h"
#include "event/group.h"
#include "flush.h"
#include "options.h"
#include "spool/queue.h"
#include "report.h"

/* Read the fields, do not write them. */
struct run_spool {
	struct deliver *deliver;
	struct destination *to;
	struct queue queue;
	struct flush flush;
	struct deliver_listener listener; /* for the groups of the flush */
	struct backoff pause;
	int64_t flush_at;	  /* the moment before which no flush is tried */
	bool open;		  /* if false, nothing can be put there */
	bool used;		  /* this run put events there */
	bool denial_told;	  /* the user knows that the login is not accepted */
	enum flush_result result; /* of the last flush; FLUSH_PART: one is under way */
	struct error away;	  /* why events were last put there, or left there */
	struct error missing;	  /* why it is not open in spite of --spool; or status 0 */
};

/*
 * run_spool_open(spool, options, deliver, to, report):
 * Open the queue for ${to} in the spool that the options name, if they name one.  A failure is
 * reported when an event cannot be sent; see run_spool_add_missing().  ${report} gets the results
 * of the events that are sent from there; NULL: none.  ${deliver}, ${to} and ${report} outlive the
 * spool, which does not move.  run_spool_close() takes a struct of zeros.
 */
void run_spool_open(struct run_spool *spool, const struct options *options, struct deliver *deliver,
	struct destination *to, struct report *report);
void run_spool_close(struct run_spool *spool);

/*
 * run_spool_put(spool, group, end, error):
 * Put the events from *${end} on there, and add their number to *${end}; see queue_append().  0 if
 * all were put there.  Otherwise -1, and ${error} says why they were not sent and why they are not
 * in the spool.
 */
int run_spool_put(
	struct run_spool *spool, const struct group *group, size_t *end, struct error *error);

/* run_spool_because(spool, reason): note why events are put there, unless a reason is known. */
void run_spool_because(struct run_spool *spool, const struct error *reason);

/*
 * run_spool_postpone(spool, reason):
 * The server is away, or does not accept the login: the next flush comes after a pause, and not
 * before the time that the server asked for.
 */
void run_spool_postpone(struct run_spool *spool, const struct error *reason);

/* run_spool_waits(spool): do events wait there? */
bool run_spool_waits(const struct run_spool *spool);

/* run_spool_is_due(spool): do events wait there, and may a flush be tried now? */
bool run_spool_is_due(const struct run_spool *spool);

/* run_spool_flushes(spool): is a flush under way: it has begun, and no result ended it? */
bool run_spool_flushes(const struct run_spool *spool);

/* run_spool_is_blocked(spool): did the last flush end since the events that wait cannot be sent? */
bool run_spool_is_blocked(const struct run_spool *spool);

/*
 * run_spool_is_denied(spool):
 * Do events wait in the spool because the server did not accept or permit the login when it was
 * last tried?
 */
bool run_spool_is_denied(const struct run_spool *spool);

/*
 * run_spool_begin(spool) / run_spool_send(spool):
 * Begin a flush; and send the next part, which begins one if none is under way.  No slot is in use.
 * FLUSH_PART if the flush is under way then.  Any other result ends it, now or when a slot has
 * finished: it is in spool->result, and spool->away says why events are left, unless it is
 * FLUSH_DONE.
 */
enum flush_result run_spool_begin(struct run_spool *spool);
enum flush_result run_spool_send(struct run_spool *spool);

/*
 * run_spool_stop(spool, reason):
 * End a flush, if one is under way, between two parts; the next one is after a pause.
 */
void run_spool_stop(struct run_spool *spool, const struct error *reason);

/* run_spool_add_missing(spool, error): add to ${error} why --spool could not be opened. */
void run_spool_add_missing(const struct run_spool *spool, struct error *error);

#endif
