/* SPDX-License-Identifier: MIT */
/* The topics of a server, for the completions of a shell. */
#ifndef TOPICS_H
#define TOPICS_H

#include "client.h"
#include "error.h"

/*
 * topics_print(program, options, error):
 * Print the topics of the server in SSE_URL that begin with options->topics, one per line, except
 * those that begin with a dash.  Whatever the server answers, each line is the name of a topic, with
 * nothing in it that acts on a terminal or that is special inside a word of a shell.  Return 0; or
 * -1, with nothing printed: among others EX_TEMPFAIL if there is no list after TOPICS_TIME, and
 * EX_DATAERR if the list may have been cut off among the topics that begin so.
 */
#define TOPICS_TIME 200 /* ms */
int topics_print(const char *program, const struct client_options *options, struct error *error);

#endif
