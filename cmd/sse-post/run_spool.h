/* SPDX-License-Identifier: MIT */
/*
 * The spool of a run: it takes the events that cannot be sent now, and tries them again from time
 * to time.  A run without --spool, or whose spool cannot be opened, has a spool that is not open.
 */
#ifndef RUN_SPOOL_H
#define RUN_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backoff.h"
#include "deliver.h"
#include "error.h"
#include "event.h"
#include "flush.h"
#include "options.h"
#include "queue.h"

/* Read the fields, do not write them. */
struct run_spool {
	struct deliver *deliver;
	struct destination *to;
	struct queue queue;
	struct flush flush;
	struct backoff pause;
	int64_t flush_at;     /* the moment before which no flush is tried */
	bool open;	      /* if false, nothing can be put there */
	bool flushing;	      /* the events sent now come from it */
	bool used;	      /* this run put events there */
	struct error away;    /* why events were last put there */
	struct error missing; /* why it is not open in spite of --spool; or status 0 */
};

/*
 * run_spool_open(spool, options, deliver, to):
 * Open the queue for ${to} in the spool that the options name, if they name one.  A failure is
 * reported when an event cannot be sent; see run_spool_add_missing().  ${deliver} and ${to} outlive
 * the spool.  run_spool_close() takes a struct of zeros.
 */
void run_spool_open(struct run_spool *spool, const struct options *options, struct deliver *deliver,
	struct destination *to);
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
 * The server is away: the next flush is after a pause, and not before the server wants it.
 */
void run_spool_postpone(struct run_spool *spool, const struct error *reason);

/* run_spool_waits(spool): do events wait there? */
bool run_spool_waits(const struct run_spool *spool);

/* run_spool_is_due(spool): do events wait there, and may a flush be tried now? */
bool run_spool_is_due(const struct run_spool *spool);

/*
 * run_spool_flush(spool, once):
 * Deliver the events that wait; no slot is in use.  See flush_queue() for ${once}.  After any
 * result but FLUSH_DONE, spool->away says why events are left.
 */
enum flush_result run_spool_flush(struct run_spool *spool, bool once);

/*
 * run_spool_finish(spool):
 * After the end of the input, deliver the events that wait, unless that was tried just now, and
 * warn if the server refuses them.
 */
void run_spool_finish(struct run_spool *spool);

/* run_spool_add_missing(spool, error): add to ${error} why --spool could not be opened. */
void run_spool_add_missing(const struct run_spool *spool, struct error *error);

#endif
