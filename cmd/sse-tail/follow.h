/* SPDX-License-Identifier: MIT */
/*
 * Following an event stream (WHATWG HTML, section 9.2): connect, hand over each event as it
 * comes, and when the stream ends or fails connect again with the id of the last event.
 */
#ifndef FOLLOW_H
#define FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "client_url.h"
#include "error.h"
#include "sse.h"

/* The shortest pause before connecting again, whatever is asked for (ms). */
#define FOLLOW_DELAY_MIN 10

struct follow_options {
	const struct client_url *url;
	const char *last_id;  /* NULL: start from now */
	int64_t delay;	      /* ms; the stream's own retry field takes its place */
	int64_t retry_max;    /* attempts in a row without an event that are followed by another */
	bool reconnect;	      /* if not, one attempt is all */
	int64_t read_timeout; /* ms that a stream may be silent; 0: for ever */
	int64_t until;	      /* a moment of client_now() */
};

/* What the follower calls; each returns false to stop. */
struct follow_sink {
	/* An event; its texts, and ${origin} of the stream, are valid during the call. */
	bool (*event)(void *context, const struct sse_event *event, const char *origin);
	/* The events in this piece of the stream were handed over.  May take its time. */
	bool (*piece)(void *context, const char *data, size_t len);
};

enum follow_end {
	FOLLOW_ENDED,	/* by the server: 204, or the end of the stream without reconnecting */
	FOLLOW_STOPPED, /* by the sink */
	FOLLOW_TIME,	/* the moment came */
	FOLLOW_FAILED,	/* see the error; or a signal came */
};

/* follow_id_fits(id): is it an id, and can HTTP carry it as the value of a header? */
bool follow_id_fits(const char *id);

/*
 * follow_run(client, options, sink, context, error):
 * Follow until it ends.  Trouble of more than 10 s is told on the standard error, once, and its
 * end too.
 */
enum follow_end follow_run(struct client *client, const struct follow_options *options,
	const struct follow_sink *sink, void *context, struct error *error);

#endif
