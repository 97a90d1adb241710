/* SPDX-License-Identifier: MIT */
/* POST /api/{topic}; see publish.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "publish.h"
#include "report.h"
#include "shape.h"

#define TYPE_MAX 200

/* Event types that are the server's own. */
static const char *const reserved_types[] = {"gap", "join", "leave"};

/* An event on its way, with all that it points to. */
struct post {
	struct publish publish; /* first */
	struct request *request;
	struct buf data; /* if the data is not the body itself */
	char *type;
};

/* The media type without its parameters is this one? */
static bool media_type_is(const char *header, const char *type)
{
	size_t len = strlen(type);

	return strncasecmp(header, type, len) == 0 && strchr(" \t;,", header[len]) != NULL;
}

/* A charset other than UTF-8 is none that an event stream could carry. */
static bool charset_is_utf8(const char *header)
{
	const char *charset = strcasestr(header, "charset=");

	if (charset == NULL)
		return true;
	charset += strlen("charset=");
	charset += *charset == '"';
	return strncasecmp(charset, "utf-8", 5) == 0 || strncasecmp(charset, "us-ascii", 8) == 0;
}

/* The authority of an origin: "http://localhost:8000" gives "localhost:8000". */
static bool is_own_origin(const char *origin, const char *host)
{
	const char *authority = strstr(origin, "://");

	return host != NULL && authority != NULL && strcasecmp(authority + 3, host) == 0;
}

/* May the page that sends this publish?  One of another site must not, not even by a form. */
static bool origin_allowed(struct request *request)
{
	const char *origin = request_header(request, "Origin");
	const char *site = request_header(request, "Sec-Fetch-Site");

	if (origin != NULL)
		return request_cors(request) != NULL ||
		       is_own_origin(origin, request_header(request, "Host"));
	return site == NULL || strcasecmp(site, "cross-site") != 0;
}

void publish_check(struct request *request)
{
	const char *type = request_header(request, "Content-Type");
	bool json = type != NULL && media_type_is(type, "application/json");

	if (!origin_allowed(request)) {
		const char *origin = request_header(request, "Origin");

		request_problem(request, 403,
			"a page of %.200s may not publish here; the operator can allow it with --cors",
			origin != NULL ? origin : "another site");
	} else if (type == NULL) {
		request_problem(request, 415,
			"there is no Content-Type: send application/json or text/plain");
	} else if (!json && !media_type_is(type, "text/plain")) {
		request_problem(request, 415,
			"the Content-Type '%.100s' is not taken: send application/json or text/plain",
			type);
	} else if (!json && shape_requires(request->route.topic)) {
		request_problem(
			request, 415, "the topic %s takes application/json", request->route.topic);
	} else if (!charset_is_utf8(type)) {
		request_problem(
			request, 415, "the charset of '%.100s' is not taken: send UTF-8", type);
	}
}

/* The event's type out of the query, or the default.  NULL when a reply was given. */
static char *event_type(struct request *request)
{
	char *given = route_query(&request->route, "event");
	char *type = given != NULL ? given : strdup("update");
	const char *wrong = NULL;

	if (type == NULL)
		wrong = "finds no memory";
	else if (type[0] == '\0')
		wrong = "is empty";
	else if (strlen(type) > TYPE_MAX)
		wrong = "is longer than 200 bytes";
	else if (strpbrk(type, "\r\n") != NULL)
		wrong = "holds a line end";
	else if (sse_utf8_valid(type, strlen(type)) != strlen(type))
		wrong = "is not valid UTF-8";
	for (size_t i = 0; wrong == NULL && i < sizeof(reserved_types) / sizeof(char *); i++) {
		if (strcmp(type, reserved_types[i]) == 0)
			wrong = "is one of gap, join and leave, which only the server sends";
	}
	if (wrong == NULL)
		return type;
	request_problem(request, 400, "the event type in ?event= %s", wrong);
	free(type);
	return NULL;
}

