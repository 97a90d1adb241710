/* SPDX-License-Identifier: MIT */
/* Which handler a request gets; see dispatch.h. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "dispatch.h"
#include "error.h"
#include "request.h"
#include "request_internal.h"

/* Does this kind of target take the method?  Of the server as a whole, any of them. */
static bool takes(const struct http_config *config, enum route_kind kind, const char *method)
{
	for (size_t i = 0; i < config->routes->count; i++) {
		const struct handler *handler = &config->routes->handlers[i];

		if ((kind == ROUTE_SERVER || handler->kind == kind) &&
			strcmp(handler->method, method) == 0)
			return true;
	}
	return false;
}

/* Write the methods of what the request names: "GET, HEAD, POST, OPTIONS". */
static void methods_of(const struct request *request, char text[64])
{
	const struct http_config *config = request->shared->config;
	enum route_kind kind = request->route.kind;

	snprintf(text, 64, "%s%sOPTIONS", takes(config, kind, "GET") ? "GET, HEAD, " : "",
		takes(config, kind, "POST") ? "POST, " : "");
}

static void say_options(struct request *request)
{
	char methods[64];

	methods_of(request, methods);
	request_reply_static(request, 204, NULL, "", 0);
	request_add_header(request, "Allow", methods);
	if (request_cors(request) == NULL)
		return;
	request_add_header(request, "Access-Control-Allow-Methods", methods);
	request_add_header(request, "Access-Control-Allow-Headers",
		"Content-Type, Last-Event-ID, Idempotency-Key, Cache-Control");
	request_add_header(request, "Access-Control-Max-Age", "600");
}

static const struct handler options_handler = {ROUTE_PAGE, "OPTIONS", NULL, say_options};

static void find_handler(struct request *request)
{
	const struct http_routes *routes = request->shared->config->routes;
	const char *method = request_is_head(request) ? "GET" : request->method;
	char methods[64];

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
			"'event' cannot be a topic; /api/event?topic=... is a stream, for GET");
		return;
	}
	if (request->route.kind == ROUTE_SERVER) {
		request_problem(request, 400,
			"'*' is the whole server, which accepts only OPTIONS; any other path "
			"begins with /");
		return;
	}
	methods_of(request, methods);
	request_problem(request, 405, "this address accepts %s", methods);
	request_add_header(request, "Allow", methods);
}

void dispatch_find(struct request *request)
{
	struct error error = {0};

	if (route_parse(request->target, &request->route, &error) == 0)
		find_handler(request);
	if (request->handler != NULL)
		route_parse_query(&request->route, request->handler->method, &error);
	if (error.status != 0)
		request_problem(request, error.status == EX_OSERR ? 503 : 400, "%s", error.text);
}
