/* SPDX-License-Identifier: MIT */
/* What a handler asks of a request, and how it answers; see request.h. */
#include <fcntl.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "accept.h"
#include "access/principal.h"
#include "base/address.h"
#include "base/leaving.h"
#include "connection.h"
#include "gzip.h"
#include "head.h"
#include "origin.h"
#include "problem.h"
#include "relay.h"
#include "request.h"
#include "request_internal.h"
#include "sse.h"

/* More than a problem takes, whatever its sentence has to have escaped. */
#define PROBLEM_MAX ((size_t)8 << 10)

/* What is shorter than this is sent as it is: a packet holds it anyway. */
#define GZIP_LEAST 1024

/* --- what handlers ask --- */

void *request_context(const struct request *request)
{
	return request->shared->context;
}

const struct route *request_route(const struct request *request)
{
	return &request->route;
}

const char *request_target(const struct request *request)
{
	return request->target;
}

struct buf *request_body(struct request *request)
{
	return &request->body;
}

void request_set_state(struct request *request, void *state, void (*free_state)(void *state))
{
	request->state = state;
	request->free_state = free_state;
}

bool request_answered(const struct request *request)
{
	return request->response != NULL;
}

const char *request_header(const struct request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

struct tally {
	const char *name;
	unsigned count;
};

static enum MHD_Result count_header(
	void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct tally *tally = context;

	(void)kind;
	(void)value;
	tally->count += strcasecmp(name, tally->name) == 0;
	return MHD_YES;
}

unsigned request_header_count(const struct request *request, const char *name)
{
	struct tally tally = {.name = name};

	MHD_get_connection_values(request->connection, MHD_HEADER_KIND, count_header, &tally);
	return tally.count;
}

/* The address that the connection comes from; NULL on a local socket. */
static const struct sockaddr *peer(const struct request *request)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *address = info != NULL ? info->client_addr : NULL;
	bool internet = address != NULL &&
			(address->sa_family == AF_INET || address->sa_family == AF_INET6);

	return internet ? address : NULL;
}

struct search {
	struct forwarded *forwarded;
	const struct forwarded_proxies *proxies;
};

static enum MHD_Result look_at_header(
	void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct search *search = context;

	(void)kind;
	if (value != NULL && strcasecmp(name, "X-Forwarded-For") == 0)
		forwarded_look(search->forwarded, search->proxies, value);
	return MHD_YES;
}

void request_find_client(struct request *request)
{
	struct search search = {&request->forwarded, request->shared->config->proxies};
	const char *id;

	/* The library hands out headers in the order in which they came. */
	if (!forwarded_trusts(search.proxies, peer(request)))
		return;
	MHD_get_connection_values(request->connection, MHD_HEADER_KIND, look_at_header, &search);
	id = request_header(request, REQUEST_ID_HEADER);
	if (id != NULL)
		request_id_take(id, request->id);
}

/* Did a trusted proxy say who the client is? */
static bool is_forwarded(const struct request *request)
{
	return request->forwarded.found == FORWARDED_CLIENT ||
	       request->forwarded.found == FORWARDED_PROXY;
}

const struct sockaddr *request_address(const struct request *request)
{
	return is_forwarded(request) ? &request->forwarded.address.any : peer(request);
}

void request_write_address(const struct request *request, char text[ADDRESS_TEXT])
{
	address_write(request_address(request), text);
}

bool request_is_local(const struct request *request)
{
	static const char *const passed_on[] = {"Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"};
	const struct sockaddr *address = request_address(request);

	if (is_forwarded(request))
		return address_is_loopback(address);
	for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++) {
		if (request_header(request, passed_on[i]) != NULL)
			return false;
	}
	return address == NULL || address_is_loopback(address);
}

const char *request_id(const struct request *request)
{
	return request->id;
}

bool request_is_logged(const struct request *request)
{
	return request->shared->config->verbose;
}

struct principal *request_principal(const struct request *request)
{
	return request->principal;
}

bool request_has_token(const struct request *request)
{
	return request->proof == PROOF_IS_TOKEN;
}

struct access *request_access(const struct request *request)
{
	return request->shared->config->access;
}

bool request_is_head(const struct request *request)
{
	return strcmp(request->method, "HEAD") == 0;
}

