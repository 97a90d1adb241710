/* SPDX-License-Identifier: MIT */
/* POST /api/{topic}; see publish.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "api.h"
#include "base/logger.h"
#include "batch.h"
#include "cloudevent.h"
#include "content.h"
#include "hash.h"
#include "http/accept.h"
#include "log/log_thread.h"
#include "publish.h"
#include "schema.h"
#include "stream/fanout.h"

/* The longest line of an answer to a batch: {"id":"","duplicate":false} and its end. */
#define ANSWER_LINE_MAX (IDENTITY_TEXT + 32)

/* What is published, with all that it points to. */
struct post {
	struct publish publish; /* first */
	struct request *request;
	struct store_append append; /* a body that is one event */
	struct batch batch;	    /* a body of many */
	struct buf data;	    /* of the one event, if it is not the body itself */
	struct buf attributes;	    /* of a CloudEvent */
	struct buf answer;	    /* the lines of the answer */
	struct sse_text type, key;  /* key.len 0: it has none */
	bool ephemeral;		    /* to be passed on, and not stored */
	bool lines;		    /* an answer line for each event is wanted */
};

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
		"application/cloudevents+json, or all of them as application/x-ndjson, one a line"},
	/* Any type that is JSON by its suffix (RFC 6839, section 3.1). */
	{"application/*+json", true, read_json, NULL},
};

/* Is the header's media type, without its parameters, this one? */
static bool media_type_is(const char *header, const char *type)
{
	size_t len = strcspn(header, " \t;,"), before = strcspn(type, "*");
	size_t after = type[before] == '*' ? strlen(type + before + 1) : 0;

	if (type[before] == '\0')
		return len == before && strncasecmp(header, type, len) == 0;
	return len > before + after && strncasecmp(header, type, before) == 0 &&
	       strncasecmp(header + len - after, type + before + 1, after) == 0;
}

static const struct format *find_format(const char *header)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (media_type_is(header, formats[i].type))
			return &formats[i];
	}
	return NULL;
}

/* An event stream carries no charset but UTF-8. */
static bool charset_is_utf8(const char *header)
{
	const char *charset = strcasestr(header, "charset=");

	if (charset == NULL)
		return true;
	charset += strlen("charset=");
	charset += *charset == '"';
	return strncasecmp(charset, "utf-8", 5) == 0 || strncasecmp(charset, "us-ascii", 8) == 0;
}

/* The header Idempotency-Key; valid as long as the request. */
static struct sse_text key_of(const struct request *request)
{
	const char *key = request_header(request, "Idempotency-Key");

	return key != NULL ? (struct sse_text){key, strlen(key)} : (struct sse_text){"", 0};
}

static void check_type(struct request *request)
{
	const char *type = request_header(request, "Content-Type");
	const struct format *format = type != NULL ? find_format(type) : NULL;

	if (type == NULL)
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
	else if (!charset_is_utf8(type))
		request_problem(
			request, 415, "the charset of '%.100s' is not accepted: send UTF-8", type);
}

/* Nothing is decoded (RFC 9110, section 15.5.16). */
static bool check_coding(struct request *request)
{
	const char *coding = request_header(request, "Content-Encoding");

	if (coding == NULL || coding[0] == '\0' || strcasecmp(coding, "identity") == 0)
		return true;
	request_problem(request, 415,
		"the Content-Encoding '%.100s' is not accepted: send the body as it is, without one",
		coding);
	request_add_header(request, "Accept-Encoding", "identity");
	return false;
}

void publish_check(struct request *request)
{
	const char *fault;

	/* Not even by a form. */
	if (!request_check_origin(request, "publish here") || !check_coding(request))
		return;
	check_type(request);
	if (request_answered(request) || request_header(request, "Idempotency-Key") == NULL ||
		request_route(request)->query.ephemeral)
		return;
	fault = content_header_key_fault(key_of(request));
	if (fault != NULL)
		request_problem(request, 400,
			"the Idempotency-Key %s: send 1 to %d bytes of printable ASCII", fault,
			EVENT_KEY_MAX);
}

/* --- what the query says --- */

