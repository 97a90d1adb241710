/* SPDX-License-Identifier: MIT */
/*
 * Delivery: one POST an event over one kept connection, again and again where that cannot make a
 * second event of it.
 */
#ifndef DELIVER_H
#define DELIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backoff.h"
#include "client.h"
#include "client_url.h"
#include "error.h"
#include "input.h"
#include "options.h"

struct deliver {
	const struct options *options;
	struct client client;
	struct client_url url;
	struct client_answer answer;
	struct backoff backoff;
	int64_t until;		       /* --timeout, a moment of client_now() */
	int64_t attempt_until;	       /* when this attempt is given up; progress moves it */
	bool trouble_told;	       /* to someone at a terminal */
	const struct input_item *item; /* what is being sent, */
	size_t handed;		       /* and how much of it libcurl took */
};

/*
 * deliver_open(deliver, program, options, until, error):
 * Find out where to send to; nothing is connected yet.  deliver_close() frees, also after a
 * failure; it takes a struct that is all zero.
 */
int deliver_open(struct deliver *deliver, const char *program, const struct options *options,
	int64_t until, struct error *error);
void deliver_close(struct deliver *deliver);

/*
 * deliver_event(deliver, item, error):
 * Send one event and wait for the server's 2xx.  Failures before the request was sent, 429 and
 * 503 are tried again until --retry-max-time, never before Retry-After.  On failure ${error} says
 * why, and whether the event may have been stored all the same.
 */
int deliver_event(struct deliver *deliver, const struct input_item *item, struct error *error);

#endif
