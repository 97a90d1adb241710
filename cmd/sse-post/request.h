/* SPDX-License-Identifier: MIT */
/*
 * One request: its events, its headers and its body, and the server's answer.  It knows HTTP; it
 * does not know what an answer means or when to retry.
 *
 * A request is reused: request_prepare() chooses the events, request_begin() prepares an attempt,
 * and then the caller runs the transfer of request->client.easy.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "client.h"
#include "client_answer.h"
#include "client_voice.h"
#include "destination.h"
#include "error.h"
#include "event/group.h"
#include "options.h"

/*
 * How long a server that has the request may take to answer (ms): not beyond the time for retries,
 * but an attempt that begins at the end of that time is one, too.
 */
#define REQUEST_ANSWER_MAX 60000
#define REQUEST_ANSWER_MIN 5000

/* Read the fields, do not write them. */
struct request {
	struct client client;
	struct client_answer answer;
	struct buf answer_lines; /* of a batch that was accepted */
	struct buf body;	 /* of a batch */
	struct buf url;		 /* requested, NUL-terminated */
	const struct options *options;
	const struct destination *to;
	const struct group *group;
	size_t from, count; /* events of the group */
	bool batch;	    /* it is a batch: always, where events name their topics */
	bool replayed;	    /* the server already had the one event */
	const char *send;   /* its body, */
	size_t len, handed; /* and how much of it libcurl took */
	/* Moments: of --timeout, of the end of all retries, and of the begin and end of this attempt. */
	int64_t end, give_up_at, begun, until;
};

/*
 * request_open(request, program, options, end, private, error):
 * Make a request whose transfer has ${private} as CURLINFO_PRIVATE; nothing is connected.  ${end}
 * is the moment of --timeout.  0, or -1 as client_open().  request_close() frees, also after a
 * failure.
 */
int request_open(struct request *request, const char *program, const struct options *options,
	int64_t end, void *private, struct error *error);
void request_close(struct request *request);

/*
 * request_prepare(request, to, group, from, max, error):
 * Choose the events of ${group}, which is borrowed, from ${from} on: one, or with ${max} over 1 a
 * batch of up to ${max} events, if they can go together.  0, or -1: EX_OSERR.
 */
int request_prepare(struct request *request, const struct destination *to,
	const struct group *group, size_t from, size_t max, struct error *error);

/*
 * request_begin(request, give_up_at, error):
 * Prepare one more attempt; retries end at ${give_up_at}, CLIENT_NEVER if there are none.  0, or
 * -1: EX_OSERR.
 */
int request_begin(struct request *request, int64_t give_up_at, struct error *error);

/*
 * request_answer_by(give_up_at):
 * The moment until which a server that got more of a request just now may answer it.
 */
int64_t request_answer_by(int64_t give_up_at);

/*
 * request_silence_error(shown, begun, error):
 * Say that the server did not answer in the time since ${begun}.  Return -1.
 */
int request_silence_error(const char *shown, int64_t begun, struct error *error);

/* request_is_once(request): does it have an event without a key, which cannot be sent twice? */
bool request_is_once(const struct request *request);

/* request_is_answered(request): did an answer say whether it succeeded? */
bool request_is_answered(const struct request *request);

/* request_was_sent(request): may all of it have reached the server? */
bool request_was_sent(const struct request *request);

/*
 * request_results(request, code):
 * The number of result lines in the answer to an accepted batch; 0 if it has none, if none was
 * requested, or if the transfer, which ended with ${code}, delivered only a part of them.
 */
size_t request_results(const struct request *request, CURLcode code);

/* request_refusal_error(request, error): fill ${error} for an answer of 300 or more. */
void request_refusal_error(const struct request *request, struct error *error);

/* request_found_nobody(request, code): did the transfer fail because nothing listens there? */
bool request_found_nobody(const struct request *request, CURLcode code);

#endif
