/* SPDX-License-Identifier: MIT */
/*
 * What the parts of a follower share: follow_step.c steps it, follow_stream.c takes what one attempt
 * brings.
 */
#ifndef FOLLOW_STATE_H
#define FOLLOW_STATE_H

#include "backoff.h"
#include "fallback.h"
#include "follow.h"
#include "framing.h"
#include "subscribe.h"

/* The longest pause that a server can ask for (ms). */
#define FOLLOW_DELAY_ASKED_MAX 3600000

enum follow_phase { FOLLOW_BEGINS, FOLLOW_RUNS, FOLLOW_PAUSES, FOLLOW_OVER };

struct follow {
	struct client *client;
	const struct client_url *url;
	const struct follow_options *options;
	const struct follow_sink *sink;
	struct follow_host host;
	void *context; /* the sink's */
	struct sse_callbacks callbacks;
	struct subscribe subscribe; /* the requests */
	struct framing framing;
	struct backoff backoff;
	int64_t failures; /* attempts in a row that brought no event */
	struct fallback fallback;
	enum follow_phase phase;
	enum follow_end end; /* FOLLOW_ON until it is over */
	struct error error;
	bool hung_up;	   /* it is to connect again at once */
	int64_t heartbeat; /* ms, that the newest stream promised; 0: none */

	/* Of this attempt: */
	struct client_answer answer;
	struct client_url source; /* where redirects led to; its origin is the events' */
	int64_t until;	     /* when to give up, data that arrives moves it; or to end the pause */
	int64_t opened;	     /* when the stream began; CLIENT_NEVER before */
	int64_t heard;	     /* when it brought anything last, or began */
	bool brought;	     /* the stream brought anything */
	bool closed;	     /* the last of its events with an id closed a topic */
	bool stopped;	     /* by the sink */
	bool silent;	     /* it was given up, since nothing came */
	CURLcode code;	     /* of its transfer */
	struct error broken; /* the stream cannot be read on; status 0 if it can */
};

/* follow_stream_open(follow): prepare the framing, and have the client's transfers come here. */
bool follow_stream_open(struct follow *follow);

/*
 * follow_stream_end(follow, whole): the stream is over, in good order if ${whole}: what of an event
 * came is dropped, or handed over.
 */
void follow_stream_end(struct follow *follow, bool whole);

/* follow_end_of_all(follow): the moment. */
int64_t follow_end_of_all(const struct follow *follow);

/* follow_patience(follow): ms that the server may be silent; 0: no limit. */
int64_t follow_patience(const struct follow *follow);

/*
 * follow_expect(follow, ms): give the attempt up in ${ms}, or never if that is 0; at the latest when
 * all ends.
 */
void follow_expect(struct follow *follow, int64_t ms);

#endif
