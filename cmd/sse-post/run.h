/* SPDX-License-Identifier: MIT */
/*
 * What sse-post does: events go from the input to the server, or to the spool, and what is in the
 * spool goes before them.
 */
#ifndef RUN_H
#define RUN_H

#include "error.h"
#include "options.h"

/*
 * run_post(program, options, error):
 * Send what the options and the input give.  0 if all of it is stored by the server or in the
 * spool; otherwise ${error} says what was not sent, and why.
 */
int run_post(const char *program, const struct options *options, struct error *error);

/*
 * run_flush(program, options, error):
 * Send what waits in the spool: for the URL that is given, or for all.  EX_DATAERR if some was
 * refused (it is in failed/ then).
 */
int run_flush(const char *program, const struct options *options, struct error *error);

/* run_status(options, error): print what waits in the spool. */
int run_status(const struct options *options, struct error *error);

#endif
