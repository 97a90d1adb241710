/* SPDX-License-Identifier: MIT */
/*
 * --check: does this URL serve a healthy event stream?  It is asked as it would be followed, once
 * to look at the stream and once more to see whether it can be resumed, and what was found is
 * said in plain words.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "client_follow.h"
#include "client_url.h"
#include "error.h"

/* How long it takes at most, if nobody says (ms): longer than keep-alive comments are apart. */
#define CHECK_TIME 20000

struct check_options {
	int64_t time;			     /* ms for all of it; 0: CHECK_TIME */
	const struct follow_options *follow; /* the request: id and body */
	bool once; /* the request is not to be sent a second time: resuming stays untried */
};

/*
 * check_run(client, url, options, error):
 * Look, and print a line for each finding to the standard output: "ok", "note" or "BAD", then what
 * was found and, where it is not ok, what to do about it.  It ends when it has seen enough, or its
 * time is up.  Return 0 if nothing is BAD.  Otherwise return -1 with a sentence and the status of
 * the first that is: EX_PROTOCOL for a stream that is not as it should be, else what following
 * would end with.  A signal ends it early, 128 + its number, after what was found so far.
 */
int check_run(struct client *client, const struct client_url *url,
	const struct check_options *options, struct error *error);

#endif
