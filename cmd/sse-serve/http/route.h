/* SPDX-License-Identifier: MIT */
/* What a request's target names.  Pure text: no I/O, no HTTP library. */
#ifndef ROUTE_H
#define ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

enum route_kind {
	ROUTE_STREAM,	/* /api/{topic}/event */
	ROUTE_STREAMS,	/* /api/event?topic=...: one stream of many topics */
	ROUTE_TOPIC,	/* /api/{topic} */
	ROUTE_TOPICS,	/* /api, and /api/: all topics */
	ROUTE_EVENT,	/* /api/{topic}/{id} */
	ROUTE_PRESENCE, /* /api/{topic}/presence */
	ROUTE_STATUS,	/* /api/$sys/event; the topic is TOPIC_SYSTEM */
	ROUTE_SAMPLES,	/* /api/$sys; the topic likewise */
	ROUTE_SYSTEM,	/* its other targets; the topic likewise */
	ROUTE_SESSION,	/* /api/session */
	ROUTE_TICKET,	/* /api/ticket */
	ROUTE_HOOK,	/* /hook/{name}; a page if there are no hooks */
	ROUTE_HEALTH,	/* /healthz */
	ROUTE_READY,	/* /readyz */
	ROUTE_METRICS,	/* /metrics */
	ROUTE_SERVER,	/* *: the server as a whole, for OPTIONS (RFC 9110, section 9.3.7) */
	ROUTE_PAGE,	/* anything else */
};

/* The values of a parameter that may be given more than once, in their order. */
struct route_texts {
	const char **texts;
	size_t count;
};

/*
 * What the query says.  The texts are decoded and live as long as the route; NULL where the
 * parameter was not given.
 */
struct route_query {
	const char *limit, *before, *after, *since;
	const char *last_event_id; /* by any of its names; an empty one counts as not given */
	const char *last, *until, *wait;
	const char *as, *was, *event, *subject, *ticket;
	struct route_texts topics, events; /* of a stream; `event` is of a POST */
	bool envelope, ephemeral, mark, close, latest;
};

struct route {
	enum route_kind kind;
	char *topic; /* of /api, checked; NULL where the target names none */
	char *id;    /* of ROUTE_EVENT */
	char *hook;  /* of ROUTE_HOOK: its name */
	char *path;  /* decoded, from the first slash; owns the memory of all four */
	struct route_query query;
	char *query_text; /* without the question mark; owns the memory of the texts in query */
};

/*
 * route_parse(target, route, error):
 * Split a request target as it stands in the request line.  Return 0, or -1 with the reason why its
 * path is not valid (EX_DATAERR): an encoded NUL, a bad percent escape, a bad topic.
 */
int route_parse(const char *target, struct route *route, struct error *error);

/*
 * route_parse_query(route, method, error):
 * Fill route->query, once, with the parameters that ${method} (GET, POST or DELETE) takes at this target.
 * The query of a target outside the API is ignored.  Return 0, or -1 with what is wrong and what
 * would be right (EX_DATAERR; EX_OSERR without memory): a parameter that this target does not take,
 * one without a value, a repeated one that may be given once, a flag other than 1 or 0, ids that
 * differ, a bad percent escape, an encoded NUL.  Names that begin with _ are ignored.
 */
int route_parse_query(struct route *route, const char *method, struct error *error);

/* route_free(route): free what route_parse() filled, also after a failure. */
void route_free(struct route *route);

#endif
