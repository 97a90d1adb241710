/* SPDX-License-Identifier: MIT */
/* The options of sse-post. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "option.h"

/* How data is sent: as the JSON value that it is, else as text; or as the user says. */
enum form { FORM_AUTO, FORM_JSON, FORM_TEXT, FORM_FORM };

/* How the input is split into events. */
enum source { SOURCE_AUTO, SOURCE_LINES, SOURCE_NUL, SOURCE_WHOLE, SOURCE_ENVELOPE, SOURCE_SSE };

/* May events go in batches? */
enum batching { BATCHING_AUTO, BATCHING_ALWAYS, BATCHING_NEVER };

enum results { RESULTS_NONE, RESULTS_JSON };

/* The longest id that --if-match takes. */
#define OPTIONS_TAG_MAX 200

struct options {
	struct client_options client; /* first: its table names fields by offset */
	const char *data, *file;
	const char *event, *subject;
	bool close; /* after all events, close the topic */
	int form;   /* enum form */
	int source; /* enum source, of which these are short names: */
	bool lines, nul, whole, envelope;
	bool skip_bad;
	bool topics; /* the events are for many topics, and name them */
	const char *if_match, *delete;
	char if_match_tag[OPTIONS_TAG_MAX + 3]; /* the value of the header */
	const char *key, *key_from;
	bool at_most_once;
	int64_t retry_max_time, timeout; /* ms */
	int batching;			 /* enum batching */
	int64_t parallel;
	const char *rate_text;
	double rate; /* events a second; 0: as fast as it goes */
	const char *spool;
	int64_t spool_max, spool_max_size, spool_max_age; /* events, bytes, ms */
	bool flush, spool_status;
	const char *state;
	int results;   /* enum results */
	char *target;  /* the operand that names a topic or URL, or NULL */
	char **fields; /* the operands k=v and k:=json */
	size_t field_count;
};

/*
 * options_parse(argc, argv, options, error):
 * Read the environment and the command line.  The caller calls options_free() after any result.
 */
enum option_result options_parse(
	int argc, char **argv, struct options *options, struct error *error);

void options_free(struct options *options);

/* options_many(options): can there be more than one event: lines, a stream, ...? */
bool options_many(const struct options *options);

#endif
