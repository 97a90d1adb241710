/* SPDX-License-Identifier: MIT */
/* The URL of a request, what of it may be shown, and where it leads to. */
#ifndef CLIENT_URL_H
#define CLIENT_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

struct client_url {
	char *url;    /* to request */
	char *shown;  /* the same to display, without user, password and secrets in the query */
	char *origin; /* scheme://host, and :port if it is not the scheme's own */
};

/* client_url_is(operand): does it begin with http:// or https://? */
bool client_url_is(const char *operand);

/*
 * client_url_set(url, text, query, error):
 * Set the parts from a complete URL; ${query} ("event=join", encoded by the caller; NULL for none)
 * is appended to the query that it has.  Fill ${url}, which the caller frees with
 * client_url_free(); after a failure (EX_USAGE) there is nothing to free.
 */
int client_url_set(
	struct client_url *url, const char *text, const char *query, struct error *error);

/*
 * client_url_follow(from, location, url, error):
 * Make the URL that the Location ${location} in an answer from the URL ${from} leads to, which may
 * be relative (RFC 9110, section 10.2.2); as above.  ${from} may be NULL: a failure.
 */
int client_url_follow(
	const char *from, const char *location, struct client_url *url, struct error *error);

/*
 * client_url_is_stream(url): is it a stream of sse-serve, by the form of its path (/api/.../event)?
 */
bool client_url_is_stream(const char *url);

/* client_url_has_parameter(url, name): does its query have "name="? */
bool client_url_has_parameter(const char *url, const char *name);

/*
 * client_url_is_secret(name, len):
 * Does a header or query parameter of this name hold credentials?
 */
bool client_url_is_secret(const char *name, size_t len);

/* Room for the text that the next function writes. */
#define CLIENT_URL_TEXT 400

/*
 * client_url_text(text, shown):
 * Write a URL, which may be invalid or relative, so that it can be displayed: without user and
 * password, with dots for secrets in its query, and cut if it is long.  Return ${shown}.
 */
const char *client_url_text(const char *text, char shown[CLIENT_URL_TEXT]);

/* client_url_free(url): free its memory; the struct is empty after that. */
void client_url_free(struct client_url *url);

#endif
