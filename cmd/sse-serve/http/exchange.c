/* SPDX-License-Identifier: MIT */
/* The life of a request; see exchange.h. */
#include <microhttpd.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/counter.h"
#include "base/logger.h"
#include "body_length.h"
#include "connection.h"
#include "dispatch.h"
#include "exchange.h"
#include "linger.h"
#include "log/topic.h"
#include "problem.h"
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

static void look_at_length(struct request *request)
{
	struct body_length length = {0};

	MHD_get_connection_values(request->connection, MHD_HEADER_KIND, look_at_header, &length);
	if (!body_length_read(&length, &request->announced))
		request->refused = MHD_HTTP_BAD_REQUEST;
	else if (request->announced > request->body.cap)
		request->refused = MHD_HTTP_CONTENT_TOO_LARGE;
}

/* Make sure that a body of ${len} bytes may be held. */
static bool hold_body(struct request *request, size_t len)
{
	if ((int64_t)len > request->held && !request_hold(request, len - (size_t)request->held))
		request->refused = MHD_HTTP_SERVICE_UNAVAILABLE;
	return request->refused == 0;
}

/* The head has arrived. */
static void begin(struct request *request, const char *version)
{
	request->stage = REQUEST_BODY;
	counter_add(&request->shared->requests, 1);
	connection_set_deadline(request->socket, request->shared->config->request_timeout);
	look_at_length(request);
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
		hold_body(request, (size_t)request->announced);
}

/* The sentence for a body that is refused; return further header lines for the answer. */
static const char *explain_refusal(const struct request *request, char *detail, size_t size)
{
	switch (request->refused) {
	case MHD_HTTP_BAD_REQUEST:
		snprintf(detail, size,
			"the length of the body is in doubt; send one Content-Length, or "
			"'Transfer-Encoding: chunked' alone");
		return "";
	case MHD_HTTP_SERVICE_UNAVAILABLE:
		snprintf(detail, size, REQUEST_BODIES_FULL,
			(long long)request->shared->config->bodies->limit);
		return "Retry-After: 1\r\n";
	case MHD_HTTP_URI_TOO_LONG:
		snprintf(detail, size,
			"the target is too long, or its query has too many parameters "
			"(--max-topics-per-stream)");
		return "";
	default:
		snprintf(detail, size, "the body is larger than %zu bytes, the limit (--max-body)",
			request->body.cap);
		return "";
	}
}

/* Write the answer of a refusal.  Return its length, 0 if that failed. */
static size_t write_refusal(struct request *request, char *answer, size_t size)
{
	char detail[120];
	const char *more = explain_refusal(request, detail, sizeof(detail));
	struct problem problem = {
		request->refused, MHD_get_reason_phrase_for(request->refused), detail};
	size_t len = request_write_head(
		request, request->refused, "application/problem+json", more, answer, size);
	struct buf text;

	request->status = request->refused;
	buf_init(&text, size - len);
	if (len > 0 && problem_json(&problem, &text)) {
		memcpy(answer + len, text.data, text.len);
		len += text.len;
	}
	buf_free(&text);
	return len;
}

/*
 * The body is refused: answer now, by hand, since the library answers only after it has read all
 * of it.
 */
static enum MHD_Result refuse_body(struct request *request)
{
	char answer[1400];
	size_t len = write_refusal(request, answer, sizeof(answer));
	int fd = request_take_socket(request, request->refused);

	if (fd >= 0 && len > 0 &&
		send(fd, answer, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len) {
		linger_add(&request->shared->lingerers, fd, connection_clock());
		fd = -1;
	}
	if (fd >= 0)
		close(fd);
	return MHD_NO;
}

/*
 * The target has more, or longer, parameters than the library has memory for: it would not answer
 * at all.  So we do, end our side of the connection, and let the library find that out.
 */
static void refuse_target(struct request *request)
{
	char answer[1400];
	size_t len;

	request->refused = MHD_HTTP_URI_TOO_LONG;
	len = write_refusal(request, answer, sizeof(answer));
	/* It fits into a socket that nothing else waits in; if not, there is only the end. */
	if (len > 0 && send(request->socket->fd, answer, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		len = 0;
	shutdown(request->socket->fd, SHUT_WR);
	connection_set_deadline(request->socket, 0);
	/* What the library gives up while it reads is freed in its next run. */
	request->shared->wants_run = true;
}

static bool target_fits(const struct request *request)
{
	size_t parameters = 1;

	for (const char *p = request->target; (p = strchr(p, '&')) != NULL; p++)
		parameters++;
	return strlen(request->target) + parameters * PARAMETER_MEMORY + HEAD_MEMORY / 2 <=
	       exchange_memory(request->shared->config);
}

static void take_body(struct request *request, const char *data, size_t len)
{
	if (request->response != NULL || request->refused != 0)
		return;
	if (len > request->body.cap - request->body.len)
		request->refused = MHD_HTTP_CONTENT_TOO_LARGE;
	else if (hold_body(request, request->body.len + len) && !buf_add(&request->body, data, len))
		request_problem(request, MHD_HTTP_SERVICE_UNAVAILABLE,
			"out of memory for the body; try again later");
	else
		request->received = request->body.len;
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
		return request->refused != 0 ? refuse_body(request) : MHD_YES;
	}
	if (*len > 0) {
		take_body(request, data, *len);
		*len = 0;
		return request->refused != 0 ? refuse_body(request) : MHD_YES;
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
		refuse_target(request);
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
