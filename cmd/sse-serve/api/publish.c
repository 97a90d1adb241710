/* SPDX-License-Identifier: MIT */
/* POST /api/{topic} and POST /api; see publish.h. */
#include <string.h>
#include <sysexits.h>

#include "api.h"
#include "author.h"
#include "cloudevent.h"
#include "condition.h"
#include "content.h"
#include "http/accept.h"
#include "log/subject.h"
#include "media_type.h"
#include "post.h"
#include "publish.h"
#include "schema.h"

/* A kind of body. */
struct format {
	const char *type; /* a * matches one character or more */
	bool checked;	  /* also by topics that require fields */
	/* read(post, error): fill the group.  0, or the status to answer with the sentence. */
	unsigned (*read)(struct post *post, struct error *error);
	const char *refusal; /* instead of read: the sentence */
};

static unsigned read_json(struct post *post, struct error *error);
static unsigned read_cloudevent(struct post *post, struct error *error);
static unsigned read_lines(struct post *post, struct error *error);
static unsigned read_text(struct post *post, struct error *error);

/* The first that matches counts. */
static const struct format formats[] = {
	{"application/json", true, read_json, NULL},
	{"application/x-ndjson", true, read_lines, NULL},
	{"text/plain", false, read_text, NULL},
	{"application/cloudevents+json", true, read_cloudevent, NULL},
	{"application/cloudevents-batch+json", true, NULL,
		"CloudEvents in an array are not accepted: send each alone as "
		"application/cloudevents+json, or all of them as application/x-ndjson, one per "
		"line"},
	/* Any type that is JSON by its suffix (RFC 6839, section 3.1). */
	{"application/*+json", true, read_json, NULL},
};

static const struct format *find_format(const char *header)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (media_type_is(header, formats[i].type))
			return &formats[i];
	}
	return NULL;
}

/* Does each line name its own topic? */
static bool is_many(const struct request *request)
{
	return request_route(request)->kind == ROUTE_TOPICS;
}

/* The header Idempotency-Key; valid as long as the request. */
static struct sse_text key_of(const struct request *request)
{
	const char *key = request_header(request, "Idempotency-Key");

	return key != NULL ? (struct sse_text){key, strlen(key)} : (struct sse_text){"", 0};
}

/* Is it only to close the topic?  Its type does not matter. */
static bool is_empty(const struct request *request)
{
	const char *length = request_header(request, "Content-Length");

	return request_route(request)->query.close &&
	       (length == NULL || strcmp(length, "0") == 0) &&
	       request_header(request, "Transfer-Encoding") == NULL;
}

static void check_type(struct request *request)
{
	const char *type = request_header(request, "Content-Type");
	const struct format *format = type != NULL ? find_format(type) : NULL;

	if (is_many(request) && (format == NULL || format->read != read_lines))
		request_problem(request, 415,
			"/api takes application/x-ndjson: envelopes, one per line, which name "
			"their topics");
	else if (type == NULL)
		request_problem(request, 415,
			"the Content-Type is missing: send application/json, application/x-ndjson or "
			"text/plain");
	else if (format == NULL)
		request_problem(request, 415,
			"the Content-Type '%.100s' is not accepted: send application/json (or "
			"another +json), application/x-ndjson or text/plain",
			type);
	else if (format->refusal != NULL)
		request_problem(request, 415, "%s", format->refusal);
	else if (!format->checked && schema_requires(request_route(request)->topic))
		request_problem(request, 415,
			"the topic %s takes application/json and application/x-ndjson",
			request_route(request)->topic);
	else if (!media_type_is_utf8(type))
		request_problem(
			request, 415, "the charset of '%.100s' is not accepted: send UTF-8", type);
}

/* Put the conditions of the request into the group.  Return 0, or -1. */
static int read_conditions(
	const struct request *request, struct store_group *group, struct error *error)
{
	const struct condition_headers headers = {
		request_header(request, "If-Match"), request_header(request, "If-None-Match")};

	if (headers.match == NULL && headers.none_match == NULL)
		return 0;
	if (request_header_count(request, "If-Match") > 1 ||
		request_header_count(request, "If-None-Match") > 1)
		return error_set(error, EX_DATAERR,
			"If-Match or If-None-Match was sent twice: send one, with one id");
	if (is_many(request))
		return error_set(error, EX_DATAERR,
			"If-Match and If-None-Match are about the newest event of one topic: send "
			"them with a POST to /api/TOPIC");
	if (request_route(request)->query.ephemeral)
		return error_set(error, EX_DATAERR,
			"an ephemeral event is not stored, so If-Match and If-None-Match do not apply to it");
	return condition_read(&headers, &api_of(request)->store->identity, group, error);
}

static bool check_conditions(struct request *request)
{
	struct store_group unused = {0};
	struct error error = {0};

	if (read_conditions(request, &unused, &error) == 0)
		return true;
	request_problem(request, 400, "%s", error.text);
	return false;
}

