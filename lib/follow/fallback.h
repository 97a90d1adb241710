/* SPDX-License-Identifier: MIT */
/*
 * Polling instead of a stream that something on the way holds back.
 *
 * sse-serve sends the first bytes of a stream at once.  If nothing comes although the request was
 * sent, a HEAD asks whether the server is there, and is a sse-serve that knows polls; the stream
 * stays open meanwhile, as another server may only be slow.  From then on each request is for what
 * comes next (until=now, wait=...).  Its answer ends, so whatever holds it back must let it
 * through.
 */
#ifndef FALLBACK_H
#define FALLBACK_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "client_answer.h"
#include "client_url.h"
#include "error.h"
#include "sse.h"

/* How long nothing may come before the server is asked (ms). */
#define FALLBACK_AFTER_MS 5000

/* Only fallback.c reads the fields. */
struct fallback {
	const struct client *client;
	const struct client_url *stream;
	struct client_url poll;
	bool possible; /* no server answered yet that there are polls, or none */
	bool polling;  /* the client's requests are polls from now on */
	int64_t first; /* when the stream was asked for whose place they take */
	int64_t wait;  /* of each (ms); 0 before the first */
	int64_t asked; /* how long the server took to answer HEAD (ms) */
	bool keeps;    /* the user asked for the marks */
	bool opened;   /* a poll was answered */
	bool came;     /* bytes of a poll came, so there is an id to resume after */

	/* Of this attempt: */
	int64_t at; /* when to look: is the stream held back, or the HEAD late?  CLIENT_NEVER: not */
	CURL *head; /* the HEAD that is under way, or NULL; it runs in the client's multi */
	struct curl_slist *headers;
	struct client_answer answer;
	int64_t head_begun;
	int64_t begun;
	bool brought; /* it brought an event */
	bool marked;  /* a poll: it said that it was complete */
};

/*
 * fallback_init(fallback, client, stream): of GETs of this URL.  Both outlive it, and it stays at
 * its place.  One that is all zero does nothing.
 */
void fallback_init(
	struct fallback *fallback, const struct client *client, const struct client_url *stream);

/* fallback_free(fallback): takes one that is all zero. */
void fallback_free(struct fallback *fallback);

/* fallback_attempt(fallback): the request will be made now.  False without memory. */
bool fallback_attempt(struct fallback *fallback);

/* fallback_due(fallback): when to look at the latest. */
int64_t fallback_due(const struct fallback *fallback);

/*
 * fallback_look(fallback): look, if it is time.  True if the attempt is to end, since the stream is
 * held back and the server knows polls: then call fallback_begin().
 */
bool fallback_look(struct fallback *fallback);

/* fallback_answered(fallback, code): the transfer of the HEAD ended so.  Then look. */
void fallback_answered(struct fallback *fallback, CURLcode code);

/* fallback_end(fallback): the attempt is over, and so is a HEAD. */
void fallback_end(struct fallback *fallback);

/* fallback_quiet(fallback): something came: it is not held back. */
void fallback_quiet(struct fallback *fallback);

/* fallback_start(fallback, read_timeout): all requests are polls, without asking whether they must. */
void fallback_start(struct fallback *fallback, int64_t read_timeout);

/*
 * fallback_begin(fallback, read_timeout):
 * From now on polls take the place of the stream, unless they do already: then it is false.  The
 * user is told.  Without an id to resume after, polls have what came since the attempt began, and
 * a moment more, unless the URL says where to start.
 */
bool fallback_begin(struct fallback *fallback, int64_t read_timeout);

/*
 * fallback_opens(fallback): the head of an answer came: does a stream begin?  To the user, all
 * polls are one stream.
 */
bool fallback_opens(struct fallback *fallback);

/* fallback_takes(fallback, event): is the event the mark of a poll, which is not handed on? */
bool fallback_takes(struct fallback *fallback, const struct sse_event *event);

/*
 * fallback_continues(fallback): was this a complete poll, which the next may follow at once?  One
 * that neither waited nor brought anything is no reason to ask again and again.
 */
bool fallback_continues(const struct fallback *fallback);

#endif