int request_copy_socket(struct request *request, unsigned status)
{
	int fd = fcntl(request->socket->fd, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return -1;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	request->stage = REQUEST_TAKEN;
	request->status = status;
	return fd;
}

int request_take_socket(struct request *request, unsigned status, struct tls **tls)
{
	int fd, off = 0, on = 1;
	unsigned stall = request->shared->config->stall_timeout;

	*tls = NULL;
	if (request->socket->relay != NULL)
		fd = relay_take(request->socket->relay, tls);
	else
		fd = request_copy_socket(request, status);

	if (fd < 0)
		return -1;
	/* The library may hold a packet back; on a local socket both mean nothing. */
	setsockopt(fd, IPPROTO_TCP, TCP_CORK, &off, sizeof(off));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	/* A client that is gone without a word, or whose window stays shut. */
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &stall, sizeof(stall));
	request->stage = REQUEST_TAKEN;
	request->status = status;
	return fd;
}

bool request_hold(struct request *request, size_t bytes)
{
	if (!quota_take(request->shared->config->bodies, request->held, (int64_t)bytes))
		return false;
	request->held += (int64_t)bytes;
	return true;
}

void request_release(struct request *request, size_t bytes)
{
	buf_free(&request->body);
	if (request->held <= (int64_t)bytes)
		return;
	quota_give(request->shared->config->bodies, request->held - (int64_t)bytes);
	request->held = (int64_t)bytes;
}

/* --- replying --- */

int64_t request_hsts(const struct request *request)
{
	return request->socket->secure ? request->shared->config->hsts : 0;
}

const char *request_reason(unsigned status)
{
	return MHD_get_reason_phrase_for(status);
}

size_t request_write_head_of(const char *id, const char *cors, bool vary, int64_t hsts,
	unsigned status, const char *type, const char *more, char *out, size_t size)
{
	struct head head = {
		.status = status,
		.reason = request_reason(status),
		.date = time(NULL),
		.type = type,
		.id = id,
		.cors = cors,
		.credentials = origin_is_named(cors),
		.vary = vary,
		.hsts = hsts,
		.more = more,
	};

	return head_write(&head, out, size);
}

size_t request_write_head(const struct request *request, unsigned status, const char *type,
	const char *more, char *out, size_t size)
{
	return request_write_head_of(request->id, request_cors(request),
		request->shared->config->cors->count > 0, request_hsts(request), status, type, more,
		out, size);
}

static void set_response(
	struct request *request, unsigned status, const char *type, struct MHD_Response *response)
{
	const char *origin = request_cors(request);
	char hsts[40];

	if (request->response != NULL)
		MHD_destroy_response(request->response);
	request->response = response;
	request->status = status;
	if (response == NULL)
		return;
	if (type != NULL)
		request_add_header(request, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (request_hsts(request) > 0) {
		snprintf(hsts, sizeof(hsts), HEAD_HSTS, (long long)request_hsts(request));
		request_add_header(request, "Strict-Transport-Security", hsts);
	}
	request_add_header(request, "X-Content-Type-Options", "nosniff");
	request_add_header(request, REQUEST_ID_HEADER, request->id);
	if (request->shared->config->cors->count > 0)
		request_add_header(request, "Vary", "Origin");
	if (origin != NULL) {
		request_add_header(request, "Access-Control-Allow-Origin", origin);
		request_add_header(request, "Access-Control-Expose-Headers", HEAD_EXPOSED);
	}
	if (origin_is_named(origin))
		request_add_header(request, "Access-Control-Allow-Credentials", "true");
	/* Close the connection, so that the client's next request reaches the next server. */
	if (request->shared->config->leaving->draining)
		request_add_header(request, MHD_HTTP_HEADER_CONNECTION, "close");
}

void request_add_header(struct request *request, const char *name, const char *value)
{
	if (request->response != NULL)
		MHD_add_response_header(request->response, name, value);
}

void request_add_retry_after(struct request *request, int64_t seconds)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)seconds);
	request_add_header(request, MHD_HTTP_HEADER_RETRY_AFTER, text);
}

void request_reply(
	struct request *request, unsigned status, const char *type, const void *data, size_t len)
{
	set_response(request, status, type,
		MHD_create_response_from_buffer(
			len, (void *)(uintptr_t)data, MHD_RESPMEM_MUST_COPY));
}

void request_reply_static(
	struct request *request, unsigned status, const char *type, const void *data, size_t len)
{
	set_response(request, status, type,
		MHD_create_response_from_buffer(
			len, (void *)(uintptr_t)data, MHD_RESPMEM_PERSISTENT));
}

