/* SPDX-License-Identifier: MIT */
/* The URL that an operand means: a complete URL, or the name of a topic. */
#ifndef CLIENT_TARGET_H
#define CLIENT_TARGET_H

#include <stdbool.h>

#include "client_url.h"
#include "error.h"

/* The URL that a topic's name stands for. */
enum client_place {
	CLIENT_TOPIC,  /* $SSE_URL/api/TOPIC: sse-post posts to it */
	CLIENT_STREAM, /* $SSE_URL/api/TOPIC/event: sse-tail follows it */
};

/* The server if SSE_URL is not set, and the topic if the operand is missing. */
#define CLIENT_SERVER "http://localhost:8000"
#define CLIENT_TOPIC_DEFAULT "users"

/*
 * client_target_is_all(operand): is it all topics of a server: /, or a URL whose path ends with
 * /api?
 */
bool client_target_is_all(const char *operand);

/* client_target_is_topic(text): can it be the name of a topic? */
bool client_target_is_topic(const char *text);

/*
 * client_target_is_pattern(operand): is it a pattern of topics, with a * in it, and not a URL?
 */
bool client_target_is_pattern(const char *operand);

/*
 * client_target_make(operand, place, query, url, error):
 * Make the URL that ${operand} means; NULL means the topic users, and / all topics, to post to.  A
 * URL is used unchanged, a topic is appended to SSE_URL.  ${query} ("event=join", encoded by the
 * caller; NULL for none) is appended to the query that the URL has.  Fill ${url}, which the caller
 * frees with client_url_free(); after a failure (EX_USAGE) there is nothing to free.
 */
int client_target_make(const char *operand, enum client_place place, const char *query,
	struct client_url *url, struct error *error);

/*
 * client_target_join(operands, query, url, error):
 * Make the URL of the one stream of these topics and patterns, of which there is at least one; NULL
 * ends them.  The rest is as above; a URL among them is a failure, too.
 */
int client_target_join(
	char *const *operands, const char *query, struct client_url *url, struct error *error);

/*
 * client_target_hide(url, operand):
 * Overwrite the operand that ${url} was made from if it holds secrets, since the list of processes
 * shows it.  Takes NULL.
 */
void client_target_hide(const struct client_url *url, char *operand);

#endif
