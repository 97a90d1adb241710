/* SPDX-License-Identifier: MIT */
/* Delivering what waits in a queue of the spool. */
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
	FLUSH_DONE,   /* nothing waits any more */
	FLUSH_BUSY,   /* another process delivers it */
	FLUSH_AWAY,   /* the server cannot be reached, or a signal or the time of --timeout came */
	FLUSH_NO,     /* the server will not take it from us; it stays in the spool */
	FLUSH_FAILED, /* the spool cannot be read or written */
};

/* Read the fields, do not write them. */
struct flush {
	struct queue *queue;
	struct consumer *consumer;
	struct deliver *deliver;
	struct report *report; /* is told of each event; NULL: none */
	struct error error;    /* of the spool */
	/* What was taken, and where in it the part begins that is sent now. */
	struct group group;
	size_t from;
};

/*
 * flush_open(flush, queue, deliver, report, error):
 * Prepare to deliver what waits in ${queue} by ${deliver}; both, and ${report}, outlive the flush, and
 * ${flush} stays where it is.  0, or -1: EX_OSERR.  flush_close() takes a struct of zeros.
 */
int flush_open(struct flush *flush, struct queue *queue, struct deliver *deliver,
	struct report *report, struct error *error);
void flush_close(struct flush *flush);

/*
 * flush_accepted(flush, slot, from, count) / flush_refused(flush, slot, error):
 * What a deliver_listener does while flush_queue() runs; they can be its functions, with the flush as
 * the context.
 */
void flush_accepted(void *flush, const struct slot *slot, size_t from, size_t count);
bool flush_refused(void *flush, const struct slot *slot, const struct error *error);

/*
 * flush_queue(flush, to, once, error):
 * Become the one who delivers, and deliver until nothing is left.  Every slot of the deliver is free;
 * one is used.  With ${once} no request is tried twice.  ${error} says why, but for FLUSH_DONE and
 * FLUSH_BUSY.
 */
enum flush_result flush_queue(
	struct flush *flush, struct destination *to, bool once, struct error *error);

/*
 * flush_failed(flush, last) / flush_tell_last(flush):
 * What was put into failed/; see consumer_failed() and consumer_tell_last().  Each thing but the last
 * was told on the standard error.
 */
size_t flush_failed(const struct flush *flush, const char **last);
void flush_tell_last(struct flush *flush);

#endif
