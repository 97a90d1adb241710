/* SPDX-License-Identifier: MIT */
/*
 * What a server answered, gathered from libcurl's callbacks, and what it means to a person and
 * to a script: a sentence and an exit status.
 */
#ifndef CLIENT_ANSWER_H
#define CLIENT_ANSWER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "error.h"

/* The most of a body that is kept; it is read for the reason of a refusal alone. */
#define CLIENT_BODY_MAX ((size_t)64 << 10)

/* The head of the last response, and the start of its body.  Values too long are cut. */
struct client_answer {
	long status;	     /* 200; 0 while there is none */
	bool head_ended;     /* the blank line behind the head came */
	char reason[64];     /* what stands behind the status, if anything */
	char type[256];	     /* Content-Type */
	char location[512];  /* Location */
	char id[512];	     /* Last-Event-ID */
	int64_t retry_after; /* ms; -1 if the server named none */
	struct buf body;
};

/* client_answer_init(answer) / client_answer_free(answer): an answer that has not begun. */
void client_answer_init(struct client_answer *answer);
void client_answer_free(struct client_answer *answer);

/*
 * client_answer_header(answer, line, len):
 * Take one line of a head as libcurl hands it over.  A status line makes the answer a new one,
 * so that after redirects the last one stays.
 */
void client_answer_header(struct client_answer *answer, const char *line, size_t len);

/* client_answer_body(answer, data, len): take a piece of the body; false once it is full. */
bool client_answer_body(struct client_answer *answer, const char *data, size_t len);

/* client_answer_is(answer, type): is this the Content-Type, parameters and letter case aside? */
bool client_answer_is(const struct client_answer *answer, const char *type);

/*
 * client_answer_is_redirect(answer):
 * Does it mean to go elsewhere (Fetch, section 2.2.6)?  libcurl follows any 3xx with a Location.
 */
bool client_answer_is_redirect(const struct client_answer *answer);

/* client_answer_again(answer): may the same request succeed later (408, 429, 5xx)? */
bool client_answer_again(const struct client_answer *answer);

/*
 * client_answer_error(answer, shown, error):
 * Put into ${error} what an answer that is not 2xx means, with the reason that the server gave in
 * a problem+json, another JSON object or plain text.  ${shown} is the URL to name.  Return -1.
 */
int client_answer_error(const struct client_answer *answer, const char *shown, struct error *error);

/*
 * client_failure_error(client, code, shown, error):
 * Put into ${error} what a transfer of this client that failed with ${code} means; EX_UNAVAILABLE
 * where another attempt may succeed.  Return -1.
 */
struct client;
int client_failure_error(
	const struct client *client, CURLcode code, const char *shown, struct error *error);

/*
 * client_check_coding(client, shown, error):
 * Can libcurl decode the body of the answer whose head has just come, as its Content-Encoding says?
 * Return 0, or -1: EX_PROTOCOL.
 */
int client_check_coding(const struct client *client, const char *shown, struct error *error);

#endif
