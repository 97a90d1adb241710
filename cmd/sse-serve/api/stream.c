/* SPDX-License-Identifier: MIT */
/* GET /api/{topic}/event; see stream.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>
#include <time.h>

#include "access/principal.h"
#include "api.h"
#include "author.h"
#include "base/name.h"
#include "clock.h"
#include "content.h"
#include "http/accept.h"
#include "log/store.h"
#include "number.h"
#include "rate.h"
#include "since.h"
#include "stream.h"
#include "stream_query.h"
#include "stream/fanout.h"
#include "stream/limits.h"
#include "stream/presence.h"
#include "stream/selection.h"
#include "stream/opening.h"

/*
 * The ms that clients are told to wait before they reconnect, chosen at random from a range, so
 * that they do not all come at once after a restart.
 */
#define RETRY_MIN 1000
#define RETRY_MAX 3000

/* The two kinds of streams; the first is for clients without a preference. */
#define STREAM_TYPE "text/event-stream"
#define LINES_TYPE "application/x-ndjson"

void stream_check(struct request *request)
{
	const char *length = request_header(request, "Content-Length");

	/* Other clients would see its name. */
	if (request_route(request)->query.as != NULL &&
		!request_check_origin(request, "take a name here"))
		return;
	/* Its bytes would be taken for part of the stream's socket. */
	if ((length != NULL && strcmp(length, "0") != 0) ||
		request_header(request, "Transfer-Encoding") != NULL)
		request_problem(request, 400, "a request for a stream must not have a body");
}

/* Is NDJSON wanted, rather than an event stream? */
static bool is_lines(const struct request *request)
{
	return accept_prefers(request_header(request, "Accept"), LINES_TYPE, STREAM_TYPE);
}

/* What the request is for.  NULL with the reason. */
static struct selection *find_selection(const struct request *request, struct error *error)
{
	const struct route_query *query = &request_route(request)->query;
	const struct event_types types = {query->events.texts, query->events.count};
	const char *topic = request_route(request)->topic;
	enum form form = is_lines(request) ? FORM_LINE
			 : query->envelope ? FORM_ENVELOPE
					   : FORM_PLAIN;
	struct selection *selection;

	if ((topic == NULL && stream_check_topics(request, error) != 0) ||
		stream_query_types(query, error) != 0)
		return NULL;
	selection = topic != NULL
			    ? selection_new(&topic, 1, &types, form)
			    : selection_new(query->topics.texts, query->topics.count, &types, form);
	if (selection == NULL)
		error_set(error, EX_OSERR, "out of memory; try again later");
	return selection;
}

/* Does the stream end?  Return 0, or -1 with what would be right. */
static int read_end(const struct route_query *query, struct opening *opening, struct error *error)
{
	opening->ends = query->until != NULL;
	opening->marked = query->mark || query->latest || opening->ends;
	if (opening->ends && strcmp(query->until, "now") != 0)
		return error_set(error, EX_DATAERR,
			"until=%.40s: the only value is now, which ends the stream after the "
			"events that are stored",
			query->until);
	if (query->wait == NULL)
		return 0;
	if (!opening->ends)
		return error_set(error, EX_DATAERR,
			"wait is for a stream that ends: give until=now too; any other stream "
			"waits anyway");
	opening->ends = false;
	opening->polls = true;
	selection_make_poll(opening->selection);
	return stream_read_wait(query->wait, &opening->wait, error);
}

/* A client that asks for the end of a stream can tell from this that the server knows the word. */
#define UNTIL "Stream-Until"
/* Likewise one that asks for present values. */
#define LATEST "Stream-Latest"
/* The longest silence of a stream: after one that is much longer a client knows that it broke. */
#define HEARTBEAT "Stream-Heartbeat"

#define STREAM_HEADERS "Cache-Control: no-cache\r\nX-Accel-Buffering: no\r\nVary: Accept\r\n"

static const char *type_of(const struct opening *opening)
{
	return opening->selection->form == FORM_LINE ? LINES_TYPE : STREAM_TYPE;
}

static const char *heartbeat_of(const struct request *request, char text[NUMBER_TEXT])
{
	return number_duration_text(api_of(request)->fanout->shared->heartbeat, text);
}

