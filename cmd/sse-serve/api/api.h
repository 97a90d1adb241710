/* SPDX-License-Identifier: MIT */
/*
 * What the request handlers use.  Each loop has one.  main() and the loop fill it in; after that it
 * is constant, and it outlives all requests.
 */
#ifndef API_H
#define API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rate_rules.h"
#include "http/request.h"

struct api {
	struct store *store;
	struct topics *topics;
	struct window *window;
	struct log_thread *log_thread;
	struct replay_thread *replay_thread;
	struct limits *limits;
	struct rates *rates[RATE_KINDS]; /* NULL: no limit */
	struct presence *presence;
	struct hooks *hooks; /* NULL: there are none */
	const struct metrics_sources *metrics;
	struct fanout *fanout;	       /* of this loop */
	const struct leaving *leaving; /* is the server on its way to its end? */

	/* As the options say. */
	const char *web;	 /* a folder to serve instead of the embedded pages, or NULL */
	bool open_status;	 /* $sys and /metrics are for everyone */
	size_t topics_in_stream; /* topics and patterns in one request */

	/* The limits, for the messages that say that one is reached. */
	const struct rate_rules *rate_rules;
	int64_t max_bodies, max_streams, max_streams_per_address, max_names;
};

/* api_of(request): of the loop that has the request. */
static inline const struct api *api_of(const struct request *request)
{
	return request_context(request);
}

#endif