/* The last event of a topic must be stored. */
static bool check_close(struct request *request)
{
	const struct route_query *query = &request_route(request)->query;

	if (!query->close || !query->ephemeral)
		return true;
	request_problem(request, 400,
		"an ephemeral event is not stored, so it cannot be the last: leave out "
		"ephemeral=1, or send it before close=1");
	return false;
}

void publish_check(struct request *request)
{
	const char *fault;

	/* Not even by a form. */
	if (!request_check_origin(request, "publish here") || !post_check_coding(request))
		return;
	if (!is_empty(request))
		check_type(request);
	if (request_answered(request) || !check_conditions(request) || !check_close(request) ||
		request_header(request, "Idempotency-Key") == NULL ||
		request_route(request)->query.ephemeral)
		return;
	fault = content_header_key_fault(key_of(request));
	if (fault != NULL)
		request_problem(request, 400,
			"the Idempotency-Key %s: send 1 to %d bytes of printable ASCII", fault,
			EVENT_KEY_MAX);
}

/* --- what the query says --- */

/* The subject, if the query names one.  0, or the status to answer. */
static unsigned read_subject(struct post *post, struct error *error)
{
	const char *subject = request_route(post->request)->query.subject, *fault;

	if (subject == NULL)
		return 0;
	post->subject = (struct sse_text){subject, strlen(subject)};
	fault = subject_fault(post->subject);
	if (fault != NULL)
		error_set(error, EX_DATAERR, "the subject in ?subject= %s: " SUBJECT_RULE, fault);
	else if (post->ephemeral)
		error_set(error, EX_DATAERR,
			"an ephemeral event is not stored, so it cannot be the present value of a "
			"subject: leave out ?subject= or ?ephemeral=1");
	else
		return 0;
	return 400;
}

/*
 * Read the event's type, or take the default; its subject and key; and whether it is stored.  Return
 * 0, or the status to answer.
 */
static unsigned read_query(struct post *post, struct error *error)
{
	const struct route_query *query = &request_route(post->request)->query;
	const char *type = query->event != NULL ? query->event : "update";
	const char *fault;

	post->type = (struct sse_text){type, strlen(type)};
	post->ephemeral = query->ephemeral;
	if (!post->ephemeral)
		post->key = key_of(post->request);
	fault = content_type_fault(post->type);
	if (fault == NULL)
		return read_subject(post, error);
	error_set(error, EX_DATAERR, "the event type in ?event= %s", fault);
	return 400;
}

/* --- one event --- */

/* Find the one JSON value that the body is. */
static unsigned check_json(struct post *post, struct json_text *value, struct error *error)
{
	struct buf *body = request_body(post->request);
	struct json_error reason;

	/* With ?envelope=1 and the wrong Content-Type, envelopes would be stored as data. */
	if (request_route(post->request)->query.envelope) {
		error_set(error, EX_DATAERR,
			"send envelopes as application/x-ndjson, even a single one");
		return 400;
	}
	if (!json_check(body->data, body->len, value, &reason)) {
		error_set(error, EX_DATAERR, "the body is not JSON: at byte %zu: %s",
			reason.offset + 1, reason.what);
		return 400;
	}
	return 0;
}

static unsigned finish_json(struct post *post, struct json_text value, struct error *error)
{
	const char *topic = request_route(post->request)->topic;

	post->append[0].event.json = true;
	if (schema_requires(topic)) {
		buf_init(&post->data, request_body(post->request)->cap + 256);
		if (schema_apply(topic, value, &post->data, error) != 0)
			return 400;
		value = (struct json_text){post->data.data, post->data.len};
	}
	/* JSON has line ends only between tokens. */
	value.len = content_normalize((char *)(uintptr_t)value.text, value.len);
	post_one(post, topic, (struct sse_text){value.text, value.len});
	return 0;
}

static unsigned read_json(struct post *post, struct error *error)
{
	const char *topic = request_route(post->request)->topic;
	struct json_text value;
	unsigned status;

	/* An empty body clears the subject, whatever its Content-Type. */
	if (post->subject.len > 0 && request_body(post->request)->len == 0 &&
		!schema_requires(topic) && !request_route(post->request)->query.envelope) {
		post_one(post, topic, (struct sse_text){"", 0});
		return 0;
	}
	status = check_json(post, &value, error);
	return status != 0 ? status : finish_json(post, value, error);
}

/* Its own type, subject and key count where the request names none. */
static unsigned read_cloudevent(struct post *post, struct error *error)
{
	bool typed = request_route(post->request)->query.event != NULL;
	bool keyed = post->key.len > 0 || post->ephemeral;
	bool placed = post->subject.len > 0 || post->ephemeral;
	unsigned uses = (typed ? 0 : CLOUDEVENT_TYPE) | (keyed ? 0 : CLOUDEVENT_KEY) |
			(placed ? 0 : CLOUDEVENT_SUBJECT);
	struct cloudevent event;
	struct json_text value;
	unsigned status = check_json(post, &value, error);

	if (status != 0)
		return status;
	if (cloudevent_read(value, uses, &event, &post->attributes, error) != 0)
		return error->status == EX_OSERR ? 503 : 400;
	if (event.type.len > 0)
		post->type = event.type;
	if (event.subject.len > 0) {
		post->subject = event.subject;
		post->subject_in_data = true;
	}
	if (event.key.len > 0) {
		post->key = event.key;
		post->key_is = POST_KEY_CLOUDEVENT;
	}
	return finish_json(post, value, error);
}

