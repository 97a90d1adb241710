/* SPDX-License-Identifier: MIT */
/* HTTP by libmicrohttpd; see http.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/address.h"
#include "base/counter.h"
#include "base/logger.h"
#include "clock.h"
#include "http.h"
#include "linger.h"
#include "log/topic.h"
#include "problem.h"
#include "sse.h"

/* How long a connection may stay idle between two requests. */
#define IDLE_MS 60000

/* How long an answer may make no progress, in seconds. */
#define ANSWER_TIMEOUT 120

/*
 * The library's memory for one connection, which it clears each time: a head (and a piece of a
 * body), and for each parameter of the query and each topic that one may name its bytes and the
 * library's note of it.
 */
#define HEAD_MEMORY ((size_t)8 << 10)
#define PARAMETER_MEMORY ((size_t)70)

/* Connections taken in one go, so that a flood does not starve the streams. */
#define ACCEPT_MAX 64

/* How often deadlines are looked at. */
#define TICK_MS 250

#define NEVER INT64_MAX

/* More than a problem takes, whatever its sentence has to have escaped. */
#define PROBLEM_MAX ((size_t)8 << 10)

/* A client's connection, as long as the library has it. */
struct connection {
	int fd;
	int64_t deadline;	 /* the deadline of its current step, ms; or NEVER */
	struct request *request; /* that has not ended, or NULL */
	struct connection *next, **back;
};

struct request {
	struct http *http;
	struct MHD_Connection *connection;
	struct MHD_Response *response;
	const struct handler *handler;
	const char *method;
	char *target;
	struct route route;
	struct buf body;
	void *state; /* the handler's */
	void (*free_state)(void *state);
	unsigned status;
	enum { REQUEST_NEW, REQUEST_BODY, REQUEST_RUN, REQUEST_TAKEN } stage;
	unsigned refused;   /* the status by which the body is refused before it is read; or 0 */
	uint64_t announced; /* the Content-Length; 0 without one */
	size_t received;    /* bytes of body, for the log */
	int64_t held;	    /* of config->bodies */
	bool waiting;
};

struct http {
	const struct http_config *config;
	void *context; /* the handlers' */
	_Atomic uint64_t requests;
	struct MHD_Daemon *daemon;
	struct connection *connections;
	struct lingerers lingerers;
	int64_t next_tick; /* when deadlines are looked at again */
	size_t waiting;
	bool wants_run;
};

static void say_options(struct request *request);

static const struct handler options_handler = {ROUTE_PAGE, "OPTIONS", NULL, say_options};

/* --- what handlers ask --- */

void *request_context(const struct request *request)
{
	return request->http->context;
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

const struct sockaddr *request_address(const struct request *request)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *address = info != NULL ? info->client_addr : NULL;
	bool internet = address != NULL &&
			(address->sa_family == AF_INET || address->sa_family == AF_INET6);

	return internet ? address : NULL;
}

bool request_is_local(const struct request *request)
{
	static const char *const passed_on[] = {"Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"};
	const struct sockaddr *address = request_address(request);

	for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++) {
		if (request_header(request, passed_on[i]) != NULL)
			return false;
	}
	return address == NULL || address_is_loopback(address);
}

bool request_is_head(const struct request *request)
{
	return strcmp(request->method, "HEAD") == 0;
}

const char *request_cors(const struct request *request)
{
	const struct option_list *allowed = request->http->config->cors;
	const char *origin = request_header(request, "Origin");

	for (size_t i = 0; origin != NULL && i < allowed->count; i++) {
		if (strcmp(allowed->values[i], "*") == 0)
			return "*";
		if (strcasecmp(allowed->values[i], origin) == 0)
			return origin;
	}
	return NULL;
}

/* The authority of an origin: "http://localhost:8000" gives "localhost:8000". */
static bool is_own_origin(const char *origin, const char *host)
{
	const char *authority = strstr(origin, "://");

	return host != NULL && authority != NULL && strcasecmp(authority + 3, host) == 0;
}

static bool origin_allowed(const struct request *request)
{
	const char *origin = request_header(request, "Origin");
	const char *site = request_header(request, "Sec-Fetch-Site");

	if (origin != NULL)
		return request_cors(request) != NULL ||
		       is_own_origin(origin, request_header(request, "Host"));
	return site == NULL || strcasecmp(site, "cross-site") != 0;
}

