/* SPDX-License-Identifier: MIT */
/* Delivers the events that wait in a queue of the spool. */
#ifndef FLUSH_H
#define FLUSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "consumer.h"
#include "deliver.h"
#include "error.h"
#include "report.h"
#include "queue.h"

enum flush_result {
	FLUSH_DONE,   /* nothing waits now */
	FLUSH_BUSY,   /* another process delivers it */
	FLUSH_AWAY,   /* the server cannot be reached, or a signal or the time of --timeout came */
	FLUSH_NO,     /* the server refuses all events; they stay in the spool */
	FLUSH_FAILED, /* the spool cannot be read or written */
};

/* Read the fields, do not write them. */
struct flush {
	struct queue *queue;
	struct consumer *consumer;
	struct deliver *deliver;
	struct report *report; /* gets the result of each event; NULL: none */
	struct error error;    /* of the spool */
	/* The events that were taken, and the first of them that is sent now. */
	struct group group;
	size_t from;
};

/*
 * flush_open(flush, queue, deliver, report, error):
 * Prepare to deliver the events of ${queue} with ${deliver}; both, and ${report}, outlive the
 * flush, and ${flush} does not move.  0, or -1: EX_OSERR.  flush_close() takes a struct of zeros.
 */
int flush_open(struct flush *flush, struct queue *queue, struct deliver *deliver,
	struct report *report, struct error *error);
void flush_close(struct flush *flush);

/*
 * flush_accepted(flush, slot, from, count) / flush_refused(flush, slot, error):
 * The functions of a deliver_listener while flush_queue() runs, with the flush as the context.
 */
void flush_accepted(void *flush, const struct slot *slot, size_t from, size_t count);
bool flush_refused(void *flush, const struct slot *slot, const struct error *error);

/*
 * flush_queue(flush, to, once, error):
 * Take the lock for delivery, and deliver until nothing is left.  Every slot of the deliver is
 * free; the flush uses one.  With ${once} no request is tried twice.  ${error} says why, but for
 * FLUSH_DONE and FLUSH_BUSY.
 */
enum flush_result flush_queue(
	struct flush *flush, struct destination *to, bool once, struct error *error);

/*
 * flush_failed(flush, last) / flush_tell_last(flush):
 * The events and files that were put into failed/; see consumer_failed() and consumer_tell_last().
 * The standard error has told of each but the last.
 */
size_t flush_failed(const struct flush *flush, const char **last);
void flush_tell_last(struct flush *flush);

#endif