/* The event's type, or the default, its key, and whether it is stored.  0, or the status to answer.
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
		return 0;
	error_set(error, EX_DATAERR, "the event type in ?event= %s", fault);
	return 400;
}

/* --- one event --- */

/* The data is there: what else belongs to the one event. */
static unsigned finish_one(struct post *post, struct sse_text data)
{
	struct store_append *append = &post->append;

	append->topic = request_route(post->request)->topic;
	append->event.type = post->type;
	append->event.data = data;
	append->event.ephemeral = post->ephemeral;
	append->key = post->key;
	if (append->key.len > 0)
		append->fingerprint = content_fingerprint(HASH_START, &append->event);
	post->publish.group = (struct store_group){.appends = append, .count = 1};
	return 0;
}

/* Find the one JSON value that the body is. */
static unsigned check_json(struct post *post, struct json_text *value, struct error *error)
{
	struct buf *body = request_body(post->request);
	struct json_error reason;

	/* A typing error must not store envelopes as data. */
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

	post->append.event.json = true;
	if (schema_requires(topic)) {
		buf_init(&post->data, request_body(post->request)->cap + 256);
		if (schema_apply(topic, value, &post->data, error) != 0)
			return 400;
		value = (struct json_text){post->data.data, post->data.len};
	}
	/* JSON has line ends only between tokens. */
	return finish_one(
		post, (struct sse_text){value.text,
			      content_normalize((char *)(uintptr_t)value.text, value.len)});
}

static unsigned read_json(struct post *post, struct error *error)
{
	struct json_text value;
	unsigned status = check_json(post, &value, error);

	return status != 0 ? status : finish_json(post, value, error);
}

/* Its own type and key count where the request names none. */
static unsigned read_cloudevent(struct post *post, struct error *error)
{
	bool typed = request_route(post->request)->query.event != NULL;
	bool keyed = post->key.len > 0 || post->ephemeral;
	unsigned uses = (typed ? 0 : CLOUDEVENT_TYPE) | (keyed ? 0 : CLOUDEVENT_KEY);
	struct cloudevent event;
	struct json_text value;
	unsigned status = check_json(post, &value, error);

	if (status != 0)
		return status;
	if (cloudevent_read(value, uses, &event, &post->attributes, error) != 0)
		return error->status == EX_OSERR ? 503 : 400;
	if (event.type.len > 0)
		post->type = event.type;
	if (event.key.len > 0)
		post->key = event.key;
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
	return finish_one(post, (struct sse_text){body->len > 0 ? body->data : "",
					content_normalize(body->data, body->len)});
}

/* --- many --- */

/* The answer counts too: a client that does not read its answers must not fill the memory. */
static bool hold_batch(struct post *post)
{
	size_t answer = post->lines ? post->batch.count * ANSWER_LINE_MAX : 0;

	return request_hold(post->request, batch_bytes(&post->batch) + answer);
}

