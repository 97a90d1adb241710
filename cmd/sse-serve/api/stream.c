/* SPDX-License-Identifier: MIT */
/* GET /api/{topic}/event; see stream.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>
#include <time.h>

#include "api.h"
#include "clock.h"
#include "content.h"
#include "log/store.h"
#include "since.h"
#include "stream.h"
#include "stream/fanout.h"
#include "stream/limits.h"
#include "stream/presence.h"
#include "stream/selection.h"
#include "stream/opening.h"

/* The ms that clients are told to wait before they reconnect: spread, so that they do not all come
 * at once after a restart. */
#define RETRY_MIN 1000
#define RETRY_MAX 3000

/* The longest foreign id that a gap event repeats. */
#define FOREIGN_ID_MAX 400

void stream_check(struct request *request)
{
	const char *length = request_header(request, "Content-Length");

	/* Its name would be seen by all. */
	if (request_route(request)->query.as != NULL &&
		!request_check_origin(request, "take a name here"))
		return;
	/* Its bytes would be taken for part of the stream's socket. */
	if ((length != NULL && strcmp(length, "0") != 0) ||
		request_header(request, "Transfer-Encoding") != NULL)
		request_problem(request, 400, "a request for a stream must not have a body");
}

int stream_since(const char *text, int64_t *since, struct error *error)
{
	struct error reason;

	if (since_parse(text, clock_wall_ms(), since, &reason) == 0)
		return 0;
	return error_set(error, EX_DATAERR, "since: %s", reason.text);
}

/*
 * The header outranks the query: an EventSource reconnects with the URL that it had, and says in
 * the header how far it came.
 */
static int find_start(struct request *request, struct start *start, struct error *error)
{
	const struct route_query *query = &request_route(request)->query;
	const char *id = request_header(request, "Last-Event-ID");

	if (id == NULL || id[0] == '\0')
		id = query->last_event_id;
	if (id == NULL && query->since == NULL)
		return 0;
	if (id == NULL) {
		start->kind = START_SINCE;
		return stream_since(query->since, &start->since, error);
	}
	if (identity_parse(&api_of(request)->store->identity, id,
		    window_position(api_of(request)->window), &start->after)) {
		start->kind = START_AFTER;
		return 0;
	}
	start->kind = START_UNKNOWN;
	start->unknown = strndup(id, FOREIGN_ID_MAX);
	if (start->unknown == NULL)
		return error_set(error, EX_OSERR, "out of memory; try again later");
	/* It goes into JSON: what is not UTF-8 is not worth repeating. */
	start->unknown[sse_utf8_valid(start->unknown, strlen(start->unknown))] = '\0';
	return 0;
}

/* Check all ?topic= of /api/event.  Return 0, or -1 with the reason. */
static int check_topics(const struct request *request, struct error *error)
{
	const struct route_query *query = &request_route(request)->query;
	size_t max = api_of(request)->topics_in_stream;
	struct error reason = {0};

	if (query->topic_count > max)
		return error_set(error, EX_DATAERR,
			"a stream can name at most %zu topics (--max-topics-per-stream)", max);
	for (size_t i = 0; i < query->topic_count; i++) {
		const char *topic = query->topics[i];

		if (topic_pattern_check(topic, strlen(topic), &reason) != 0)
			return error_set(
				error, EX_DATAERR, "topic=%.100s: %.200s", topic, reason.text);
	}
	if (query->topic_count == 0)
		return error_set(error, EX_DATAERR,
			"name the topics: /api/event?topic=users&topic=chat/*, where * matches "
			"one segment and ** all further ones");
	return 0;
}

/* What the request is for.  NULL with the reason. */
static struct selection *find_selection(const struct request *request, struct error *error)
{
	const struct route_query *query = &request_route(request)->query;
	const char *topic = request_route(request)->topic;
	struct selection *selection;

	if (topic == NULL && check_topics(request, error) != 0)
		return NULL;
	selection = topic != NULL
			    ? selection_new(&topic, 1, query->envelope)
			    : selection_new(query->topics, query->topic_count, query->envelope);
	if (selection == NULL)
		error_set(error, EX_OSERR, "out of memory; try again later");
	return selection;
}

static size_t make_head(const struct request *request, char *head, size_t size)
{
	char retry[40];
	uint32_t random = 0;
	size_t len;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = (uint32_t)time(NULL);
	len = request_write_head(request, 200, "text/event-stream",
		"Cache-Control: no-cache\r\nX-Accel-Buffering: no\r\n", head, size);
	snprintf(retry, sizeof(retry), "retry: %u\n\n",
		RETRY_MIN + random % (RETRY_MAX - RETRY_MIN));
	if (len + strlen(retry) >= size)
		return 0;
	memcpy(head + len, retry, strlen(retry));
	return len + strlen(retry);
}

