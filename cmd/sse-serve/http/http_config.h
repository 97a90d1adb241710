/* SPDX-License-Identifier: MIT */
/* What the server serves over HTTP, and how. */
#ifndef HTTP_CONFIG_H
#define HTTP_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "access/grants.h"
#include "host.h"
#include "forwarded.h"
#include "option.h"
#include "quota.h"
#include "route.h"

struct access;
struct certificates;
struct leaving;
struct rates;
struct request;

/* Does a handler do what the server is for: publish, read, delete?  Figures count those requests. */
enum purpose { FOR_OTHERS, FOR_TOPICS };

/* The handler of one kind of target and method. */
struct handler {
	enum route_kind kind;
	const char *method; /* GET answers HEAD too */

	/*
	 * check(request): the head has arrived, the body has not.  check may reply: then the body
	 * is not kept, and run is not called.  NULL: nothing to check.
	 */
	void (*check)(struct request *request);
	void (*run)(struct request *request);
	enum verb verb; /* what the sender must be granted */
	enum purpose purpose;
};

/* All handlers: the first that matches is called. */
struct http_routes {
	const struct handler *handlers;
	size_t count;

	/*
	 * hold(request): must the request wait, before its handler runs, for something that is on its
	 * way?  Then it was made to wait (request_wait()), and is resumed in the end.
	 */
	bool (*hold)(struct request *request);
};

/* It outlives the struct http, or its use by it: http_use(). */
struct http_config {
	const struct http_routes *routes;
	struct access *access;	    /* who may do what; NULL: no access control */
	struct rates *wrong_proofs; /* how often each address may send one; if access or hooks */
	struct host_names names;    /* what a request may call the server */
	const struct option_list *cors; /* origins that may read and publish, or "*" */
	size_t max_body;		/* bytes of a request's body */
	struct quota *bodies;		/* bytes that all requests hold together */
	size_t max_parameters;		/* of a query, each of the length of a topic */
	int64_t request_timeout;	/* ms for a request's head, and for its body */
	unsigned stall_timeout;		/* ms that a socket taken over may accept no data */
	const _Atomic bool *draining;	/* the server is ending: requests are refused */
	const struct leaving *leaving;	/* how far it is on the way there */
	bool hooks;			/* there are some; otherwise /hook/ is as any page */
	bool verbose;			/* log each request */

	struct certificates *certificates; /* for TLS; or NULL */
	int secure_port; /* where plain clients from other machines are sent; 0: nowhere */
	int64_t hsts;	 /* s for which browsers use only TLS here; 0: they are not told */
	const struct forwarded_proxies *proxies; /* whose X-Forwarded-For is trusted */
};

#endif