bool request_check_origin(struct request *request, const char *what)
{
	const char *origin = request_header(request, "Origin");

	if (origin_allowed(request))
		return true;
	request_problem(request, 403,
		"a page of %.200s may not %s; the operator can allow it with --cors",
		origin != NULL ? origin : "another site", what);
	return false;
}

static size_t connection_memory(const struct http_config *config)
{
	return HEAD_MEMORY + config->max_parameters * (TOPIC_NAME_MAX + PARAMETER_MEMORY);
}

static struct connection *connection_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info != NULL ? info->socket_context : NULL;
}

/* What the connection does now must be done within ${ms}. */
static void set_deadline(struct MHD_Connection *connection, int64_t ms)
{
	struct connection *socket = connection_of(connection);

	if (socket != NULL)
		socket->deadline = ms == NEVER ? NEVER : clock_now_ms() + ms;
}

int request_take_socket(struct request *request, unsigned status)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	int fd = fcntl(info->connect_fd, F_DUPFD_CLOEXEC, 3), off = 0, on = 1;
	unsigned stall = request->http->config->stall_timeout;

	if (fd < 0)
		return -1;
	/* The library may hold a packet back; on a local socket both mean nothing. */
	setsockopt(fd, IPPROTO_TCP, TCP_CORK, &off, sizeof(off));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	/* A client that is gone without a word, or whose window stays shut. */
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &stall, sizeof(stall));
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	request->stage = REQUEST_TAKEN;
	request->status = status;
	return fd;
}

/* --- replying --- */

static const char exposed[] = "Last-Event-ID, Location, Retry-After, Idempotency-Replayed";

size_t request_write_head(const struct request *request, unsigned status, const char *type,
	const char *more, char *out, size_t size)
{
	const char *origin = request_cors(request);
	time_t now = time(NULL);
	struct tm utc;
	char date[40], cors[400] = "";
	int len;

	gmtime_r(&now, &utc);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &utc);
	if (origin != NULL)
		snprintf(cors, sizeof(cors),
			"Access-Control-Allow-Origin: %s\r\nAccess-Control-Expose-Headers: %s\r\n",
			origin, exposed);
	len = snprintf(out, size,
		"HTTP/1.1 %u %s\r\nDate: %s\r\nContent-Type: %s\r\n"
		"X-Content-Type-Options: nosniff\r\nConnection: close\r\n%s%s%s\r\n",
		status, MHD_get_reason_phrase_for(status), date, type,
		request->http->config->cors->count > 0 ? "Vary: Origin\r\n" : "", cors, more);
	return len > 0 && (size_t)len < size ? (size_t)len : 0;
}

static void set_response(
	struct request *request, unsigned status, const char *type, struct MHD_Response *response)
{
	const char *origin = request_cors(request);

	if (request->response != NULL)
		MHD_destroy_response(request->response);
	request->response = response;
	request->status = status;
	if (response == NULL)
		return;
	if (type != NULL)
		request_add_header(request, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	request_add_header(request, "X-Content-Type-Options", "nosniff");
	if (request->http->config->cors->count > 0)
		request_add_header(request, "Vary", "Origin");
	if (origin != NULL) {
		request_add_header(request, "Access-Control-Allow-Origin", origin);
		request_add_header(request, "Access-Control-Expose-Headers", exposed);
	}
}

void request_add_header(struct request *request, const char *name, const char *value)
{
	if (request->response != NULL)
		MHD_add_response_header(request->response, name, value);
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
};

static ssize_t pull_read(void *context, uint64_t position, char *out, size_t max)
{
	struct pull *pull = context;
	ssize_t got = pull->read(pull->request->state, out, max);

	(void)position;
	if (got == 0)
		request_wait(pull->request);
	if (got == -1)
		return MHD_CONTENT_READER_END_OF_STREAM;
	return got == -2 ? MHD_CONTENT_READER_END_WITH_ERROR : got;
}

void request_reply_stream(struct request *request, const char *type,
	ssize_t (*read)(void *state, char *out, size_t max))
{
	struct pull *pull = malloc(sizeof(*pull));
	struct MHD_Response *response = NULL;

	if (pull != NULL) {
		*pull = (struct pull){request, read};
		response = MHD_create_response_from_callback(
			MHD_SIZE_UNKNOWN, 32768, pull_read, pull, free);
	}
	if (response == NULL)
		free(pull);
	set_response(request, MHD_HTTP_OK, type, response);
}

/* What a sentence repeats of a request may be anything, and cut anywhere: make it UTF-8. */
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
	reply_problem(
		request, &(struct problem){status, MHD_get_reason_phrase_for(status), detail});
	if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
		request_add_header(request, MHD_HTTP_HEADER_RETRY_AFTER, "1");
}

