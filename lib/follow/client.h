/* SPDX-License-Identifier: MIT */
/*
 * A client's use of libcurl: a handle set up from the options, logging in, request headers, and
 * messages for whoever prints them.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "client_options.h"
#include "error.h"

/* A moment that is never reached. */
#define CLIENT_NEVER INT64_MAX

/* client_after(ms): the moment ${ms} from now; CLIENT_NEVER if ${ms} is 0. */
int64_t client_after(int64_t ms);

struct client;

/* Prints a message, which may hold controls. */
typedef void client_say_fn(const struct client *client, const char *text);

/* A handle and what belongs to it.  Read the fields, do not write them. */
struct client {
	CURL *easy;
	CURLM *multi; /* it keeps the connections */
	const char *program;
	client_say_fn *say;
	const struct client_options *options;
	struct curl_slist *headers;
	char details[CURL_ERROR_SIZE]; /* libcurl's message about the last failure */
	bool cross_origin; /* the next request goes to another origin: headers that hold secrets stay */
	unsigned token_version; /* of the token that the last request was sent with */
};

/*
 * client_init(client, program, options, say, error):
 * Open a handle.  ${say} prints a message of ${program}; without it there are none.  ${program} and
 * ${options} must outlive it.  client_free() releases it, also after a failure; it takes a struct
 * that is all zero.  Nothing of the process is changed but what curl_global_init() did.
 */
int client_init(struct client *client, const char *program, const struct client_options *options,
	client_say_fn *say, struct error *error);
void client_free(struct client *client);

/*
 * client_configure(client, agent, error):
 * Set the handle up from the options as they are now: only http and https, proxies from the
 * environment, ${agent} as User-Agent, TCP keep-alive.  Once, before the first request.
 */
int client_configure(struct client *client, const char *agent, struct error *error);

/*
 * client_begin(client, error):
 * Prepare for a request to the origin that the user named, with the token that the token file has
 * now.  If the file cannot be read, the last token is sent, and -v says so.  Return 0, or -1:
 * EX_OSERR.
 */
int client_begin(struct client *client, struct error *error);

/*
 * client_renews(client, reason):
 * The last request or its stream failed for ${reason}.  If the reason is the login (EX_NOPERM),
 * does the token file have another token now, which the next request will send?  If so, -v says it.
 */
bool client_renews(const struct client *client, const struct error *reason);

/* How the last request logged in. */
enum client_login {
	CLIENT_LOGIN_NONE,
	CLIENT_LOGIN_PLAIN,    /* none, by a library, whose sentences name no option */
	CLIENT_LOGIN_TOKEN,    /* the token of --oauth2-bearer or SSE_TOKEN */
	CLIENT_LOGIN_FILE,     /* the token of --token-file */
	CLIENT_LOGIN_OTHER,    /* a password, cookies, or a header */
	CLIENT_LOGIN_HEADER,   /* none, where only a header of --post-header could be one */
	CLIENT_LOGIN_WITHHELD, /* no login was sent, since a redirect led to another origin */
};

enum client_login client_login(const struct client *client);

/* A request header of the program's own; a header that the user gives with -H replaces it. */
struct client_header {
	const char *name;
	const char *value; /* NULL: send neither this header nor libcurl's own */
};

/* client_set_headers(client, headers, count, error): set the headers of the next requests. */
int client_set_headers(struct client *client, const struct client_header *headers, size_t count,
	struct error *error);

/*
 * client_say(client, level, format, ...):
 * Say one line to the user, if there is somebody to print it.  -q leaves out CLIENT_WARN; the other
 * levels need as many -v.
 */
enum client_level { CLIENT_WARN, CLIENT_EXPLAIN, CLIENT_HEADERS };
void client_say(const struct client *client, enum client_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
