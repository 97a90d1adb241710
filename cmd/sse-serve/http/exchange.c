/* SPDX-License-Identifier: MIT */
/* The life of a request; see exchange.h. */
#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/counter.h"
#include "base/logger.h"
#include "body.h"
#include "body_length.h"
#include "connection.h"
#include "dispatch.h"
#include "exchange.h"
#include "log/topic.h"
#include "refusal.h"
#include "request.h"
#include "request_internal.h"

/* How long a connection may stay idle between two requests. */
#define IDLE_MS 60000

/* Of exchange_memory(). */
#define HEAD_MEMORY ((size_t)8 << 10)
#define PARAMETER_MEMORY ((size_t)70)

size_t exchange_memory(const struct http_config *config)
{
	return HEAD_MEMORY + config->max_parameters * (TOPIC_NAME_MAX + PARAMETER_MEMORY);
}

static enum MHD_Result look_at_header(
	void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	(void)kind;
	body_length_look(context, name, value);
	return MHD_YES;
}

/* The head has arrived. */
static void begin(struct request *request, const char *version)
{
	struct body_length length = {0};

	request->stage = REQUEST_BODY;
	counter_add(&request->shared->requests, 1);
	connection_set_deadline(request->socket, request->shared->config->request_timeout);
	MHD_get_connection_values(request->connection, MHD_HEADER_KIND, look_at_header, &length);
	body_expect(request, &length);
	if (*request->shared->config->draining) {
		request_problem(
			request, MHD_HTTP_SERVICE_UNAVAILABLE, "the server is stopping; try again");
		return;
	}
	/* RFC 9112, section 3.2. */
	if (strcmp(version, MHD_HTTP_VERSION_1_1) == 0 &&
		request_header(request, MHD_HTTP_HEADER_HOST) == NULL) {
		request_problem(request, MHD_HTTP_BAD_REQUEST,
			"an HTTP/1.1 request must have a Host header");
		return;
	}
	dispatch_find(request);
	if (request->response == NULL && request->handler->check != NULL)
		request->handler->check(request);
	if (request->response == NULL && request->refused == 0)
		body_hold(request, (size_t)request->announced);
}

static bool target_fits(const struct request *request)
{
	size_t parameters = 1;

	for (const char *p = request->target; (p = strchr(p, '&')) != NULL; p++)
		parameters++;
	return strlen(request->target) + parameters * PARAMETER_MEMORY + HEAD_MEMORY / 2 <=
	       exchange_memory(request->shared->config);
}

/* Answer now if the request is refused.  Return what the library has to do. */
static enum MHD_Result go_on(struct request *request)
{
	if (request->refused == 0)
		return MHD_YES;
	refusal_of_body(request);
	return MHD_NO;
}

enum MHD_Result exchange_continue(void *context, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *data, size_t *len, void **con_cls)
{
	struct request *request = *con_cls;

	(void)context;
	(void)url;
	if (request == NULL)
		return MHD_NO;
	if (request->stage == REQUEST_NEW) {
		request->connection = connection;
		request->method = method;
		if (request->refused != 0)
			return MHD_NO;
		begin(request, version);
		return go_on(request);
	}
	if (*len > 0) {
		body_take(request, data, *len);
		*len = 0;
		return go_on(request);
	}
	if (request->stage == REQUEST_BODY) {
		request->stage = REQUEST_RUN;
		connection_set_deadline(request->socket, CONNECTION_NEVER);
		if (request->response == NULL)
			request->handler->run(request);
		if (request->stage == REQUEST_TAKEN)
			return MHD_NO;
	}
	if (request->waiting)
		return MHD_YES;
	if (request->response == NULL)
		return MHD_NO;
	return MHD_queue_response(connection, request->status, request->response);
}

void *exchange_new(void *context, const char *target, struct MHD_Connection *connection)
{
	struct request_shared *shared = context;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct connection *socket = info != NULL ? info->socket_context : NULL;
	struct request *request = socket != NULL ? calloc(1, sizeof(*request)) : NULL;

	if (request == NULL)
		return NULL;
	request->shared = shared;
	request->socket = socket;
	request->connection = connection;
	request->method = "";
	request->target = strdup(target);
	buf_init(&request->body, shared->config->max_body);
	if (request->target == NULL) {
		free(request);
		return NULL;
	}
	socket->request = request;
	if (!target_fits(request))
		refusal_of_target(request);
	return request;
}

static void write_address(const struct request *request, char text[64])
{
	const struct sockaddr *address = request_address(request);
	socklen_t len = address != NULL && address->sa_family == AF_INET6
				? sizeof(struct sockaddr_in6)
				: sizeof(struct sockaddr_in);

	snprintf(text, 64, "local");
	if (address != NULL)
		getnameinfo(address, len, text, 64, NULL, 0, NI_NUMERICHOST);
}

void exchange_free(struct request *request)
{
	char address[64];

	if (request->shared->config->verbose) {
		write_address(request, address);
		logger_request(address, request->method, request->target, request->status,
			request->received);
	}
	if (request->response != NULL)
		MHD_destroy_response(request->response);
	if (request->free_state != NULL)
		request->free_state(request->state);
	route_free(&request->route);
	request_release(request, 0);
	free(request->target);
	free(request);
}

void exchange_end(void *context, struct MHD_Connection *connection, void **con_cls,
	enum MHD_RequestTerminationCode code)
{
	struct request *request = *con_cls;
	struct connection *socket;

	(void)context;
	(void)connection;
	(void)code;
	if (request == NULL)
		return;
	socket = request->socket;
	exchange_free(request);
	*con_cls = NULL;
	socket->request = NULL;
	connection_set_deadline(socket, IDLE_MS);
}
