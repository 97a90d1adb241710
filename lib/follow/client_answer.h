/* SPDX-License-Identifier: MIT */
/*
 * A server's answer, collected from libcurl's callbacks, and its meaning for a person and for a
 * script: a sentence and an exit status.
 */
#ifndef CLIENT_ANSWER_H
#define CLIENT_ANSWER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "client.h"
#include "error.h"

/* The most bytes of a body that are kept; it is read only for the reason of a refusal. */
#define CLIENT_BODY_MAX ((size_t)64 << 10)

/* The head of the last response, and the start of its body.  Values that are too long are cut. */
struct client_answer {
	long status;	     /* 200; 0 before there is one */
	bool head_ended;     /* the blank line after the head came */
	char reason[64];     /* the text after the status, if any */
	char type[256];	     /* Content-Type */
	char location[512];  /* Location */
	char id[512];	     /* Last-Event-ID */
	char until[16];	     /* Stream-Until: sse-serve ends the stream by itself */
	char latest[16];     /* Stream-Latest: sse-serve begins with present values */
	int64_t heartbeat;   /* ms, Stream-Heartbeat: no silence is longer; 0: not promised */
	int64_t retry_after; /* ms; -1 if the server did not send it */
	struct buf body;
};

/* client_answer_init(answer) / client_answer_free(answer): an answer that has not begun. */
void client_answer_init(struct client_answer *answer);
void client_answer_free(struct client_answer *answer);

/*
 * client_answer_header(answer, line, len):
 * Take one line of a head, as libcurl passes it.  A status line begins a new answer, so that after
 * redirects the last answer remains.
 */
void client_answer_header(struct client_answer *answer, const char *line, size_t len);

/* client_answer_body(answer, data, len): take a piece of the body; false once it is full. */
bool client_answer_body(struct client_answer *answer, const char *data, size_t len);

/*
 * client_answer_collect(answer, easy): have a transfer take all of its answer, and end when that is
 * full.  The answer outlives the transfer.
 */
void client_answer_collect(struct client_answer *answer, CURL *easy);

/* client_answer_is(answer, type): is this the Content-Type, parameters and letter case aside? */
bool client_answer_is(const struct client_answer *answer, const char *type);

/*
 * client_answer_is_redirect(answer):
 * Is it a redirect (Fetch, section 2.2.6)?  libcurl follows any 3xx with a Location.
 */
bool client_answer_is_redirect(const struct client_answer *answer);

/* client_answer_again(answer): may the same request succeed later (408, 429, 5xx)? */
bool client_answer_again(const struct client_answer *answer);

/*
 * client_answer_error(answer, login, shown, error):
 * Fill ${error} for an answer that is not 2xx, with the reason that the server gave in a
 * problem+json, another JSON object or plain text.  ${login} is how the request logged in, to say
 * what would help; ${shown} is the URL to name.  Return -1.
 */
int client_answer_error(const struct client_answer *answer, enum client_login login,
	const char *shown, struct error *error);

/*
 * client_failure_error(client, code, shown, error):
 * Fill ${error} for a transfer of this client that failed with ${code}; EX_UNAVAILABLE if another
 * attempt may succeed.  Return -1.
 */
int client_failure_error(
	const struct client *client, CURLcode code, const char *shown, struct error *error);

/*
 * client_check_coding(client, shown, error):
 * Can libcurl decode the body of the answer whose head has just arrived, by its Content-Encoding?
 * Return 0, or -1: EX_PROTOCOL.
 */
int client_check_coding(const struct client *client, const char *shown, struct error *error);

#endif
