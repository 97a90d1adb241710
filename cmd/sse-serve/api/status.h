/* SPDX-License-Identifier: MIT */
/*
 * The server's own topic, $sys: one loop publishes an ephemeral event with the server's figures,
 * once a second, as long as a client reads the topic.  Whether or not one does, the loop takes a
 * sample of them every five seconds (samples.h).
 */
#ifndef STATUS_H
#define STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mailbox.h"
#include "http/request.h"
#include "metrics.h"

struct status;
struct topics;

/*
 * status_new(sources, topics, mailbox):
 * For the loop that has this mailbox.  NULL without memory.
 */
struct status *status_new(
	const struct metrics_sources *sources, struct topics *topics, struct mailbox *mailbox);

/* status_free(status): when no event is under way.  Takes NULL. */
void status_free(struct status *status);

/*
 * status_run(status, now):
 * Publish the figures, and take a sample, if they are due.  Return the ms until one is.
 */
int status_run(struct status *status, uint32_t now);

/* status_busy(status): is an event under way? */
bool status_busy(const struct status *status);

/*
 * May the client read the figures?  If not, answer with a problem.  For $sys, check also that the
 * request has no body.
 */
void status_check(struct request *request);
void status_check_stream(struct request *request);

/* Any GET of $sys but of its stream and its samples. */
void status_refuse(struct request *request);

#endif