static unsigned read_text(struct post *post, struct error *error)
{
	struct buf *body = request_body(post->request);
	size_t valid = sse_utf8_valid(body->data, body->len);
	const char *fault;

	if (valid < body->len) {
		error_set(error, EX_DATAERR, "the body is not UTF-8: byte %zu is wrong", valid + 1);
		return 400;
	}
	fault = content_text_fault((struct sse_text){body->data, body->len});
	if (fault != NULL) {
		error_set(error, EX_DATAERR, "the body %s", fault);
		return 400;
	}
	body->len = content_normalize(body->data, body->len);
	post_one(post, request_route(post->request)->topic,
		(struct sse_text){body->len > 0 ? body->data : "", body->len});
	return 0;
}

/* --- many --- */

/* The answer counts too: a client that does not read its answers must not fill the memory. */
static bool hold_batch(struct post *post)
{
	size_t answer = post->lines ? post->batch.count * POST_ANSWER_LINE : 0;

	return request_hold(post->request, batch_bytes(&post->batch) + answer);
}

static unsigned read_lines(struct post *post, struct error *error)
{
	struct request *request = post->request;
	struct batch_rules rules = {.topic = request_route(request)->topic,
		.type = post->type,
		.subject = post->subject,
		.key = post->key,
		.envelope = request_route(request)->query.envelope || is_many(request),
		.close = request_route(request)->query.close};
	enum batch_result result;

	if (post->ephemeral) {
		error_set(error, EX_DATAERR,
			"an ephemeral event is sent alone, as application/json or text/plain");
		return 400;
	}
	result = batch_read(&post->batch, request_body(request)->data, request_body(request)->len,
		&rules, error);
	if (result != BATCH_OK)
		return result == BATCH_WRONG ? 400 : result == BATCH_TOO_MANY ? 413 : 503;
	post->lines = accept_names(request_header(request, "Accept"), "application/x-ndjson");
	if (!hold_batch(post)) {
		error_set(error, EX_TEMPFAIL, REQUEST_BODIES_FULL,
			(long long)api_of(request)->max_bodies);
		return 503;
	}
	post->publish.group =
		(struct store_group){.appends = post->batch.appends, .count = post->batch.count};
	return 0;
}

/* May the sender publish to all topics that the lines name?  False after replying. */
static bool check_topics(const struct post *post)
{
	const struct batch *batch = &post->batch;
	const char *last = "";

	for (size_t i = 0; is_many(post->request) && i < batch->count; i++) {
		const char *topic = batch->appends[i].topic;

		if (topic != last && !request_check_topic(post->request, topic, batch->lines[i]))
			return false;
		last = topic;
	}
	return true;
}

/*
 * May the principal use the names in these events?  Either all events are published or none.
 * 0, or the status to answer.
 */
static unsigned check_authors(const struct post *post, struct error *error)
{
	const struct store_group *group = &post->publish.group;
	struct request *request = post->request;
	struct error reason;

	for (size_t i = 0; i < group->count; i++) {
		if (author_check(request_access(request), request_principal(request),
			    &group->appends[i].event, &reason) == 0)
			continue;
		if (group->appends == post->append)
			*error = reason;
		else
			error_set(error, reason.status, "line %u: %.500s", post->batch.lines[i],
				reason.text);
		return reason.status == EX_NOPERM ? 403 : 503;
	}
	return 0;
}

/* The events, and what closes the topic. */
static unsigned read_body(struct post *post, struct error *error)
{
	const struct route *route = request_route(post->request);
	bool closes = route->query.close;
	unsigned status = 0;

	if (closes && request_body(post->request)->len == 0 && post->subject.len > 0) {
		error_set(error, EX_DATAERR,
			"close=1 without a body sends no event that could have the subject: "
			"clear it before, or leave out ?subject=");
		return 400;
	}
	if (!closes || request_body(post->request)->len > 0)
		status = find_format(request_header(post->request, "Content-Type"))
				 ->read(post, error);
	if (status == 0 && closes && post->batch.count == 0)
		post_close(post, route->topic);
	return status;
}

/* --- the log --- */

void publish_run(struct request *request)
{
	struct post *post = post_new(request);
	struct error error = {0};
	unsigned status;

	if (post == NULL)
		return;
	status = read_query(post, &error);
	if (status == 0)
		status = read_body(post, &error);
	if (status == 0 && check_topics(post))
		status = check_authors(post, &error);
	if (status == 0 && read_conditions(request, &post->publish.group, &error) != 0)
		status = 400;
	post_end(post, status, &error);
}
