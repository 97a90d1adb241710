/* SPDX-License-Identifier: MIT */
/* The options of sse-tail. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdint.h>

#include "client.h"
#include "filter.h"
#include "option.h"
#include "output.h"

struct options {
	struct client_options client; /* first: its table names fields by offset */
	struct output_options output;
	struct filter_options filter;
	bool comments;
	const char *exec;
	bool exec_only; /* a command runs, and no format was given: nothing is printed */
	bool strict;

	int64_t count;	    /* end after so many; 0: never */
	int64_t timeout;    /* ms; 0: none */
	int64_t until_idle; /* ms; 0: never */
	bool fail, flush_eof;

	const char *last_event_id, *since, *state, *resume_from; /* NULL: none */
	const char *data, *json;
	int64_t reconnect_delay; /* ms */
	int64_t retry_max;	 /* consecutive failures that are tried again; -1: any number */
	int64_t read_timeout;	 /* ms; 0: none */
	bool reconnect, no_reconnect;
	bool check;
	char *target; /* the operand, or NULL */
};

/*
 * options_parse(argc, argv, options, error):
 * Read the environment and the command line.  The caller calls options_free() after any result.
 */
enum option_result options_parse(
	int argc, char **argv, struct options *options, struct error *error);

void options_free(struct options *options);

/* options_query(options): the query to add to the URL, encoded; NULL for none. */
#define OPTIONS_QUERY 64
const char *options_query(const struct options *options, char query[OPTIONS_QUERY]);

#endif