/* Is there room for one more stream?  If not, answer why. */
static bool admit(struct request *request, struct opening *opening)
{
	const struct api *api = api_of(request);

	switch (limits_admit(api->limits, request_address(request), &opening->address)) {
	case LIMITS_OK:
		return true;
	case LIMITS_STREAMS:
		request_problem(request, 503,
			"the limit of %lld open streams is reached (--max-streams); try again later",
			(long long)api->max_streams);
		break;
	case LIMITS_ADDRESS:
		request_problem(request, 429,
			"the limit of %lld open streams of one address is reached "
			"(--max-streams-per-address)",
			(long long)api->max_streams_per_address);
		request_add_header(request, "Retry-After", "10");
		break;
	case LIMITS_MEMORY:
		request_problem(request, 503, "out of memory; try again later");
		break;
	}
	return false;
}

/* The lease in the topics that are named, not by a pattern. */
static struct presence_lease *reserve(const struct request *request,
	const struct selection *selection, const char *name, bool *full)
{
	const char **topics = calloc(selection->count, sizeof(char *));
	struct presence_lease *lease = NULL;
	size_t count = 0;

	*full = false;
	if (topics == NULL)
		return NULL;
	for (size_t i = 0; i < selection->count; i++) {
		if (!topic_is_pattern(selection->patterns[i]))
			topics[count++] = selection->patterns[i];
	}
	lease = presence_reserve(api_of(request)->presence, topics, count, name, full);
	free(topics);
	return lease;
}

/* With ?as=, find a place for the name.  False when a problem was replied. */
static bool seat(struct request *request, struct opening *opening)
{
	const char *name = request_route(request)->query.as;
	bool full = false;

	if (name == NULL)
		return true;
	opening->lease = reserve(request, opening->selection, name, &full);
	if (full)
		request_problem(request, 503,
			"the limit of %lld names that can be present is reached (--max-names); try "
			"again later, or without ?as=",
			(long long)api_of(request)->max_names);
	else if (opening->lease == NULL)
		request_problem(request, 503, "out of memory; try again later");
	return opening->lease != NULL;
}

/* Take the socket, and hand it to the loop that has the fewest. */
static void hand_over(struct request *request, struct opening *opening)
{
	if (!seat(request, opening) || !admit(request, opening)) {
		opening_free(opening);
		return;
	}
	opening->fd = request_take_socket(request, 200);
	if (opening->fd < 0) {
		request_problem(request, 503, "out of descriptors: %s", strerror(errno));
		limits_release(api_of(request)->limits, opening->address);
		opening_free(opening);
		return;
	}
	opening->fanout = channel_place(api_of(request)->fanout->shared);
	if (opening->fanout == api_of(request)->fanout) {
		opening_start(opening);
	} else {
		struct mailbox *mailbox = opening->fanout->mailbox;

		mailbox_post(mailbox, &opening->message);
		mailbox_wake(mailbox);
	}
}

static void take_opening(struct message *message)
{
	opening_start((struct opening *)message);
}

/* Is the name in ?as=, if given, valid?  Return 0, or -1 with what is wrong. */
static int check_name(const struct request *request, struct error *error)
{
	const char *name = request_route(request)->query.as;
	const char *fault =
		name != NULL ? content_name_fault((struct sse_text){name, strlen(name)}) : NULL;

	if (fault == NULL)
		return 0;
	return error_set(error, EX_DATAERR,
		"the name in ?as= %s: send 1 to %d bytes of UTF-8 without control characters",
		fault, PRESENCE_NAME_MAX);
}

/* What the request asks for.  NULL when a problem was replied. */
static struct opening *read_opening(struct request *request)
{
	struct opening *opening = calloc(1, sizeof(*opening));
	struct error error = {.status = EX_OSERR, .text = "out of memory; try again later"};

	if (opening == NULL) {
		request_problem(request, 503, "%s", error.text);
		return NULL;
	}
	opening->message.handle = take_opening;
	opening->fd = -1;
	opening->selection = find_selection(request, &error);
	if (opening->selection != NULL && check_name(request, &error) == 0 &&
		find_start(request, &opening->start, &error) == 0)
		return opening;
	request_problem(request, error.status == EX_OSERR ? 503 : 400, "%s", error.text);
	opening_free(opening);
	return NULL;
}

/* A stream has no length that an answer to HEAD could name. */
static ssize_t read_nothing(void *state, char *out, size_t max)
{
	(void)state;
	(void)out;
	(void)max;
	return -1;
}

static void reply_head(struct request *request, const struct opening *opening)
{
	limits_release(api_of(request)->limits, opening->address);
	request_reply_stream(request, "text/event-stream", read_nothing);
	request_add_header(request, "Cache-Control", "no-cache");
	request_add_header(request, "X-Accel-Buffering", "no");
}

void stream_run(struct request *request)
{
	struct opening *opening = read_opening(request);

	if (opening == NULL)
		return;
	if (request_is_head(request)) {
		/* As GET would be answered. */
		if (seat(request, opening) && admit(request, opening))
			reply_head(request, opening);
		opening_free(opening);
		return;
	}
	opening->head_len = make_head(request, opening->head, sizeof(opening->head));
	hand_over(request, opening);
}