void request_wait(struct request *request)
{
	request->waiting = true;
	request->http->waiting++;
	set_deadline(request->connection, NEVER);
	MHD_suspend_connection(request->connection);
}

void request_resume(struct request *request)
{
	request->waiting = false;
	request->http->waiting--;
	request->http->wants_run = true;
	MHD_resume_connection(request->connection);
}

/* --- methods --- */

/* Does this kind of target take the method?  Of the server as a whole, any of them. */
static bool takes(const struct http *http, enum route_kind kind, const char *method)
{
	for (size_t i = 0; i < http->config->routes->count; i++) {
		const struct handler *handler = &http->config->routes->handlers[i];

		if ((kind == ROUTE_SERVER || handler->kind == kind) &&
			strcmp(handler->method, method) == 0)
			return true;
	}
	return false;
}

/* Write the methods of what the request names: "GET, HEAD, POST, OPTIONS". */
static const char *methods_of(const struct request *request, char text[64])
{
	const struct http *http = request->http;
	enum route_kind kind = request->route.kind;

	snprintf(text, 64, "%s%sOPTIONS", takes(http, kind, "GET") ? "GET, HEAD, " : "",
		takes(http, kind, "POST") ? "POST, " : "");
	return text;
}

static void say_options(struct request *request)
{
	char methods[64];

	methods_of(request, methods);
	request_reply_static(request, MHD_HTTP_NO_CONTENT, NULL, "", 0);
	request_add_header(request, MHD_HTTP_HEADER_ALLOW, methods);
	if (request_cors(request) == NULL)
		return;
	request_add_header(request, "Access-Control-Allow-Methods", methods);
	request_add_header(request, "Access-Control-Allow-Headers",
		"Content-Type, Last-Event-ID, Idempotency-Key, Cache-Control");
	request_add_header(request, "Access-Control-Max-Age", "600");
}

/* --- the life of a request --- */

static void find_handler(struct request *request)
{
	const struct http_routes *routes = request->http->config->routes;
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
		request_problem(request, MHD_HTTP_BAD_REQUEST,
			"'event' cannot be a topic; /api/event?topic=... is a stream, for GET");
		return;
	}
	if (request->route.kind == ROUTE_SERVER) {
		request_problem(request, MHD_HTTP_BAD_REQUEST,
			"'*' is the whole server, which accepts only OPTIONS; any other path "
			"begins with /");
		return;
	}
	methods_of(request, methods);
	request_problem(request, MHD_HTTP_METHOD_NOT_ALLOWED, "this address accepts %s", methods);
	request_add_header(request, MHD_HTTP_HEADER_ALLOW, methods);
}

/* What the head says of the body's length. */
struct framing {
	const char *length;
	bool chunked, doubtful;
};

static enum MHD_Result look_at_header(
	void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct framing *framing = context;

	(void)kind;
	if (strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
		framing->doubtful |= value == NULL || strcasecmp(value, "chunked") != 0;
		framing->chunked = true;
	} else if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
		framing->doubtful |= value == NULL || (framing->length != NULL &&
							      strcmp(framing->length, value) != 0);
		framing->length = value;
	} else if (strpbrk(name, " \t") != NULL) {
		/* "Content-Length :" is that header to some, and another one to the library. */
		framing->doubtful = true;
	}
	return MHD_YES;
}

/*
 * A proxy before the server may have read a doubtful length in another way; then bytes that are a
 * body to the proxy would be a request to the server, or the other way round (RFC 9112, sections
 * 5.1 and 6.3).
 */
