/* SPDX-License-Identifier: MIT */
/*
 * The server's own topic, $sys: one loop publishes an ephemeral event with the server's figures,
 * once a second, as long as a client reads the topic.  While no client does, the loop makes no
 * event and does not wake up.
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
 * status_run(status, now): publish the figures if they are due.  Return the ms until then, or -1.
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

/* Any other GET of $sys: only its stream exists. */
void status_refuse(struct request *request);

#endif