static unsigned read_lines(struct post *post, struct error *error)
{
	struct request *request = post->request;
	struct batch_rules rules = {.topic = request_route(request)->topic,
		.type = post->type,
		.key = post->key,
		.envelope = request_route(request)->query.envelope};
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

/* --- answers --- */

static void free_post(void *state)
{
	struct post *post = state;

	batch_free(&post->batch);
	buf_free(&post->data);
	buf_free(&post->attributes);
	buf_free(&post->answer);
	free(post);
}

static size_t format_id(const struct post *post, uint64_t position, char id[IDENTITY_TEXT])
{
	return identity_format(&api_of(post->request)->store->identity, position, id);
}

/* A line for each event, in their order.  Return -1 without memory. */
static int write_lines(struct post *post)
{
	const struct store_group *group = &post->publish.group;
	char id[IDENTITY_TEXT];

	buf_init(&post->answer, group->count * ANSWER_LINE_MAX);
	if (buf_reserve(&post->answer, post->answer.cap) == NULL)
		return -1;
	for (size_t i = 0; i < group->count; i++) {
		const struct store_append *append = &group->appends[i];

		format_id(post, append->event.position, id);
		buf_addf(&post->answer, "{\"id\":\"%s\",\"duplicate\":%s}\n", id,
			append->duplicate ? "true" : "false");
	}
	return 0;
}

/* What the answer's head says of the group. */
static void sum_up(const struct store_group *group, uint64_t *newest, bool *replayed)
{
	*newest = 0;
	*replayed = true;
	for (size_t i = 0; i < group->count; i++) {
		const struct store_append *append = &group->appends[i];

		*replayed = *replayed && append->duplicate;
		if (append->event.position > *newest)
			*newest = append->event.position;
	}
}

/* The log has it: 201, and where it is. */
static void reply_stored(struct post *post)
{
	struct request *request = post->request;
	char id[IDENTITY_TEXT], location[TOPIC_NAME_MAX + IDENTITY_TEXT + 8];
	uint64_t newest;
	bool replayed;

	sum_up(&post->publish.group, &newest, &replayed);
	format_id(post, newest, id);
	if (post->lines && write_lines(post) == 0)
		request_reply_static(
			request, 201, "application/x-ndjson", post->answer.data, post->answer.len);
	else
		request_reply_static(request, 201, NULL, "", 0);
	if (post->publish.group.appends == &post->append) {
		snprintf(location, sizeof(location), "/api/%s/%s", request_route(request)->topic,
			id);
		request_add_header(request, "Location", location);
	}
	request_add_header(request, "Last-Event-ID", id);
	if (replayed)
		request_add_header(request, "Idempotency-Replayed", "true");
}

/* A key is known, for something else. */
static void reply_conflict(struct post *post)
{
	const struct store_group *group = &post->publish.group;
	struct sse_text key = group->appends[group->conflicted].key;

	if (post->key.len > 0 && key_of(post->request).len == 0)
		request_problem(post->request, 409,
			"the 'source' and 'id' of the CloudEvent, '%.*s', are known for another event of "
			"this topic: a new event needs a new id",
			(int)key.len, key.data);
	else if (group->appends == &post->append)
		request_problem(post->request, 409,
			"the Idempotency-Key '%.*s' is known for another event of this topic: send "
			"a new key with a new event",
			(int)key.len, key.data);
	else
		request_problem(post->request, 409,
			"line %u: the key '%.*s' is known for another event of this topic; nothing "
			"of the batch was stored",
			post->batch.lines[group->conflicted], (int)key.len, key.data);
}

/* The answer is complete: free everything else. */
static void let_go(struct post *post)
{
	batch_free(&post->batch);
	request_release(post->request, post->answer.len);
}

/* Back from the log thread. */
static void take_result(struct message *message)
{
	struct post *post = (struct post *)message;
	struct publish *publish = &post->publish;

	if (publish->failed) {
		logger_write(LOGGER_ERROR, "%s", publish->error.text);
		request_problem(post->request, publish->error.status == EX_TEMPFAIL ? 503 : 507,
			"%s", publish->error.text);
	} else if (publish->group.conflict) {
		reply_conflict(post);
	} else if (post->ephemeral) {
		request_reply_static(post->request, 202, NULL, "", 0);
	} else {
		reply_stored(post);
	}
	let_go(post);
	request_resume(post->request);
}

static void submit(struct post *post)
{
	struct request *request = post->request;
	struct publish *publish = &post->publish;

	publish->message.handle = take_result;
	publish->mailbox = api_of(request)->fanout->mailbox;
	publish->bytes = request_body(request)->len + batch_bytes(&post->batch) + sizeof(*post);
	if (log_thread_draining(api_of(request)->log_thread)) {
		request_problem(request, 503, "the server is stopping; try again");
	} else if (!log_thread_submit(api_of(request)->log_thread, publish)) {
		request_problem(
			request, 503, "too many events wait to be stored; try again in a second");
	} else {
		request_wait(request);
	}
}

void publish_run(struct request *request)
{
	const struct format *format = find_format(request_header(request, "Content-Type"));
	struct post *post = calloc(1, sizeof(*post));
	struct error error = {0};
	unsigned status;

	if (post == NULL) {
		request_problem(request, 503, "out of memory; try again later");
		return;
	}
	post->request = request;
	request_set_state(request, post, free_post);
	status = read_query(post, &error);
	if (status == 0)
		status = format->read(post, &error);
	if (status != 0)
		request_problem(request, status, "%s", error.text);
	else
		submit(post);
	if (request_answered(request))
		let_go(post);
}
