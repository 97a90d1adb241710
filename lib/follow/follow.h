/* SPDX-License-Identifier: MIT */
/*
 * Following an event stream (WHATWG HTML, section 9.2): connect, hand over each event as it
 * arrives, and when the stream ends or fails, connect again with the id of the last event.  A
 * stream of JSON lines is followed in the same way, without ids: see framing.h.
 *
 * A follower never waits: the caller steps it, and waits in between for what it says.
 *
 *	struct follow *follow = follow_new(&client, &url, &options, &sink, NULL, context, &error);
 *
 *	while (follow_step(follow) == FOLLOW_ON)
 *		curl_multi_poll(client.multi, NULL, 0, ms_until(follow_due(follow)), NULL);
 *
 * lib/client/follow_run.h does so for programs, with their signals and messages; sse_follow.h is
 * the interface of the library.  One thread at a time, and one follower at a time for each client.
 */
#ifndef FOLLOW_H
#define FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "brief.h"
#include "client.h"
#include "client_answer.h"
#include "client_url.h"
#include "error.h"
#include "sse.h"

/* The least pause before connecting again that a user can ask for (ms). */
#define FOLLOW_DELAY_MIN 10

struct follow_options {
	const char *last_id; /* NULL or empty: start from now; see subscribe_id_fits() */
	const char *body;    /* NULL: none; a body makes the method POST, unless -X names another */
	size_t body_len;
	const char *body_type; /* its Content-Type */
	bool lines;	       /* each line is an event, whatever the Content-Type */
	bool reconnect;	       /* if false, there is one attempt */
	bool polls;	       /* instead of a stream; see fallback.h */
	bool falls_back;       /* polls instead of a stream that is held back; see fallback.h */
	bool lines_again; /* connect again also after lines that the server ended in good order:
				  without ids they come again, or some are missed */
	bool refused_for_good; /* no retry after 408, 429 and 5xx either */
	bool flush_end;	       /* hand over an event that the stream's end cuts off; its id does not
				  become the last id */
	int64_t delay;	       /* ms, FOLLOW_DELAY_MIN or more; the stream's own retry field, of at
				  least BACKOFF_ASKED_MIN, takes its place */
	int64_t retry_max;     /* attempts in a row without an event that are followed by another;
				  -1: any number */
	int64_t read_timeout;  /* ms that a stream may be silent; 0: no limit, but for a server that
				  promises a heartbeat: two of them, and 5 s */
	const int64_t *until; /* a moment of clock_now_ms(), which the sink may move; NULL: never */
};
#define FOLLOW_OPTIONS_DEFAULT                                                                     \
	((struct follow_options){.reconnect = true, .delay = 2000, .retry_max = -1})

/*
 * What the follower calls.  Those that return a bool return false to stop; all but event may be
 * NULL.  Texts, and ${origin} of the stream, are valid during the call.
 */
struct follow_sink {
	bool (*event)(void *context, const struct sse_event *event, const char *origin);
	bool (*comment)(void *context, struct sse_text text);
	/*
	 * All events in this piece of the stream were handed over; the next request will send
	 * ${last_id}.  It may block.
	 */
	bool (*piece)(void *context, const char *data, size_t len, struct sse_text last_id);
	/* A stream begins, of JSON lines or of events; the answer's head is unchanged. */
	bool (*opened)(void *context, const struct client_answer *answer, bool lines);
};

/* What else happens, told to whoever steps the follower.  Each may be NULL. */
struct follow_host {
	/* After each event: is it to connect again at once, and leave the rest of the piece? */
	bool (*again)(void *context);
	/* An attempt brought a stream: each of them, while the sink sees all polls as one. */
	void (*works)(void *context);
	/* The stream brings something, which the sink gets after this. */
	void (*hears)(void *context);
	/* An attempt failed for ${reason}, after a stream had begun if ${stream}; a pause follows. */
	void (*pauses)(void *context, bool stream, const struct error *reason, int64_t ms);
	/* The login was refused: has the client another now, with which to try again after a pause? */
	bool (*renews)(void *context, const struct error *reason);
	void *context;
};

enum follow_end {
	FOLLOW_ON, /* it is not over */
	/* For the next three, the error's status is 0. */
	FOLLOW_ENDED,	/* by the server, without reconnecting */
	FOLLOW_CLOSED,	/* for good: 204, or after the event that closed the one topic; closing.h */
	FOLLOW_STOPPED, /* by the sink */
	FOLLOW_TIME,	/* the moment came; the error's status is 0 if a stream was open then, else
			   the error says why there was none */
	FOLLOW_FAILED,	/* see the error */
};

struct follow;

/*
 * follow_new(client, url, options, sink, host, context, error):
 * Prepare to follow the stream.  Each attempt begins at ${url} and follows redirects, and sends no
 * secret to another origin.  All that is given is borrowed, and stays as it is but for
 * *${options}->until; ${host} may be NULL, ${context} is the sink's.  NULL without memory.
 */
struct follow *follow_new(struct client *client, const struct client_url *url,
	const struct follow_options *options, const struct follow_sink *sink,
	const struct follow_host *host, void *context, struct error *error);

/* follow_free(follow): ends what is under way, and calls nothing.  Takes NULL. */
void follow_free(struct follow *follow);

/*
 * follow_step(follow):
 * Do what can be done without waiting, as little as one event's bytes or as much as a few pieces.
 * Anything but FOLLOW_ON is the end, which stays.
 */
enum follow_end follow_step(struct follow *follow);

/* follow_stop(follow): end it now, with FOLLOW_STOPPED.  Not in its callbacks. */
enum follow_end follow_stop(struct follow *follow);

/*
 * follow_due(follow): the moment at which to step at the latest; before, when the client's multi
 * has something to do.
 */
int64_t follow_due(const struct follow *follow);

/*
 * follow_heard(follow): when the stream that is open brought anything last, or began; CLIENT_NEVER
 * if none is open.  follow_heartbeat(follow): ms after which its server breaks its silence; 0 if it
 * did not say.
 */
int64_t follow_heard(const struct follow *follow);
int64_t follow_heartbeat(const struct follow *follow);

/* follow_is_pausing(follow): is it between two attempts? */
bool follow_is_pausing(const struct follow *follow);

/*
 * follow_again(follow): connect again at once, with the next step; that attempt counts as the
 * first.
 */
void follow_again(struct follow *follow);

/* follow_error(follow): of the end, or of the last attempt that failed. */
const struct error *follow_error(const struct follow *follow);

/* follow_last_id(follow): what the next request sends; valid until the next step. */
struct sse_text follow_last_id(const struct follow *follow);

/* follow_brief(follow): how the last attempt ended; valid until the next begins. */
struct brief follow_brief(const struct follow *follow);

/* follow_status(follow): of the last answer; 0 before there is one. */
long follow_status(const struct follow *follow);

#endif