/* The standard's line ends become the one that the stream can carry: LF.  Return the new length. */
static size_t normalize_lines(char *text, size_t len)
{
	char *in = memchr(text, '\r', len), *end = text + len, *out = in;

	if (in == NULL)
		return len;
	while (in < end) {
		char c = *in++;

		if (c == '\r' && in < end && *in == '\n')
			in++;
		*out++ = c == '\r' ? '\n' : c;
	}
	return (size_t)(out - text);
}

static int check_json(struct post *post, struct buf *body, struct error *error)
{
	const char *topic = post->request->route.topic;
	struct json_error reason;
	struct json_text value;

	if (!json_check(body->data, body->len, &value, &reason))
		return error_set(error, EX_DATAERR, "the body is not JSON: at byte %zu: %s",
			reason.offset + 1, reason.what);
	post->publish.append.event.json = true;
	if (shape_requires(topic)) {
		buf_init(&post->data, body->cap + 256);
		if (shape_apply(topic, value, &post->data, error) != 0)
			return -1;
		value = (struct json_text){post->data.data, post->data.len};
	}
	/* Line ends in JSON stand between tokens only. */
	post->publish.append.event.data = (struct sse_text){
		value.text, normalize_lines((char *)(uintptr_t)value.text, value.len)};
	return 0;
}

static int check_text(struct post *post, struct buf *body, struct error *error)
{
	size_t valid = sse_utf8_valid(body->data, body->len);

	if (valid < body->len)
		return error_set(
			error, EX_DATAERR, "the body is not UTF-8: byte %zu is wrong", valid + 1);
	if (body->len > 0 && memchr(body->data, '\0', body->len) != NULL)
		return error_set(error, EX_DATAERR, "the body holds a NUL; text cannot");
	post->publish.append.event.data = (struct sse_text){body->len > 0 ? body->data : "",
		body->len > 0 ? normalize_lines(body->data, body->len) : 0};
	return 0;
}

static void free_post(void *state)
{
	struct post *post = state;

	free(post->type);
	buf_free(&post->data);
	free(post);
}

/* The log has it: 201, and where it is. */
static void reply_stored(struct request *request, const struct event *event)
{
	char id[IDENTITY_TEXT], location[TOPIC_NAME_MAX + IDENTITY_TEXT + 8];

	identity_format(&request->server->store->identity, event->position, id);
	snprintf(location, sizeof(location), "/api/%s/%s", request->route.topic, id);
	request_reply_static(request, 201, NULL, "", 0);
	request_add_header(request, "Location", location);
	request_add_header(request, "Last-Event-ID", id);
}

/* Back from the log thread. */
static void take_result(struct message *message)
{
	struct post *post = (struct post *)message;
	struct request *request = post->request;

	if (!post->publish.failed) {
		reply_stored(request, &post->publish.append.event);
	} else {
		report(REPORT_ERROR, "%s", post->publish.error.text);
		request_problem(request, post->publish.error.status == EX_TEMPFAIL ? 503 : 507,
			"%s", post->publish.error.text);
	}
	request_resume(request);
}

static void submit(struct request *request, struct post *post)
{
	struct publish *publish = &post->publish;

	publish->message.handle = take_result;
	publish->mailbox = request->fanout->mailbox;
	publish->append.topic = request->route.topic;
	publish->append.event.type = (struct sse_text){post->type, strlen(post->type)};
	if (request->server->draining) {
		request_problem(request, 503, "the server is stopping; try again");
	} else if (!commit_submit(request->server->commit, publish)) {
		request_problem(
			request, 503, "too many events wait to be stored; try again in a second");
	} else {
		request_wait(request);
	}
}

void publish_run(struct request *request)
{
	const char *type = request_header(request, "Content-Type");
	struct post *post = calloc(1, sizeof(*post));
	struct error error = {0};
	int failed;

	if (post == NULL) {
		request_problem(request, 503, "out of memory; try again later");
		return;
	}
	post->request = request;
	request->state = post;
	request->free_state = free_post;
	post->type = event_type(request);
	if (post->type == NULL)
		return;
	if (media_type_is(type, "application/json"))
		failed = check_json(post, &request->body, &error);
	else
		failed = check_text(post, &request->body, &error);
	if (failed)
		request_problem(request, 400, "%s", error.text);
	else
		submit(request, post);
}