void request_reply_file(struct request *request, const char *type, int fd, uint64_t size)
{
	set_response(request, MHD_HTTP_OK, type, MHD_create_response_from_fd64(size, fd));
	if (request->response == NULL)
		close(fd);
}

/* The library's reader of a streamed answer, over the handler's. */
struct pull {
	struct request *request;
	ssize_t (*read)(void *state, char *out, size_t max);
	struct gzip *gzip; /* NULL: as it is read */
};

static void pull_free(void *context)
{
	struct pull *pull = context;

	gzip_free(pull->gzip);
	free(pull);
}

static ssize_t pull_read(void *context, uint64_t position, char *out, size_t max)
{
	struct pull *pull = context;
	void *state = pull->request->state;
	ssize_t got = pull->gzip != NULL ? gzip_read(pull->gzip, pull->read, state, out, max)
					 : pull->read(state, out, max);

	(void)position;
	if (got == 0)
		request_wait(pull->request);
	if (got == -1)
		return MHD_CONTENT_READER_END_OF_STREAM;
	return got == -2 ? MHD_CONTENT_READER_END_WITH_ERROR : got;
}

/* Takes ${gzip}, or NULL. */
static void reply_by(struct request *request, const char *type,
	ssize_t (*read)(void *state, char *out, size_t max), struct gzip *gzip)
{
	struct pull *pull = malloc(sizeof(*pull));
	struct MHD_Response *response = NULL;

	if (pull != NULL) {
		*pull = (struct pull){request, read, gzip};
		response = MHD_create_response_from_callback(
			MHD_SIZE_UNKNOWN, 32768, pull_read, pull, pull_free);
	}
	if (response == NULL) {
		gzip_free(gzip);
		free(pull);
	}
	set_response(request, MHD_HTTP_OK, type, response);
	/*
	 * libmicrohttpd ends the answer to HEAD with the last chunk of a body that was not sent;
	 * the client would take it for the start of the next answer.
	 */
	if (request_is_head(request))
		request_add_header(request, MHD_HTTP_HEADER_CONNECTION, "close");
}

void request_reply_stream(struct request *request, const char *type,
	ssize_t (*read)(void *state, char *out, size_t max))
{
	reply_by(request, type, read, NULL);
}

bool request_wants_gzip(const struct request *request, size_t len)
{
	return len >= GZIP_LEAST &&
	       accept_names(request_header(request, MHD_HTTP_HEADER_ACCEPT_ENCODING), "gzip");
}

void request_reply_list(struct request *request, const char *type,
	ssize_t (*read)(void *state, char *out, size_t max))
{
	struct gzip *gzip = NULL;

	/* Where memory is short, the answer is longer. */
	if (request_wants_gzip(request, SIZE_MAX) && request_hold(request, GZIP_MEMORY))
		gzip = gzip_new();
	reply_by(request, type, read, gzip);
	if (gzip != NULL)
		request_add_header(request, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
}

/* A sentence may repeat bytes of the request, cut at any place: make them valid UTF-8. */
static void make_utf8(char *text)
{
	while (*(text += sse_utf8_valid(text, strlen(text))) != '\0')
		*text = '?';
}

/* Answer a person's browser with a page, and all else with JSON. */
static void reply_problem(struct request *request, const struct problem *problem)
{
	bool page = problem_prefers_page(request_header(request, MHD_HTTP_HEADER_ACCEPT));
	struct buf text;

	buf_init(&text, PROBLEM_MAX);
	if (!(page ? problem_page : problem_json)(problem, &text))
		text.len = 0;
	request_reply(request, problem->status,
		page ? "text/html; charset=utf-8" : "application/problem+json",
		text.len > 0 ? text.data : "", text.len);
	buf_free(&text);
	request_add_header(request, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT);
	if (!page)
		return;
	request_add_header(request, "Content-Security-Policy", PROBLEM_POLICY);
	request_add_header(request, "Referrer-Policy", "same-origin");
}

void request_problem(struct request *request, unsigned status, const char *format, ...)
{
	char detail[600];
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	make_utf8(detail);
	reply_problem(request, &(struct problem){status, request_reason(status), detail});
	if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
		request_add_retry_after(request, 1);
}

void request_wait(struct request *request)
{
	request->waiting = true;
	request->shared->waiting++;
	connection_set_deadline(request->socket, CONNECTION_NEVER);
	MHD_suspend_connection(request->connection);
}

void request_resume(struct request *request)
{
	request->waiting = false;
	request->shared->waiting--;
	request->shared->wants_run = true;
	MHD_resume_connection(request->connection);
}