static void look_at_length(struct request *request)
{
	struct framing framing = {0};

	MHD_get_connection_values(request->connection, MHD_HEADER_KIND, look_at_header, &framing);
	if (framing.doubtful || (framing.chunked && framing.length != NULL))
		request->refused = MHD_HTTP_BAD_REQUEST;
	else if (framing.length != NULL)
		request->announced = strtoull(framing.length, NULL, 10);
	if (request->announced > request->body.cap)
		request->refused = MHD_HTTP_CONTENT_TOO_LARGE;
}

bool request_hold(struct request *request, size_t bytes)
{
	if (!quota_take(request->http->config->bodies, request->held, (int64_t)bytes))
		return false;
	request->held += (int64_t)bytes;
	return true;
}

void request_release(struct request *request, size_t bytes)
{
	buf_free(&request->body);
	if (request->held <= (int64_t)bytes)
		return;
	quota_give(request->http->config->bodies, request->held - (int64_t)bytes);
	request->held = (int64_t)bytes;
}

/* Make sure that a body of ${len} bytes may be held. */
static bool hold_body(struct request *request, size_t len)
{
	if ((int64_t)len > request->held && !request_hold(request, len - (size_t)request->held))
		request->refused = MHD_HTTP_SERVICE_UNAVAILABLE;
	return request->refused == 0;
}

/* Find out what the request is for; a problem is replied. */
static void read_target(struct request *request)
{
	struct error error = {0};

	if (route_parse(request->target, &request->route, &error) == 0)
		find_handler(request);
	if (request->handler != NULL)
		route_parse_query(&request->route, request->handler->method, &error);
	if (error.status != 0)
		request_problem(request,
			error.status == EX_OSERR ? MHD_HTTP_SERVICE_UNAVAILABLE
						 : MHD_HTTP_BAD_REQUEST,
			"%s", error.text);
}

