/* SPDX-License-Identifier: MIT */
/*
 * The clients' shared use of libcurl: the common options, a handle set up from them, request
 * headers, and the messages on the standard error.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "error.h"
#include "option.h"

/* The common options; the first member of each client's config. */
struct client_options {
	const char *method;	    /* -X; NULL: the program's default */
	struct option_list headers; /* -H "Name: value" */
	const char *user;	    /* -u name:password */
	const char *bearer;
	bool netrc;
	const char *cookies, *cookie_jar; /* -b "a=1; b=2" or a file; -c */
	const char *proxy;
	const char *unix_socket;
	const char *cacert, *cert, *key;
	bool insecure;
	int64_t connect_timeout; /* ms; 0: libcurl's own */
	bool quiet;
	int verbose;
};

/* The rows of those options. */
extern const struct option_row client_option_rows[];

/* client_options_check(options, error): check what the table cannot check; EX_USAGE, EX_NOINPUT. */
int client_options_check(const struct client_options *options, struct error *error);

/* client_options_free(options): release the lists and the secrets. */
void client_options_free(struct client_options *options);

/* A handle and what belongs to it.  Read the fields, do not write them. */
struct client {
	CURL *easy;
	CURLM *multi; /* for client_run(); it keeps the connections */
	const char *program;
	const struct client_options *options;
	struct curl_slist *headers;
	char details[CURL_ERROR_SIZE]; /* libcurl's message about the last failure */
	bool cross_origin; /* the next request goes to another origin: headers that hold secrets stay */
};

/*
 * client_open(client, program, options, error):
 * Open a handle set up from the options: only http and https, proxies from the environment, the
 * name of the program as User-Agent, TCP keep-alive.  ${program} and ${options} must outlive it.
 * client_close() releases it, also after a failure; it takes a struct that is all zero.
 */
int client_open(struct client *client, const char *program, const struct client_options *options,
	struct error *error);
void client_close(struct client *client);

/* A request header of the program's own; a header that the user gives with -H replaces it. */
struct client_header {
	const char *name;
	const char *value; /* NULL: send neither this header nor libcurl's own */
};

/* client_set_headers(client, headers, count, error): set the headers of the next requests. */
int client_set_headers(struct client *client, const struct client_header *headers, size_t count,
	struct error *error);

/* client_has_header(options, name): did the user give this header? */
bool client_has_header(const struct client_options *options, const char *name);

/*
 * client_say(client, level, format, ...):
 * Write one line to the standard error, after the program's name, with controls escaped.  -q leaves
 * out CLIENT_WARN; the other levels need as many -v.
 */
enum client_level { CLIENT_WARN, CLIENT_EXPLAIN, CLIENT_HEADERS };
void client_say(const struct client *client, enum client_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * client_status(client, format, ...):
 * Write as with CLIENT_WARN, but in a terminal the next status replaces the line, so that lasting
 * trouble takes one line.  Elsewhere, write only the first status until client_say() writes.
 */
void client_status(const struct client *client, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * client_await_echo():
 * After a SIGINT, wait until a terminal has echoed the ^C.  It sends the signal first and then
 * echoes, so that a line end written at once would land before the ^C instead of after it.
 */
void client_await_echo(void);

/*
 * client_break_line():
 * Let the next output begin a new line: the terminal has echoed ^C at its cursor, or shows a
 * status.  Call it once, when nothing else ends that line.
 */
void client_break_line(void);

/* client_version(out): libcurl's version for --version. */
void client_version(FILE *out);

#endif
