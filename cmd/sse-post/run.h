/* SPDX-License-Identifier: MIT */
/*
 * The runs of sse-post: it sends events from the input to the server, or to the spool; the events
 * in the spool go first.
 */
#ifndef RUN_H
#define RUN_H

#include <stdint.h>

#include "error.h"
#include "options.h"

/*
 * run_post(program, options, error):
 * Send the events of the options and the input.  0 if the server or the spool has stored all of
 * them; otherwise ${error} says what was not sent, and why.
 */
int run_post(const char *program, const struct options *options, struct error *error);

/*
 * run_flush(program, options, error):
 * Send the events that wait in the spool: for the URL that is given, or for all.  EX_DATAERR if
 * some were refused (they are then in failed/).
 */
int run_flush(const char *program, const struct options *options, struct error *error);

/*
 * run_flush_queue(program, options, url, until, error):
 * As run_flush(), for the queue of ${url}, until the moment ${until} of clock_now_ms().
 */
int run_flush_queue(const char *program, const struct options *options, const char *url,
	int64_t until, struct error *error);

/*
 * run_delete(program, options, error):
 * Delete the event that --delete names.  0 if the server has deleted it; otherwise ${error} says why
 * not.
 */
int run_delete(const char *program, const struct options *options, struct error *error);

/*
 * run_status(program, options, error):
 * Print how many events wait in the spool; if there are none, see run_tell_empty().
 */
int run_status(const char *program, const struct options *options, struct error *error);

/*
 * run_tell_empty(program, options, url):
 * Tell a person at a terminal that no event waits in the spool: for this URL, or for any (NULL).
 */
void run_tell_empty(const char *program, const struct options *options, const char *url);

#endif
