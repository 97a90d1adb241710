/* SPDX-License-Identifier: MIT */
/* What a request's target names.  Pure text: no I/O, no HTTP library. */
#ifndef ROUTE_H
#define ROUTE_H

#include <stddef.h>

#include "error.h"

enum route_kind {
	ROUTE_STREAM, /* /api/{topic}/event */
	ROUTE_TOPIC,  /* /api/{topic} */
	ROUTE_EVENT,  /* /api/{topic}/{id} */
	ROUTE_HEALTH, /* /healthz */
	ROUTE_PAGE,   /* anything else */
};

struct route {
	enum route_kind kind;
	char *topic; /* of the first three kinds; checked */
	char *id;    /* of ROUTE_EVENT */
	char *path;  /* decoded, from the first slash; owns the memory of the three */
	char *query; /* as it came, without the question mark; empty if there is none */
};

/*
 * route_parse(target, route, error):
 * Split a request target as it came in the request line.  Return 0, or -1 with what is wrong with
 * it (EX_DATAERR): an encoded NUL, a bad percent escape, a bad topic.
 */
int route_parse(const char *target, struct route *route, struct error *error);

/*
 * route_query(route, name):
 * The decoded value of a query parameter, which the caller frees; NULL if it is not there (or
 * without memory).  Of several the first.
 */
char *route_query(const struct route *route, const char *name);

/* route_free(route): takes what route_parse() filled, also when it failed. */
void route_free(struct route *route);

#endif
