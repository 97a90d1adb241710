/* SPDX-License-Identifier: MIT */
/*
 * Following an event stream (WHATWG HTML, section 9.2): connect, hand over each event as it
 * comes, and when the stream ends or fails connect again with the id of the last event.
 *
 *	static bool print(void *context, const struct sse_event *event, const char *origin)
 *	{
 *		(void)context, (void)origin;
 *		return printf("%.*s\n", (int)event->data.len, event->data.data) >= 0;
 *	}
 *
 *	struct client_options common = CLIENT_OPTIONS_DEFAULT;
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
 * client_start() is that of client_run.h.
 * One thread, and one follower at a time for each client.
 */
#ifndef CLIENT_FOLLOW_H
#define CLIENT_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "client_url.h"
#include "error.h"
#include "sse.h"

/* The least pause before connecting again that a user can ask for (ms). */
#define FOLLOW_DELAY_MIN 10

struct follow_options {
	const char *last_id; /* NULL or empty: start from now; see subscribe_id_fits() */
	const char *body;    /* NULL: none; with one the method is POST, unless -X names another */
	size_t body_len;
	const char *body_type; /* its Content-Type */
	bool reconnect;	       /* if not, one attempt is all */
	bool refused_for_good; /* 408, 429 and 5xx are not tried again either */
	bool flush_end;	       /* an event that the stream's end cuts off is handed over */
	int64_t delay;	       /* ms, FOLLOW_DELAY_MIN or more; the stream's own retry field, of at
				  least BACKOFF_ASKED_MIN, takes its place */
	int64_t retry_max;     /* attempts in a row without an event that are followed by another;
				  -1: any number */
	int64_t read_timeout;  /* ms that a stream may be silent; 0: for ever */
	const int64_t *until;  /* a moment of client_now(), which the sink may move; NULL: never */
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
	 * All events in this piece of the stream were handed over; ${last_id} is what the next
	 * request will send.  May take its time.
	 */
	bool (*piece)(void *context, const char *data, size_t len, struct sse_text last_id);
	/* A stream begins; the answer's head is as it came. */
	void (*opened)(void *context, const struct client_answer *answer);
};

enum follow_end {
	/* Of these two the error's status is 0. */
	FOLLOW_ENDED,	/* by the server: 204, or the end of the stream without reconnecting */
	FOLLOW_STOPPED, /* by the sink */
	FOLLOW_TIME,	/* the moment came; the error's status is 0 if a stream was open then, else
			   the error says why there was none */
	FOLLOW_FAILED,	/* see the error; or a signal came */
};

/*
 * follow_run(client, url, options, sink, context, error):
 * Follow until it ends.  Redirects are followed; each attempt asks ${url} again, and takes nothing
 * secret to another origin.  Trouble that lasts is told on the standard error, and its end too.
 * After client_watch_hangup() a SIGHUP connects again at once.
 */
enum follow_end follow_run(struct client *client, const struct client_url *url,
	const struct follow_options *options, const struct follow_sink *sink, void *context,
	struct error *error);

#endif