static size_t make_head(
	const struct opening *opening, const struct request *request, char *head, size_t size)
{
	bool latest = opening->start.kind == START_LATEST;
	char retry[40], headers[200], heartbeat[NUMBER_TEXT];
	uint32_t random = 0;
	size_t len;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = (uint32_t)time(NULL);
	snprintf(headers, sizeof(headers), STREAM_HEADERS HEARTBEAT ": %s\r\n%s%s",
		heartbeat_of(request, heartbeat),
		opening->ends || opening->polls ? UNTIL ": now\r\n" : "",
		latest ? LATEST ": 1\r\n" : "");
	len = request_write_head(request, 200, type_of(opening), headers, head, size);
	if (opening->selection->form == FORM_LINE)
		return len;
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

	if (!rate_admit(request, RATE_STREAM, 1))
		return false;
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
		request_add_retry_after(request, 10);
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

/* Nobody else may take a proven name.  False when a problem was replied. */
static bool may_take_name(struct request *request, const char *name)
{
	const struct principal *principal = request_principal(request);

	if (principal == NULL)
		return true;
	if (author_may_be(request_access(request), principal, name))
		return true;
	if (principal->as != NULL)
		request_problem(request, 403, "your name is %s: you cannot be present as %s",
			principal->as, name);
	else
		request_problem(request, 403,
			"nothing proves that you are %s: use a token that has this name (as=), or "
			"leave out ?as=",
			name);
	return false;
}

/* The first topic that the name would create beyond --max-topics by joining; or NULL. */
static const char *topic_too_many(const struct request *request, const struct selection *selection)
{
	struct topics *topics = api_of(request)->topics;

	for (size_t i = 0; i < selection->count && topics_room(topics) == 0; i++) {
		const char *name = selection->patterns[i];

		if (!topic_is_pattern(name) && !topic_is_system(name) &&
			topics_find(topics, name) == NULL)
			return name;
	}
	return NULL;
}

/* With ?as=, find a place for the name.  False when a problem was replied. */
static bool seat(struct request *request, struct opening *opening)
{
	const struct route_query *query = &request_route(request)->query;
	const char *name = query->as, *topic;
	bool full = false;

	if (name == NULL)
		return true;
	if (!may_take_name(request, name) ||
		(query->was != NULL && !may_take_name(request, query->was)))
		return false;
	snprintf(opening->was, sizeof(opening->was), "%s", query->was != NULL ? query->was : "");
	topic = topic_too_many(request, opening->selection);
	if (topic != NULL) {
		request_problem(request, 507,
			"the limit of %u topics is reached (--max-topics), and a name that joins "
			"%s would create a new one; open the stream without ?as=",
			topics_limit(api_of(request)->topics), topic);
		return false;
	}
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

void stream_hand_over(struct request *request, struct opening *opening)
{
	if (!seat(request, opening) || !admit(request, opening)) {
		opening_free(opening);
		return;
	}
	opening->fd = request_take_socket(request, 200, &opening->tls);
	if (opening->fd < 0) {
		request_problem(request, 503, "cannot open the stream: %s", strerror(errno));
		limits_release(api_of(request)->limits, opening->address);
		opening_free(opening);
		return;
	}
	/* The loop that has the fewest. */
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

/* Is the name in ?as= or ?was=, if given, valid?  Return 0, or -1 with what is wrong. */
static int check_name(const char *parameter, const char *name, struct error *error)
{
	const char *fault = name != NULL ? name_fault(name, strlen(name)) : NULL;

	if (fault == NULL)
		return 0;
	return error_set(error, EX_DATAERR,
		"the name in ?%s= %s: send 1 to %d bytes of UTF-8 without control characters",
		parameter, fault, NAME_MAX_BYTES);
}

static int check_names(const struct route_query *query, struct error *error)
{
	if (query->was != NULL && query->as == NULL)
		return error_set(error, EX_DATAERR,
			"?was= is the name that the stream had before: give its new one in ?as=");
	return check_name("as", query->as, error) != 0 ? -1 : check_name("was", query->was, error);
}

/* NULL without memory: then the end is not logged. */
static struct stream_record *new_record(const struct request *request)
{
	struct stream_record *record = calloc(1, sizeof(*record));

	if (record == NULL)
		return NULL;
	record->began = clock_now_us();
	snprintf(record->request, sizeof(record->request), "%s", request_id(request));
	request_write_address(request, record->client);
	return record;
}

struct opening *stream_new_opening(const struct request *request)
{
	struct opening *opening = calloc(1, sizeof(*opening));

	if (opening == NULL)
		return NULL;
	opening->message.handle = take_opening;
	opening->principal = principal_hold(request_principal(request));
	opening->fd = -1;
	if (request_is_logged(request))
		opening->record = new_record(request);
	return opening;
}

/* What the request asks for.  NULL when a problem was replied. */
static struct opening *read_opening(struct request *request)
{
	struct opening *opening = stream_new_opening(request);
	struct error error = {.status = EX_OSERR, .text = "out of memory; try again later"};

	if (opening == NULL) {
		request_problem(request, 503, "%s", error.text);
		return NULL;
	}
	opening->selection = find_selection(request, &error);
	if (opening->selection != NULL &&
		check_names(&request_route(request)->query, &error) == 0 &&
		stream_query_start(request, &opening->start, &error) == 0 &&
		read_end(&request_route(request)->query, opening, &error) == 0)
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
	char heartbeat[NUMBER_TEXT];

	limits_release(api_of(request)->limits, opening->address);
	request_reply_stream(request, type_of(opening), read_nothing);
	request_add_header(request, "Cache-Control", "no-cache");
	request_add_header(request, "X-Accel-Buffering", "no");
	request_add_header(request, "Vary", "Accept");
	request_add_header(request, HEARTBEAT, heartbeat_of(request, heartbeat));
	if (opening->ends || opening->polls)
		request_add_header(request, UNTIL, "now");
	if (opening->start.kind == START_LATEST)
		request_add_header(request, LATEST, "1");
}

/*
 * The client resumes after the last event that its topics will ever have: 204 stops an EventSource
 * for good.
 */
static bool is_over(const struct request *request, const struct opening *opening)
{
	uint64_t end = selection_end(opening->selection, api_of(request)->topics);

	return end != 0 &&
	       (opening->start.kind == START_AFTER || opening->start.kind == START_LATEST) &&
	       opening->start.after >= end;
}

void stream_run(struct request *request)
{
	struct opening *opening = read_opening(request);

	if (opening == NULL)
		return;
	if (is_over(request, opening)) {
		request_reply_static(request, 204, NULL, "", 0);
		request_add_header(request, "Cache-Control", "no-cache");
		opening_free(opening);
		return;
	}
	if (request_is_head(request)) {
		/* As GET would be answered. */
		if (seat(request, opening) && admit(request, opening))
			reply_head(request, opening);
		opening_free(opening);
		return;
	}
	opening->head_len = make_head(opening, request, opening->head, sizeof(opening->head));
	stream_hand_over(request, opening);
}
