/* SPDX-License-Identifier: MIT */
/* Which handler a request gets; see dispatch.h. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/counter.h"
#include "dispatch.h"
#include "error.h"
#include "guard.h"
#include "origin.h"
#include "request.h"
#include "request_internal.h"

/* Room for the methods of a target; what does not fit is left out. */
#define METHODS_MAX 128

/*
 * Does one of the first ${count} handlers take the method?  Of the server as a whole, any of them.
 */
static bool takes(
	const struct handler *handlers, size_t count, enum route_kind kind, const char *method)
{
	for (size_t i = 0; i < count; i++) {
		if ((kind == ROUTE_SERVER || handlers[i].kind == kind) &&
			strcmp(handlers[i].method, method) == 0)
			return true;
	}
	return false;
}

/*
 * Write the methods of what the request names, in the order of its handlers: "GET, HEAD, OPTIONS".
 */
static void methods_of(const struct request *request, char text[METHODS_MAX])
{
	const struct http_routes *routes = request->shared->config->routes;
	enum route_kind kind = request->route.kind;
	size_t len = 0;

	for (size_t i = 0; i < routes->count && len < METHODS_MAX; i++) {
		const char *method = routes->handlers[i].method;

		if (!takes(&routes->handlers[i], 1, kind, method) ||
			takes(routes->handlers, i, kind, method))
			continue;
		len += (size_t)snprintf(text + len, METHODS_MAX - len, "%s, %s", method,
			strcmp(method, "GET") == 0 ? "HEAD, " : "");
	}
	if (len < METHODS_MAX)
		snprintf(text + len, METHODS_MAX - len, "OPTIONS");
}

static bool wants_private_network(const struct request *request)
{
	const char *value = request_header(request, "Access-Control-Request-Private-Network");

	return value != NULL && strcmp(value, "true") == 0;
}

static void say_options(struct request *request)
{
	const char *cors = request_cors(request);
	char methods[METHODS_MAX];

	methods_of(request, methods);
	request_reply_static(request, 204, NULL, "", 0);
	request_add_header(request, "Allow", methods);
	if (cors == NULL)
		return;
	request_add_header(request, "Access-Control-Allow-Methods", methods);
	request_add_header(request, "Access-Control-Allow-Headers",
		"Authorization, Content-Type, Last-Event-ID, Idempotency-Key, If-Match, "
		"If-None-Match, Cache-Control");
	request_add_header(request, "Access-Control-Max-Age", "600");
	if (origin_is_named(cors) && wants_private_network(request))
		request_add_header(request, "Access-Control-Allow-Private-Network", "true");
}

static const struct handler options_handler = {
	ROUTE_PAGE, "OPTIONS", NULL, say_options, VERB_FREE, FOR_OTHERS};

static void find_handler(struct request *request)
{
	const struct http_routes *routes = request->shared->config->routes;
	const char *method = request_is_head(request) ? "GET" : request->method;
	char methods[METHODS_MAX];

	if (strcmp(method, "OPTIONS") == 0)
		request->handler = &options_handler;
	for (size_t i = 0; i < routes->count && request->handler == NULL; i++) {
		const struct handler *handler = &routes->handlers[i];

		if (handler->kind == request->route.kind && strcmp(handler->method, method) == 0)
			request->handler = handler;
	}
	if (request->handler != NULL)
		return;
	if (request->route.kind == ROUTE_STREAMS && strcmp(method, "POST") == 0) {
		request_problem(request, 400,
			"'event' is not a valid topic; /api/event?topic=... is a stream, for GET");
		return;
	}
	if (request->route.kind == ROUTE_SERVER) {
		request_problem(request, 400,
			"'*' is the whole server, which accepts only OPTIONS; any other path "
			"begins with /");
		return;
	}
	methods_of(request, methods);
	if (request->route.kind == ROUTE_STREAM)
		request_problem(request, 405,
			"this address accepts %s; it is the stream of a topic, and events are published at "
			"/api/%s",
			methods, request->route.topic);
	else if (request->route.kind == ROUTE_PAGE)
		request_problem(request, 405,
			"this address accepts %s; events are published at /api/TOPIC", methods);
	else
		request_problem(request, 405, "this address accepts %s", methods);
	request_add_header(request, "Allow", methods);
}

/* Without hooks, /hook/ may be a folder of --web. */
static void look_for_hooks(struct request *request)
{
	if (request->route.kind == ROUTE_HOOK && !request->shared->config->hooks)
		request->route.kind = ROUTE_PAGE;
}

void dispatch_find(struct request *request)
{
	struct error error = {0};

	if (route_parse(request->target, &request->route, &error) == 0) {
		look_for_hooks(request);
		find_handler(request);
	}
	if (request->handler != NULL && request->handler->purpose == FOR_TOPICS)
		counter_add(&request->shared->for_topics, 1);
	if (request->handler != NULL)
		route_parse_query(&request->route, request->handler->method, &error);
	if (error.status != 0)
		request_problem(request, error.status == EX_OSERR ? 503 : 400, "%s", error.text);
	else if (request->handler != NULL)
		guard_check(request);
}
