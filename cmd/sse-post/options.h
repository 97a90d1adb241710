/* SPDX-License-Identifier: MIT */
/* What the user asked sse-post for. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "option.h"

/* How data is sent: as the JSON value that it is, else as text; or as the user says. */
enum form { FORM_AUTO, FORM_JSON, FORM_TEXT };

struct options {
	struct client_options client; /* first: its table names fields by offset */
	const char *data;
	const char *event;
	int form;			 /* enum form */
	int64_t retry_max_time, timeout; /* ms */
	const char *target;		 /* the operand that names a topic or URL, or NULL */
	char **fields;			 /* the operands k=v and k:=json */
	size_t field_count;
};

/*
 * options_parse(argc, argv, options, error):
 * Read the environment and the command line.  Free with options_free(), whatever it returned.
 */
enum option_result options_parse(
	int argc, char **argv, struct options *options, struct error *error);

void options_free(struct options *options);

#endif
