/* SPDX-License-Identifier: MIT */
/* The options of sse-serve. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "option.h"

enum log_format { LOG_TEXT, LOG_JSON };

struct options {
	struct option_list listen; /* ADDR:PORT, PORT or unix:PATH */
	const char *db;		   /* a file, or ":memory:"; NULL: in the state folder */
	const char *web;	   /* a folder to serve instead of the embedded pages, or NULL */
	struct option_list cors;   /* origins that may read and publish, or "*" */
	bool open;		   /* listen beyond loopback */
	int64_t tick;		   /* ms between "Hello, world!" events; 0: none */
	int64_t heartbeat;	   /* ms of silence before a comment is sent */
	int64_t request_timeout;   /* ms for a request's head, and for its body */
	int64_t max_body;	   /* bytes of a POST */
	int64_t window;		   /* bytes of newest events in memory */
	int log;		   /* enum log_format */
	int verbose;
};

/* options_parse(argc, argv, options, error): defaults, environment and command line. */
enum option_result options_parse(
	int argc, char **argv, struct options *options, struct error *error);

/* options_free(options) */
void options_free(struct options *options);

#endif
