/* SPDX-License-Identifier: MIT */
/* The options of sse-tail. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdint.h>

#include "client.h"
#include "filter.h"
#include "option.h"
#include "output.h"
#include "relay.h"

struct options {
	struct client_options client; /* first: its table names fields by offset */
	struct output_options output;
	struct filter_options filter;
	bool comments;
	const char *exec;
	struct relay_options post;
	bool silent; /* events are for --exec or --post, and no format was given: nothing is printed */
	bool strict;

	int64_t count;	    /* end after so many; 0: never */
	int64_t timeout;    /* ms; 0: none */
	int64_t until_idle; /* ms; 0: never */
	bool fail, flush_eof;

	int64_t last; /* begin with so many; -1: not given */
	bool latest;  /* begin with the newest event of each subject */
	int until;    /* the end, 0; -1: not given */

	const char *last_event_id, *since, *state, *resume_from; /* NULL: none */
	const char *data, *json;
	int64_t reconnect_delay; /* ms */
	int64_t retry_max;	 /* consecutive failures that are tried again; -1: any number */
	int64_t read_timeout;	 /* ms; 0: none */
	bool reconnect, no_reconnect;
	bool reconnect_always; /* also with a body, and after a stream that has no ids */
	bool lines;	       /* each line is an event, whatever the Content-Type */
	bool poll;	       /* no stream, but one request after the other */
	bool check;
	char **targets; /* the operands: topics and patterns, or one URL; NULL ends them */
	bool many;	/* the stream has several topics, or may have */
	enum options_envelopes {
		ENVELOPES_NONE, /* events come without, or as the user asked for them */
		ENVELOPES_READ, /* the user asked for them: they only tell the time */
		ENVELOPES_OPEN, /* they are asked for, and events are taken out of them */
	} envelopes;
};

/*
 * options_parse(argc, argv, options, error):
 * Read the environment and the command line.  The caller calls options_free() after any result.
 */
enum option_result options_parse(
	int argc, char **argv, struct options *options, struct error *error);

void options_free(struct options *options);

/* options_topic(options): the topic, if the stream is of one that is known by name; else NULL. */
const char *options_topic(const struct options *options);

/* options_query(options): the query to add to the URL, encoded; NULL for none. */
#define OPTIONS_QUERY 128
const char *options_query(const struct options *options, char query[OPTIONS_QUERY]);

#endif
