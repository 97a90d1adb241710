/* SPDX-License-Identifier: MIT */
/* What a request's target names.  Pure text: no I/O, no HTTP library. */
#ifndef ROUTE_H
#define ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

enum route_kind {
	ROUTE_STREAM,	/* /api/{topic}/event, or /api/event?topic=... */
	ROUTE_TOPIC,	/* /api/{topic} */
	ROUTE_EVENT,	/* /api/{topic}/{id} */
	ROUTE_PRESENCE, /* /api/{topic}/presence */
	ROUTE_STATUS,	/* /api/$sys/event; the topic is TOPIC_SYSTEM */
	ROUTE_SYSTEM,	/* /api/$sys, and what else topics have; likewise */
	ROUTE_HEALTH,	/* /healthz */
	ROUTE_READY,	/* /readyz */
	ROUTE_METRICS,	/* /metrics */
	ROUTE_PAGE,	/* anything else */
};

struct route {
	enum route_kind kind;
	char *topic; /* of /api, checked; NULL for /api/event */
	char *id;    /* of ROUTE_EVENT */
	char *path;  /* decoded, from the first slash; owns the memory of the three */
	char *query; /* as it came, without the question mark; empty if there is none */
};

/*
 * route_parse(target, route, error):
 * Split a request target as it came in the request line.  Return 0, or -1 with what is wrong with
 * it (EX_DATAERR): an encoded NUL, a bad percent escape, a bad topic, or one of our parameters of
 * which there can be one only twice in the query, or without a =.
 */
int route_parse(const char *target, struct route *route, struct error *error);

/*
 * route_query(route, name):
 * The decoded value of a query parameter, which the caller frees; NULL if it is not there (or
 * without memory).  Of several the first.
 */
char *route_query(const struct route *route, const char *name);

/*
 * route_query_next(route, name, cursor):
 * The decoded value of the parameter's next occurrence after *${cursor}, which starts as 0; the
 * caller frees it.  NULL if there is no further one (or without memory).
 */
char *route_query_next(const struct route *route, const char *name, size_t *cursor);

/*
 * route_flag(route, name, flag, error):
 * Read a parameter that is 1 or 0; 0 if it is not there.  Return 0, or -1 with what would be
 * right (EX_DATAERR).
 */
int route_flag(const struct route *route, const char *name, bool *flag, struct error *error);

/* route_free(route): takes what route_parse() filled, also when it failed. */
void route_free(struct route *route);

#endif
