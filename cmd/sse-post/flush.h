/* SPDX-License-Identifier: MIT */
/* Delivering what waits in a queue of the spool. */
#ifndef FLUSH_H
#define FLUSH_H

#include <stdbool.h>
#include <stdint.h>

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

/* What the listener of a flush needs; see flush_listener(). */
struct flush {
	struct queue *queue;
	struct error error; /* of the spool */
	/* What was taken, and where in it the part begins that is sent now. */
	struct group group;
	size_t from;
	struct report *report; /* is told of each event; NULL: nobody is */
};

/*
 * flush_accepted(flush, slot, from, count) / flush_refused(flush, slot, error):
 * What a deliver_listener has to do while flush_queue() runs.
 */
void flush_accepted(struct flush *flush, const struct slot *slot, size_t from, size_t count);
bool flush_refused(struct flush *flush, const struct slot *slot, const struct error *error);

/*
 * flush_queue(flush, deliver, to, once, error):
 * Become the one who delivers, and deliver until nothing is left.  Every slot of ${deliver} is
 * free; one is used.  With ${once} no request is tried twice.  ${error} says why, but for
 * FLUSH_DONE and FLUSH_BUSY.
 */
enum flush_result flush_queue(struct flush *flush, struct deliver *deliver, struct destination *to,
	bool once, struct error *error);

#endif