/* The head has arrived. */
static void begin(struct request *request, const char *version)
{
	request->stage = REQUEST_BODY;
	counter_add(&request->http->requests, 1);
	set_deadline(request->connection, request->http->config->request_timeout);
	look_at_length(request);
	if (*request->http->config->draining) {
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
	read_target(request);
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
			(long long)request->http->config->bodies->limit);
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
		linger_add(&request->http->lingerers, fd, clock_now_ms());
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
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	char answer[1400];
	size_t len;

	request->refused = MHD_HTTP_URI_TOO_LONG;
	len = write_refusal(request, answer, sizeof(answer));
	/* It fits into a socket that nothing else waits in; if not, there is only the end. */
	if (len > 0 && send(info->connect_fd, answer, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		len = 0;
	shutdown(info->connect_fd, SHUT_WR);
	set_deadline(request->connection, 0);
	/* What the library gives up while it reads is freed in its next run. */
	request->http->wants_run = true;
}

static bool target_fits(const struct request *request)
{
	size_t parameters = 1;

	for (const char *p = request->target; (p = strchr(p, '&')) != NULL; p++)
		parameters++;
	return strlen(request->target) + parameters * PARAMETER_MEMORY + HEAD_MEMORY / 2 <=
	       connection_memory(request->http->config);
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

/* The library calls this when the head has arrived, for each piece of body, at its end, and after a
 * resume. */
static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
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
		set_deadline(connection, NEVER);
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

/* The request line is there: the raw target, which the library's own decoding would spoil. */
static void *new_request(void *context, const char *target, struct MHD_Connection *connection)
{
	struct http *http = context;
	struct connection *socket = connection_of(connection);
	struct request *request = socket != NULL ? calloc(1, sizeof(*request)) : NULL;

	if (request == NULL)
		return NULL;
	request->http = http;
	request->connection = connection;
	request->method = "";
	request->target = strdup(target);
	buf_init(&request->body, http->config->max_body);
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

static void free_request(struct request *request)
{
	char address[64];

	if (request->http->config->verbose) {
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

/* The library does not report the end of every request whose parameters it had no memory for; such
 * a request is freed with its connection. */
static void end_request(void *context, struct MHD_Connection *connection, void **con_cls,
	enum MHD_RequestTerminationCode code)
{
	(void)context;
	(void)code;
	if (*con_cls == NULL)
		return;
	free_request(*con_cls);
	*con_cls = NULL;
	connection_of(connection)->request = NULL;
	set_deadline(connection, IDLE_MS);
}

/* --- connections --- */

static void connection_event(void *context, struct MHD_Connection *connection,
	void **socket_context, enum MHD_ConnectionNotificationCode code)
{
	struct http *http = context;
	struct connection *socket = *socket_context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		socket = calloc(1, sizeof(*socket));
		*socket_context = socket;
		if (socket == NULL)
			return;
		socket->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
				     ->connect_fd;
		socket->deadline = clock_now_ms() + http->config->request_timeout;
		socket->back = &http->connections;
		socket->next = http->connections;
		if (socket->next != NULL)
			socket->next->back = &socket->next;
		http->connections = socket;
	} else if (socket != NULL) {
		*socket->back = socket->next;
		if (socket->next != NULL)
			socket->next->back = socket->back;
		if (socket->request != NULL)
			free_request(socket->request);
		free(socket);
		*socket_context = NULL;
	}
}

bool http_accept(struct http *http, int listener)
{
	for (int i = 0; i < ACCEPT_MAX; i++) {
		struct sockaddr_storage address;
		socklen_t len = sizeof(address);
		int fd = accept4(
			listener, (struct sockaddr *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return errno != EMFILE && errno != ENFILE && errno != ENOBUFS &&
			       errno != ENOMEM;
		/* Takes the socket, also when it fails. */
		MHD_add_connection(http->daemon, fd, (struct sockaddr *)&address, len);
		http->wants_run = true;
	}
	return true;
}

struct http *http_new(
	const struct http_config *config, void *context, int epoll, struct error *error)
{
	struct http *http = calloc(1, sizeof(*http));
	struct rlimit files = {.rlim_cur = 1024};

	if (http == NULL) {
		error_set(error, EX_OSERR, "out of memory for the HTTP library");
		return NULL;
	}
	getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur > 1 << 20)
		files.rlim_cur = 1 << 20;
	http->config = config;
	http->context = context;
	http->lingerers.epoll = epoll;
	/* Without a listening socket: the loop accepts.  TURBO leaves out the shutdown() before
	 * close(), which is what lets a socket be handed over. */
	http->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_TURBO | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME,
		0, NULL, NULL, handle, http, MHD_OPTION_URI_LOG_CALLBACK, new_request, http,
		MHD_OPTION_NOTIFY_COMPLETED, end_request, http, MHD_OPTION_NOTIFY_CONNECTION,
		connection_event, http, MHD_OPTION_CONNECTION_LIMIT, (unsigned)files.rlim_cur,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)ANSWER_TIMEOUT,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, connection_memory(config), MHD_OPTION_END);
	if (http->daemon == NULL)
		goto err1;
	return http;

err1:
	error_set(error, EX_OSERR, "cannot start the HTTP library: %s", strerror(errno));
	free(http);
	return NULL;
}

int http_fd(const struct http *http)
{
	return MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

void http_run(struct http *http)
{
	http->wants_run = false;
	MHD_run(http->daemon);
}

bool http_wants_run(const struct http *http)
{
	return http->wants_run;
}

int http_timeout(struct http *http)
{
	MHD_UNSIGNED_LONG_LONG ms;
	int timeout = http->connections != NULL || http->lingerers.first != NULL ? TICK_MS : -1;

	if (MHD_get_timeout(http->daemon, &ms) == MHD_YES &&
		(timeout < 0 || ms < (unsigned long long)timeout))
		timeout = (int)ms;
	return timeout;
}

void http_tick(struct http *http)
{
	int64_t now = clock_now_ms();

	if (now < http->next_tick)
		return;
	http->next_tick = now + TICK_MS;
	for (struct connection *one = http->connections; one != NULL; one = one->next) {
		/* The library notices, and closes it. */
		if (now >= one->deadline) {
			shutdown(one->fd, SHUT_RDWR);
			one->deadline = NEVER;
		}
	}
	linger_tick(&http->lingerers, now);
}

uint64_t http_requests(const struct http *http)
{
	return counter_read(&http->requests);
}

size_t http_busy(const struct http *http)
{
	return http->waiting;
}

void http_free(struct http *http)
{
	if (http == NULL)
		return;
	MHD_stop_daemon(http->daemon);
	linger_close(&http->lingerers);
	free(http);
}

const char *http_library_version(void)
{
	return MHD_get_version();
}
