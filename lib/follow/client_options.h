/* SPDX-License-Identifier: MIT */
/* What a client can be told about its requests, connections and messages. */
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "option.h"

struct client_token;

/* For the programs, the common options, and the first member of each config; see client_rows.h. */
struct client_options {
	const char *method;	    /* -X; NULL: the program's default */
	struct option_list headers; /* -H "Name: value" */
	const char *user;	    /* -u name:password */
	const char *bearer;
	const char *token_file;
	bool netrc;
	const char *cookies, *cookie_jar; /* -b "a=1; b=2" or a file; -c */
	const char *proxy;
	const char *unix_socket;
	const char *cacert, *cert, *key;
	bool insecure;
	int64_t connect_timeout; /* ms; 0: libcurl's own */
	bool embedded;		 /* in a library: no sentence names an option of a command line */
	bool quiet;
	int verbose;
	const char *topics; /* list the topics that begin so, and nothing else; NULL: do not */
	struct client_token *token; /* of the token file; NULL without one */
};

/* client_options_has_header(options, name): did the user give this header? */
bool client_options_has_header(const struct client_options *options, const char *name);

/*
 * client_options_header_name(line):
 * The length of the name in "Name: value", or in "Name;", which means an empty value; 0 without
 * one.
 */
size_t client_options_header_name(const char *line);

/*
 * client_options_has_controls(text): but for the tab?  Nothing of a header may hold them (RFC 9110,
 * section 5.5).  Takes NULL.
 */
bool client_options_has_controls(const char *text);

/* client_options_header_fault(line): why it cannot be sent as a header; NULL if it can. */
const char *client_options_header_fault(const char *line);

/*
 * client_options_has_cookie_file(options): is -b a file?  Not if it looks like cookies, as in curl.
 */
bool client_options_has_cookie_file(const struct client_options *options);

#endif
