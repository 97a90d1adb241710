/* SPDX-License-Identifier: MIT */
/* The life of a request; see exchange.h. */
#include <microhttpd.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access/principal.h"
#include "access/token.h"
#include "authority.h"
#include "base/counter.h"
#include "base/logger.h"
#include "body.h"
#include "body_length.h"
#include "clock.h"
#include "connection.h"
#include "dispatch.h"
#include "exchange.h"
#include "guard.h"
#include "log/topic_name.h"
#include "redirect.h"
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

/* What is read of the headers. */
struct headers {
	struct body_length length;
	struct authority authority;
	const char *proof; /* of the Authorization headers, the last */
	unsigned proofs;
};

static enum MHD_Result look_at_header(
	void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct headers *headers = context;

	(void)kind;
	body_length_look(&headers->length, name, value);
	authority_look(&headers->authority, name, value);
	if (strcasecmp(name, MHD_HTTP_HEADER_AUTHORIZATION) == 0) {
		headers->proof = value != NULL ? value : "";
		headers->proofs++;
	}
	return MHD_YES;
}

/* The head has arrived. */
static void begin(struct request *request, const char *version)
{
	struct headers headers = {0};

	request->stage = REQUEST_BODY;
	request->began = clock_now_us();
	counter_add(&request->shared->requests, 1);
	connection_set_deadline(request->socket, request->shared->config->request_timeout);
	MHD_get_connection_values(request->connection, MHD_HEADER_KIND, look_at_header, &headers);
	if (!authority_check(request, &headers.authority, version))
		return;
	request_find_client(request);
	request->authorization = headers.proof;
	request->proofs = headers.proofs;
	body_expect(request, &headers.length);
	if (redirect_to_tls(request))
		return;
	if (*request->shared->config->draining) {
		request_problem(
			request, MHD_HTTP_SERVICE_UNAVAILABLE, "the server is stopping; try again");
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

/* Must it wait before its handler runs?  That is asked once. */
static bool must_wait(struct request *request)
{
	bool (*hold)(struct request *request) = request->shared->config->routes->hold;

	if (request->held_up || request->response != NULL || hold == NULL)
		return false;
	request->held_up = true;
	return hold(request);
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
	if (request->stage == REQUEST_BODY && must_wait(request))
		return MHD_YES;
	if (request->stage == REQUEST_BODY) {
		request->stage = REQUEST_RUN;
		connection_set_deadline(request->socket, CONNECTION_NEVER);
		if (request->response == NULL)
			guard_check_again(request);
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
	request_id_new(&shared->ids, request->id);
	buf_init(&request->body, shared->config->max_body);
	if (request->target == NULL) {
		free(request);
		return NULL;
	}
	socket->request = request;
	socket->used = true;
	if (!target_fits(request))
		refusal_of_target(request);
	return request;
}

/* Does a query seem to contain a proof, even one that we do not accept in a query? */
static bool holds_proof(const char *query)
{
	/* The last is what every JWT begins with. */
	static const char *const signs[] = {"ticket", "token", "auth", TOKEN_PREFIX, "eyJ"};

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		if (strcasestr(query, signs[i]) != NULL)
			return true;
	}
	return false;
}

/* Keep secrets in a target out of the log, which more people may read. */
static void hide_secrets(struct request *request)
{
	char *query = strchr(request->target, '?'), *token;

	if (query != NULL && (request->route.query.ticket != NULL || holds_proof(query) ||
				     (request->route.path == NULL && strchr(query, '%') != NULL)))
		snprintf(query, strlen(query) + 1, "?...");
	token = (char *)(uintptr_t)token_find(request->target);
	if (token != NULL)
		snprintf(token, strlen(token) + 1, TOKEN_PREFIX "...");
}

/* Count how it was answered, if it was, and how long that took. */
static uint64_t count_end(struct request *request)
{
	struct request_shared *shared = request->shared;
	uint64_t us = request->began != 0 ? clock_now_us() - request->began : 0;

	if (request->began != 0)
		counter_took(&shared->took, us);
	if (request->status >= 100 && request->status < 100 + HTTP_STATUSES)
		counter_add(&shared->answers[request->status - 100], 1);
	return us;
}

void exchange_free(struct request *request)
{
	uint64_t us = count_end(request);
	size_t len = strlen(request->target);
	const char *ticket = request->route.query.ticket;
	char address[ADDRESS_TEXT];

	if (request->shared->config->verbose) {
		request_write_address(request, address);
		hide_secrets(request);
		logger_request(&(struct logger_request){.id = request->id,
			.address = address,
			.method = request->method,
			.target = request->target,
			.status = request->status,
			.bytes = request->received,
			.us = us});
	}
	if (request->response != NULL)
		MHD_destroy_response(request->response);
	if (request->free_state != NULL)
		request->free_state(request->state);
	principal_drop(request->principal);
	/* Erase the ticket even of a refused request: it may still be valid. */
	if (ticket != NULL)
		OPENSSL_cleanse((char *)(uintptr_t)ticket, strlen(ticket));
	OPENSSL_cleanse(request->target, len);
	route_free(&request->route);
	request_release(request, 0);
	free(request->authority);
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
