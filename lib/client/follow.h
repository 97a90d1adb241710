/* SPDX-License-Identifier: MIT */
/*
 * Following an event stream (WHATWG HTML, section 9.2): connect, hand over each event as it
 * arrives, and when the stream ends or fails, connect again with the id of the last event.  A stream
 * of JSON lines is followed in the same way, without ids: see framing.h.
 *
 *	static bool print(void *context, const struct sse_event *event, const char *origin)
 *	{
 *		(void)context, (void)origin;
 *		return printf("%.*s\n", (int)event->data.len, event->data.data) >= 0;
 *	}
 *
 *	struct client_options common = {0};
 *	struct follow_options options = FOLLOW_OPTIONS_DEFAULT;
 *	struct follow_sink sink = {.event = print};
 *	struct client_url url = {0};
 *	struct client client = {0};
 *	struct error error = {0};
 *
 *	if (client_start(&error) == 0 &&
 *		client_url_make(argv[1], CLIENT_STREAM, NULL, &url, &error) == 0 &&
 *		client_open(&client, "example", &common, &error) == 0)
 *		follow_run(&client, &url, &options, &sink, NULL, &error);
 *
 * client_run.h declares client_start().  One thread, and one follower at a time for each client.
 */
#ifndef FOLLOW_H
#define FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
	int64_t read_timeout;  /* ms that a stream may be silent; 0: no limit */
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

enum follow_end {
	/* For the first three, the error's status is 0. */
	FOLLOW_ENDED,	/* by the server, without reconnecting */
	FOLLOW_CLOSED,	/* for good: 204, or after the event that closed the one topic; closing.h */
	FOLLOW_STOPPED, /* by the sink */
	FOLLOW_TIME,	/* the moment came; the error's status is 0 if a stream was open then, else
			   the error says why there was none */
	FOLLOW_FAILED,	/* see the error; or a signal came */
};

/*
 * follow_run(client, url, options, sink, context, error):
 * Follow the stream until it ends.  Each attempt begins at ${url} and follows redirects, and sends
 * no secret to another origin.  The standard error tells of trouble that lasts, and of its end.
 * After client_watch_hangup(), a SIGHUP makes the follower connect again at once.
 */
enum follow_end follow_run(struct client *client, const struct client_url *url,
	const struct follow_options *options, const struct follow_sink *sink, void *context,
	struct error *error);

#endif
