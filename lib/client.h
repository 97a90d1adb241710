/* SPDX-License-Identifier: MIT */
/*
 * What the clients share over libcurl: their common options, a handle that is set up by them,
 * request headers, and what is said on the standard error.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "client_answer.h"
#include "error.h"
#include "option.h"

/* The common options; the first member of each client's config. */
struct client_options {
	const char *method;	    /* -X; NULL: what the program takes */
	struct option_list headers; /* -H "Name: value" */
	const char *user;	    /* -u name:password */
	const char *bearer;
	bool netrc;
	const char *cookies, *cookie_jar; /* -b "a=1; b=2" or a file; -c */
	const char *proxy;
	const char *unix_socket;
	const char *cacert, *cert, *key;
	bool insecure;
	int64_t connect_timeout; /* ms */
	bool quiet;
	int verbose;
};

/* The rows of those options, and the values that they start from. */
extern const struct option_row client_option_rows[];
#define CLIENT_OPTIONS_DEFAULT ((struct client_options){.connect_timeout = 10000})

/* client_options_check(options, error): what the table cannot check; EX_USAGE, EX_NOINPUT. */
int client_options_check(const struct client_options *options, struct error *error);

/* client_options_free(options): release the lists and the secrets. */
void client_options_free(struct client_options *options);

/* A handle and what belongs to it.  Read the fields, do not write them. */
struct client {
	CURL *easy;
	CURLM *multi; /* what client_run() wants; it keeps the connections */
	const char *program;
	const struct client_options *options;
	struct curl_slist *headers;
	char details[CURL_ERROR_SIZE]; /* libcurl's words on the last failure */
	bool stranger; /* the next request goes to another origin: headers that hold secrets stay */
};

/*
 * client_open(client, program, options, error):
 * A handle set up by the options: only http and https, proxies as the environment says, the name
 * of the program as User-Agent, TCP keep-alive.  ${program} and ${options} must outlive it.
 * client_close() releases it, also after a failure; it takes a struct that is all zero.
 */
int client_open(struct client *client, const char *program, const struct client_options *options,
	struct error *error);
void client_close(struct client *client);

/* A request header of the program's own; one that the user gave with -H takes its place. */
struct client_header {
	const char *name;
	const char *value; /* NULL leaves the header out, and what libcurl would send too */
};

/* client_set_headers(client, headers, count, error): the headers of the next requests. */
int client_set_headers(struct client *client, const struct client_header *headers, size_t count,
	struct error *error);

/* client_has_header(options, name): did the user give this header? */
bool client_has_header(const struct client_options *options, const char *name);

/*
 * client_say(client, level, format, ...):
 * One line on the standard error, with the program's name before it and controls shown escaped.
 * CLIENT_WARN is left out with -q, the others unless there are as many -v.
 */
enum client_level { CLIENT_WARN, CLIENT_EXPLAIN, CLIENT_HEADERS };
void client_say(const struct client *client, enum client_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * client_status(client, format, ...):
 * The same as CLIENT_WARN, but in a terminal the next such line takes its place, so that trouble
 * that goes on is one line; anywhere else only the first until client_say() is written.
 */
void client_status(const struct client *client, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * client_break_line():
 * What comes next begins a line: a terminal has written ^C where its cursor was, or a status is
 * there.  Once, when nothing else ends that line.
 */
void client_break_line(void);

/* client_version(out): libcurl's version for --version. */
void client_version(FILE *out);

#endif
