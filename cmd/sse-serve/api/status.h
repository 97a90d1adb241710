/* SPDX-License-Identifier: MIT */
/*
 * The server's own topic, $sys: an ephemeral event with its figures, once a second as long as
 * somebody reads it, by one loop.  While nobody does, nothing is made and nothing wakes up.
 */
#ifndef STATUS_H
#define STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mailbox.h"
#include "http/http.h"
#include "metrics.h"

struct status;
struct topics;

/*
 * status_new(sources, topics, mailbox):
 * Of the loop that has this mailbox.  NULL without memory.
 */
struct status *status_new(
	const struct metrics_sources *sources, struct topics *topics, struct mailbox *mailbox);

/* status_free(status): when nothing is under way.  Takes NULL. */
void status_free(struct status *status);

/* status_run(status, now): send the figures if it is time.  Return the ms until then, or -1. */
int status_run(struct status *status, uint32_t now);

/* status_busy(status): is an event under way? */
bool status_busy(const struct status *status);

/* May the client know the figures?  If not, a problem is replied.  Of $sys also: has it no body? */
void status_check(struct request *request);
void status_check_stream(struct request *request);

/* GET of $sys otherwise: there is only its stream. */
void status_refuse(struct request *request);

#endif
