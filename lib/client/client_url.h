/* SPDX-License-Identifier: MIT */
/*
 * The URL of a request, made from the operand: a complete URL, or the name of a topic.
 */
#ifndef CLIENT_URL_H
#define CLIENT_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

/* The URL that a topic's name stands for. */
enum client_place {
	CLIENT_TOPIC,  /* $SSE_URL/api/TOPIC: sse-post posts to it */
	CLIENT_STREAM, /* $SSE_URL/api/TOPIC/event: sse-tail follows it */
};

/* The server if SSE_URL is not set, and the topic if the operand is missing. */
#define CLIENT_SERVER "http://localhost:8000"
#define CLIENT_TOPIC_DEFAULT "users"

struct client_url {
	char *url;    /* to request */
	char *shown;  /* the same to display, without user, password and secrets in the query */
	char *origin; /* scheme://host, and :port if it is not the scheme's own */
};

/* client_url_is(operand): does it begin with http:// or https://? */
bool client_url_is(const char *operand);

/*
 * client_url_is_all(operand): is it all topics of a server: /, or a URL whose path ends with /api?
 */
bool client_url_is_all(const char *operand);

/*
 * client_url_make(operand, place, query, url, error):
 * Make the URL that ${operand} means; NULL means the topic users, and / all topics, to post to.  A
 * URL is used unchanged, a topic is appended to SSE_URL.  ${query} ("event=join", encoded by the caller; NULL for none) is
 * appended to the query that the URL has.  Fill ${url}, which the caller frees with
 * client_url_free(); after a failure (EX_USAGE) there is nothing to free.
 */
int client_url_make(const char *operand, enum client_place place, const char *query,
	struct client_url *url, struct error *error);

/* client_url_set(url, text, error): set the parts from a complete URL, as above. */
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

/*
 * client_url_hide(url, operand):
 * Overwrite the operand that ${url} was made from if it holds secrets, since the list of processes
 * shows it.  Takes NULL.
 */
void client_url_hide(const struct client_url *url, char *operand);

/* client_url_free(url): free its memory; the struct is empty after that. */
void client_url_free(struct client_url *url);

#endif
