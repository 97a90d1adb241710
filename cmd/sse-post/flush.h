/* SPDX-License-Identifier: MIT */
/*
 * A flush takes the events that wait in a queue of the spool, a part at a time, for the caller to
 * send.  It holds the queue's lock for delivery from flush_begin() to the result that ends it.  It
 * never waits, but for the disk.
 */
#ifndef FLUSH_H
#define FLUSH_H

#include <stdbool.h>
#include <stddef.h>

#include "spool/consumer.h"
#include "deliver.h"
#include "error.h"
#include "event/group.h"
#include "spool/queue.h"
#include "report.h"

/* FLUSH_PART goes on with the flush, each other result ends it and releases the lock. */
enum flush_result {
	FLUSH_PART,   /* there are events to send, or there may be */
	FLUSH_DONE,   /* nothing waits now */
	FLUSH_BUSY,   /* another process delivers the queue */
	FLUSH_AWAY,   /* the server cannot be reached or does not accept the login (EX_NOPERM); or a
			 signal came, or the time of --timeout is up */
	FLUSH_NO,     /* the server refuses all events; they stay in the spool */
	FLUSH_FAILED, /* the spool cannot be read or written */
};

/* Read the fields, do not write them. */
struct flush {
	struct queue *queue;
	struct consumer *consumer;
	const struct deliver *deliver;
	struct report *report; /* gets the result of each event; NULL: none */
	struct error error;    /* of the spool */
	bool begun;	       /* the lock for delivery is ours */
	struct group group;    /* the events that were taken, */
	size_t settled;	       /* how many of them need not be sent again, */
	struct group part;     /* and those after these that were given out */
};

/*
 * flush_open(flush, queue, deliver, report, error):
 * Prepare to take the events of ${queue} at the pace of ${deliver}, which will send them; both, and
 * ${report}, outlive the flush, and ${flush} does not move.  0, or -1: EX_OSERR.  flush_close()
 * takes a struct of zeros.
 */
int flush_open(struct flush *flush, struct queue *queue, const struct deliver *deliver,
	struct report *report, struct error *error);
void flush_close(struct flush *flush);

/*
 * flush_begin(flush, error):
 * Take the lock for delivery: FLUSH_PART, FLUSH_BUSY, or FLUSH_FAILED with ${error}.
 */
enum flush_result flush_begin(struct flush *flush, struct error *error);

/*
 * flush_next(flush, part, error):
 * Point *${part} to the events that are next, as many as --rate lets go together, after the result
 * of the part before was told.  FLUSH_PART, FLUSH_DONE, FLUSH_BUSY, or FLUSH_FAILED with ${error}.
 */
enum flush_result flush_next(struct flush *flush, struct group **part, struct error *error);

/*
 * flush_accepted(flush, slot, from, count) / flush_refused(flush, slot, error):
 * What becomes of the events of the part, as in a deliver_listener with the flush as its context.
 */
void flush_accepted(void *flush, const struct slot *slot, size_t from, size_t count);
bool flush_refused(void *flush, const struct slot *slot, const struct error *error);

/*
 * flush_finished(flush, slot, error):
 * The slot with the part has finished: remove from the queue what need not be sent again.
 * FLUSH_PART, or FLUSH_AWAY, FLUSH_NO or FLUSH_FAILED with ${error}.
 */
enum flush_result flush_finished(struct flush *flush, const struct slot *slot, struct error *error);

/*
 * flush_stop(flush, error):
 * End a flush that has begun, with no part under way; what is not settled can be taken again.
 * FLUSH_AWAY, or FLUSH_FAILED with ${error}.
 */
enum flush_result flush_stop(struct flush *flush, struct error *error);

/*
 * flush_failed(flush, last) / flush_tell_last(flush):
 * The events and files that were put into failed/; see consumer_failed() and consumer_tell_last().
 * The standard error has told of each but the last.
 */
size_t flush_failed(const struct flush *flush, const char **last);
void flush_tell_last(struct flush *flush);

#endif
