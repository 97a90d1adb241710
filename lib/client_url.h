/* SPDX-License-Identifier: MIT */
/*
 * Where a client goes: the operand, which is a whole URL or the name of a topic, becomes a URL.
 */
#ifndef CLIENT_URL_H
#define CLIENT_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

/* What a topic's name stands for. */
enum client_place {
	CLIENT_TOPIC,  /* $SSE_URL/api/TOPIC: what is posted to */
	CLIENT_STREAM, /* $SSE_URL/api/TOPIC/event: what is followed */
};

/* Where a topic lives if SSE_URL does not say otherwise, and the topic if none is named. */
#define CLIENT_SERVER "http://localhost:8000"
#define CLIENT_TOPIC_DEFAULT "users"

struct client_url {
	char *url;    /* to be asked for */
	char *shown;  /* the same without user, password and what the query may hide, to be shown */
	char *origin; /* scheme://host, and :port if it is not the scheme's own */
};

/* client_url_is(operand): does it begin with http:// or https://? */
bool client_url_is(const char *operand);

/*
 * client_url_make(operand, place, query, url, error):
 * Make the URL that ${operand} means; NULL means the topic users.  A URL is used as it stands, a
 * topic is put behind SSE_URL.  ${query} ("event=join", encoded by the caller; NULL for none) is
 * added behind the query that the URL has.  Fills ${url}, which the caller frees with
 * client_url_free(); after a failure (EX_USAGE) there is nothing to free.
 */
int client_url_make(const char *operand, enum client_place place, const char *query,
	struct client_url *url, struct error *error);

/* client_url_set(url, text, error): the parts of a whole URL, as above. */
int client_url_set(
	struct client_url *url, const char *text, const char *query, struct error *error);

/*
 * client_url_follow(from, location, url, error):
 * Make the URL that an answer of the URL ${from} leads to with the Location ${location}, which may
 * be relative (RFC 9110, section 10.2.2); as above.  ${from} may be NULL: a failure.
 */
int client_url_follow(
	const char *from, const char *location, struct client_url *url, struct error *error);

/*
 * client_url_is_secret(name, len):
 * Does a header or query parameter of this name hold what lets its reader act as us?
 */
bool client_url_is_secret(const char *name, size_t len);

/* Room for what the next function writes. */
#define CLIENT_URL_TEXT 400

/*
 * client_url_text(text, shown):
 * Write what may be shown of a URL that may be wrong, or relative: without user and password, and
 * with what is secret in its query as dots; cut if it is long.  Return ${shown}.
 */
const char *client_url_text(const char *text, char shown[CLIENT_URL_TEXT]);

/*
 * client_url_hide(url, operand):
 * Write over the operand that ${url} was made of, if it holds what is not to be shown: the list of
 * processes shows it.  NULL is fine.
 */
void client_url_hide(const struct client_url *url, char *operand);

/* client_url_free(url): the struct is empty afterwards. */
void client_url_free(struct client_url *url);

#endif
