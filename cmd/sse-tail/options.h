/* SPDX-License-Identifier: MIT */
/* What the user asked sse-tail for. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdint.h>

#include "client.h"
#include "option.h"

struct options {
	struct client_options client; /* first: its table names fields by offset */
	int format;		      /* index in output_formats[]; -1: by what the output is */
	struct option_list events;    /* globs; an event's type has to match one if there are any */
	int colour;		      /* enum terminal_colour */
	int64_t count;		      /* end after so many; 0: never */
	int64_t timeout;	      /* ms; 0: none */
	const char *last_event_id;    /* NULL: none */
	int64_t reconnect_delay;      /* ms */
	int64_t retry_max;    /* consecutive failures that are tried again; -1: any number */
	int64_t read_timeout; /* ms; 0: none */
	bool no_reconnect;
	char *target; /* the operand, or NULL */
};

/*
 * options_parse(argc, argv, options, error):
 * Read the environment and the command line.  Free with options_free(), whatever it returned.
 */
enum option_result options_parse(
	int argc, char **argv, struct options *options, struct error *error);

void options_free(struct options *options);

#endif
