/* SPDX-License-Identifier: MIT */
/*
 * --check: does this URL serve a healthy event stream?  sse-tail requests it as it would to follow
 * it, once to watch the stream and once more to see whether it can be resumed, and prints the
 * findings in plain words.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "follow.h"
#include "client_url.h"
#include "error.h"

/* The default time limit (ms): longer than the usual pause between keep-alive comments. */
#define CHECK_TIME 20000

struct check_options {
	int64_t time;			     /* ms for all of it; 0: CHECK_TIME */
	const struct follow_options *follow; /* the request: id and body */
	bool once;  /* do not send the request a second time: resuming stays untried */
	int colour; /* enum terminal_colour */
};

/*
 * check_run(client, url, options, error):
 * Watch the stream, and print a line for each finding to the standard output: "ok", "note" or
 * "BAD", then the finding and, if it is not ok, what to do about it; and at last a verdict.  A
 * terminal on the standard error is told first how long it takes.  It ends when it has seen enough,
 * or when its time is up.  Return 0 if nothing is BAD.  Otherwise return -1 with a sentence
 * and the status of the first that is: EX_PROTOCOL for a stream that is not correct, else the
 * status that following would end with.  A signal ends it early, with 128 + its number, after the
 * findings so far.
 */
int check_run(struct client *client, const struct client_url *url,
	const struct check_options *options, struct error *error);

#endif
