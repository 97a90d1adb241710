/* SPDX-License-Identifier: MIT */
/* What the query of a stream says; see stream_query.h. */
#include <string.h>
#include <sysexits.h>

#include "api.h"
#include "clock.h"
#include "content.h"
#include "log/store.h"
#include "number.h"
#include "since.h"
#include "stream_query.h"

/* The longest wait (ms): something may cut a connection that is silent for longer. */
#define WAIT_MAX 300000

/* The most event types that a stream can name: each event is compared with all of them. */
#define TYPES_MAX 32

/* The longest foreign id that a gap event repeats. */
#define FOREIGN_ID_MAX 400

int stream_since(const char *text, int64_t *since, struct error *error)
{
	struct error reason;

	if (since_parse(text, clock_wall_ms(), since, &reason) == 0)
		return 0;
	return error_set(error, EX_DATAERR, "since: %s", reason.text);
}

int stream_read_wait(const char *text, uint32_t *wait, struct error *error)
{
	int64_t ms;

	if (number_duration(text, 0, WAIT_MAX, &ms, NULL) != 0)
		return error_set(error, EX_DATAERR,
			"wait=%.40s: this is not a duration from 0 to 5m, such as 30s", text);
	*wait = (uint32_t)ms;
	return 0;
}

static int read_last(const char *text, struct start *start, struct error *error)
{
	int64_t last;

	if (number_count(text, 0, STORE_NEWEST_MAX, &last, error) != 0)
		return error_set(
			error, EX_DATAERR, "last must be a number from 0 to %d", STORE_NEWEST_MAX);
	if (last > 0) {
		start->kind = START_LAST;
		start->last = (uint64_t)last;
	}
	return 0;
}

int stream_query_start(struct request *request, struct start *start, struct error *error)
{
	const struct route_query *query = &request_route(request)->query;
	const char *id = request_header(request, "Last-Event-ID");

	if (id == NULL || id[0] == '\0')
		id = query->last_event_id;
	if (query->since != NULL && query->last != NULL)
		return error_set(error, EX_DATAERR,
			"since and last both say where the stream starts: give one");
	if (query->latest && (query->since != NULL || query->last != NULL))
		return error_set(error, EX_DATAERR,
			"latest=1 says where the stream starts: it cannot be combined with %s",
			query->since != NULL ? "since" : "last");
	start->kind = query->latest ? START_LATEST : START_NOW;
	if (id == NULL && query->last != NULL)
		return read_last(query->last, start, error);
	if (id == NULL && query->since != NULL) {
		start->kind = START_SINCE;
		return stream_since(query->since, &start->since, error);
	}
	if (id == NULL)
		return 0;
	if (identity_parse(&api_of(request)->store->identity, id,
		    window_position(api_of(request)->window), &start->after)) {
		if (!query->latest)
			start->kind = START_AFTER;
		return 0;
	}
	if (!query->latest)
		start->kind = START_UNKNOWN;
	start->unknown = strndup(id, FOREIGN_ID_MAX);
	if (start->unknown == NULL)
		return error_set(error, EX_OSERR, "out of memory; try again later");
	/* It goes into JSON: what is not UTF-8 is not worth repeating. */
	start->unknown[sse_utf8_valid(start->unknown, strlen(start->unknown))] = '\0';
	return 0;
}

int stream_check_patterns(const struct request *request, struct error *error)
{
	const struct route_query *query = &request_route(request)->query;
	size_t max = api_of(request)->topics_in_stream;
	struct error reason = {0};

	if (query->topics.count > max)
		return error_set(error, EX_DATAERR,
			"a request can name at most %zu topics (--max-topics-per-stream)", max);
	for (size_t i = 0; i < query->topics.count; i++) {
		const char *topic = query->topics.texts[i];

		if (topic_pattern_check(topic, strlen(topic), &reason) != 0)
			return error_set(
				error, EX_DATAERR, "topic=%.100s: %.200s", topic, reason.text);
	}
	return 0;
}

int stream_check_topics(const struct request *request, struct error *error)
{
	if (request_route(request)->query.topics.count == 0)
		return error_set(error, EX_DATAERR,
			"name the topics: /api/event?topic=users&topic=chat/*, where * matches "
			"one segment and ** all further ones");
	return stream_check_patterns(request, error);
}

int stream_query_types(const struct route_query *query, struct error *error)
{
	if (query->events.count > TYPES_MAX)
		return error_set(
			error, EX_DATAERR, "a stream can name at most %d event types", TYPES_MAX);
	for (size_t i = 0; i < query->events.count; i++) {
		const char *name = query->events.texts[i];
		const char *fault = content_type_form_fault((struct sse_text){name, strlen(name)});

		if (fault != NULL)
			return error_set(error, EX_DATAERR, "the event type in ?event= %s", fault);
	}
	if (query->events.count > 0 && query->last != NULL)
		return error_set(error, EX_DATAERR,
			"last counts events of all types: it cannot be combined with event");
	if (query->events.count > 0 && query->latest)
		return error_set(error, EX_DATAERR,
			"latest looks at events of all types: it cannot be combined with event");
	return 0;
}
