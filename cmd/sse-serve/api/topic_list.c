/* SPDX-License-Identifier: MIT */
/* The list of topics; see topic_list.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "access/principal.h"
#include "api.h"
#include "http/accept.h"
#include "log/log_thread.h"
#include "log/store.h"
#include "number.h"
#include "percent.h"
#include "stream_query.h"
#include "stream/fanout.h"
#include "stream/replay_thread.h"
#include "timestamp.h"
#include "topic_list.h"

/* Rows of a page: without ?limit=, and at most.  A page is held in memory. */
#define LIMIT_DEFAULT 1000
#define LIMIT_MAX 10000

/* Bytes of all ?topic=: the Link to the next page repeats them in the head of the answer. */
#define TOPICS_MAX 4096

/* Topics that the replay thread looks at before it turns to others. */
#define SLICE 256

/* A name with this byte appended sorts directly after that name, because no name contains it. */
#define AFTER "\1"

struct topic_list {
	struct job job; /* first */
	struct request *request;
	const char *const *patterns; /* of which a topic matches one */
	size_t count;
	const struct grants *grants; /* NULL: the sender may read everything */
	bool lines;		     /* NDJSON */
	uint64_t head;		     /* of the log, when the list was asked for */

	int64_t limit, left;	       /* rows of the page, and those still to be written */
	char from[TOPIC_NAME_MAX + 2]; /* names before it were looked at */
	char last[TOPIC_NAME_MAX + 1]; /* the name in the newest row */
	struct buf rows;
	size_t held;		     /* of their bytes, which count as the request's */
	size_t given;		     /* of their bytes, to be compressed */
	bool ended, follows, failed; /* ${follows}: there is a row after the page */
};

/* --- which topics, on the replay thread --- */

/* The first name from ${from} on at which a match for one of the patterns is possible. */
static const char *least_match(const char *const *patterns, size_t count, const char *from)
{
	const char *least = NULL;

	for (size_t i = 0; i < count; i++) {
		const char *one = topic_pattern_from(patterns[i], from);

		if (one != NULL && (least == NULL || strcmp(one, least) < 0))
			least = one;
	}
	return least;
}

/* The same for names that are wanted and may be read.  NULL: there is none from ${from} on. */
static const char *skip(const struct topic_list *list, const char *from)
{
	const struct grants *grants = list->grants;
	const char *wanted = from, *readable = NULL;

	while (wanted != NULL && wanted != readable) {
		readable = wanted = least_match(list->patterns, list->count, wanted);
		if (wanted != NULL && grants != NULL)
			wanted = least_match((const char *const *)grants->patterns[VERB_READ],
				grants->counts[VERB_READ], wanted);
	}
	return wanted;
}

/* Readers that were present, and have gone, leave nothing that is worth a row. */
static bool is_worth(const struct topic_list *list, const struct topic *topic)
{
	return topic->row != 0 || topic->used ||
	       fanout_count(api_of(list->request)->fanout->shared, topic->name) > 0;
}

static bool is_listed(const struct topic_list *list, const struct topic *topic)
{
	const char *name = topic->name;
	bool matches = false;

	for (size_t i = 0; i < list->count && !matches; i++)
		matches = topic_matches(list->patterns[i], name);
	return matches && (list->grants == NULL || grants_cover(list->grants, VERB_READ, name)) &&
	       is_worth(list, topic);
}

/* Of the next topics, put those of the page into ${rows}.  Return how many. */
static size_t choose(struct topic_list *list, struct topic *const *topics, size_t count,
	struct store_count *rows)
{
	const char *from = list->from;
	size_t chosen = 0;

	for (size_t i = 0; i < count && from != NULL; i++) {
		const char *name = topics[i]->name;

		if (strcmp(name, from) < 0)
			continue;
		from = skip(list, name);
		if (from != name || !is_listed(list, topics[i]))
			continue;
		if (list->left == 0) {
			list->follows = list->ended = true;
			return chosen;
		}
		list->left--;
		rows[chosen++] = (struct store_count){.topic = topics[i]};
		strcpy(list->last, name);
	}
	if (from == NULL || count < SLICE)
		list->ended = true;
	else if (strcmp(from, topics[count - 1]->name) > 0)
		strcpy(list->from, from);
	else
		snprintf(list->from, sizeof(list->from), "%s" AFTER, topics[count - 1]->name);
	return chosen;
}

/* --- rows, on the replay thread --- */

static bool add_newest(struct topic_list *list, const struct store_count *row)
{
	char id[IDENTITY_TEXT], time[TIMESTAMP_TEXT];

	if (row->events == 0)
		return buf_add_text(&list->rows, "\"id\":null,\"time\":null");
	identity_format(&api_of(list->request)->store->identity, row->newest, id);
	return buf_addf(&list->rows, "\"id\":\"%s\",\"time\":\"%s\"", id,
		timestamp_format(row->time, time));
}

static bool add_row(struct topic_list *list, const struct store_count *row)
{
	const struct fanouts *fanouts = api_of(list->request)->fanout->shared;
	const char *before = list->lines ? "" : list->rows.len == 0 ? "[" : ",\n";

	return buf_addf(&list->rows, "%s{\"topic\":\"%s\",\"events\":%" PRIu64 ",", before,
		       row->topic->name, row->events) &&
	       add_newest(list, row) &&
	       buf_addf(&list->rows, ",\"streams\":%" PRIu64 "%s}%s",
		       fanout_count(fanouts, row->topic->name),
		       row->topic->closed != 0 ? ",\"closed\":true" : "", list->lines ? "\n" : "");
}

static void look(struct job *job, struct store_reader *reader)
{
	struct topic_list *list = (struct topic_list *)job;
	const struct api *api = api_of(list->request);
	struct topic *topics[SLICE];
	struct store_count rows[SLICE];
	size_t count = topics_hold_from(api->topics, list->from, topics, SLICE);
	size_t chosen = choose(list, topics, count, rows);

	list->failed = api->store->ops->count(reader, rows, chosen, list->head, NULL) != 0;
	for (size_t i = 0; i < chosen && !list->failed; i++)
		list->failed = !add_row(list, &rows[i]);
	for (size_t i = 0; i < count; i++)
		topic_drop(topics[i]);
	if (list->ended && !list->lines && !list->failed)
		list->failed = !buf_add_text(&list->rows, list->rows.len > 0 ? "]\n" : "[]\n");
}

/* --- the answer, on the loop --- */

/* An ASCII byte of a name or pattern stands for itself in a query. */
static bool add_topic(struct buf *link, const char *before, const char *topic)
{
	return buf_add_text(link, before) && percent_encode(topic, strlen(topic), link);
}

static bool add_link(struct request *request, const struct topic_list *list)
{
	const struct route_query *query = &request_route(request)->query;
	struct buf link;
	bool added;

	buf_init(&link, SIZE_MAX / 2);
	added = buf_add_text(&link, "</api?");
	for (size_t i = 0; i < query->topics.count; i++)
		added = added && add_topic(&link, "topic=", query->topics.texts[i]) &&
			buf_add_byte(&link, '&');
	if (query->limit != NULL)
		added = added && buf_addf(&link, "limit=%" PRId64 "&", list->limit);
	added = added && add_topic(&link, "after=", list->last) &&
		buf_add_text(&link, ">; rel=\"next\"") && buf_add_byte(&link, '\0');
	if (added)
		request_add_header(request, "Link", link.data);
	buf_free(&link);
	return added;
}

/* The next bytes of a page that is compressed. */
static ssize_t give(void *state, char *out, size_t max)
{
	struct topic_list *list = state;
	size_t left = list->rows.len - list->given;

	if (left == 0)
		return -1;
	if (left > max)
		left = max;
	memcpy(out, list->rows.data + list->given, left);
	list->given += left;
	return (ssize_t)left;
}

static void reply(struct request *request, struct topic_list *list)
{
	const char *type = list->lines ? "application/x-ndjson" : "application/json";
	char id[IDENTITY_TEXT];

	if (request_wants_gzip(request, list->rows.len))
		request_reply_list(request, type, give);
	else
		request_reply_static(request, 200, type, list->rows.data, list->rows.len);
	identity_format(&api_of(request)->store->identity, list->head, id);
	request_add_header(request, "Last-Event-ID", id);
	request_add_header(request, "Cache-Control", "no-cache");
	request_add_header(request, "Vary", "Accept, Accept-Encoding");
	if (list->follows && !add_link(request, list))
		request_problem(request, 503, "out of memory; try again later");
}

/* A slice was looked at. */
static void take_slice(struct message *message)
{
	struct topic_list *list = (struct topic_list *)message;
	struct request *request = list->request;
	size_t more = list->rows.len - list->held;

	list->held = list->rows.len;
	if (list->failed) {
		request_problem(request, 500, "the log cannot be read");
	} else if (!request_hold(request, more)) {
		/* Count the rows, so that many requests for many topics cannot fill the memory. */
		request_problem(
			request, 503, REQUEST_BODIES_FULL, (long long)api_of(request)->max_bodies);
	} else if (list->ended) {
		reply(request, list);
	} else if (log_thread_draining(api_of(request)->log_thread)) {
		/* A server that stops does not wait for lists. */
		request_problem(request, 503, "the server is stopping; try again");
	} else {
		replay_thread_submit(api_of(request)->replay_thread, &list->job);
		return;
	}
	request_resume(request);
}

static void free_list(void *state)
{
	struct topic_list *list = state;

	buf_free(&list->rows);
	free(list);
}

static int read_topics(struct topic_list *list, struct error *error)
{
	static const char *const all[] = {"**"};
	const struct route_query *query = &request_route(list->request)->query;
	size_t len = 0;

	list->patterns = query->topics.count > 0 ? query->topics.texts : all;
	list->count = query->topics.count > 0 ? query->topics.count : 1;
	for (size_t i = 0; i < list->count; i++)
		len += strlen(list->patterns[i]);
	if (len > TOPICS_MAX)
		return error_set(error, EX_DATAERR,
			"the topics and patterns have %zu bytes, more than the %d that fit into "
			"the Link to the next page: ask for fewer at a time",
			len, TOPICS_MAX);
	return stream_check_patterns(list->request, error);
}

/* Read the query.  Return 0, or -1 with what would be right. */
static int read_query(struct topic_list *list, struct error *error)
{
	const struct route_query *query = &request_route(list->request)->query;
	struct error reason = {0};

	list->limit = LIMIT_DEFAULT;
	if (query->limit != NULL &&
		number_count(query->limit, 1, LIMIT_MAX, &list->limit, error) != 0)
		return error_set(
			error, EX_DATAERR, "limit must be a number from 1 to %d", LIMIT_MAX);
	list->left = list->limit;
	if (query->after != NULL) {
		if (topic_name_check(query->after, strlen(query->after), &reason) != 0)
			return error_set(error, EX_DATAERR,
				"after: give the topic after which the list begins: %s",
				reason.text);
		snprintf(list->from, sizeof(list->from), "%s" AFTER, query->after);
	}
	return read_topics(list, error);
}

void topic_list_run(struct request *request)
{
	struct topic_list *list = calloc(1, sizeof(*list));
	const struct principal *principal = request_principal(request);
	struct error error = {0};

	if (list == NULL) {
		request_problem(request, 503, "out of memory; try again later");
		return;
	}
	request_set_state(request, list, free_list);
	list->job.run = look;
	list->job.mailbox = api_of(request)->fanout->mailbox;
	list->job.message.handle = take_slice;
	list->request = request;
	list->grants = principal != NULL ? &principal->grants : NULL;
	list->lines = accept_prefers(
		request_header(request, "Accept"), "application/x-ndjson", "application/json");
	list->head = window_position(api_of(request)->window);
	buf_init(&list->rows, SIZE_MAX / 2);
	if (read_query(list, &error) != 0) {
		request_problem(request, 400, "%s", error.text);
		return;
	}
	request_wait(request);
	replay_thread_submit(api_of(request)->replay_thread, &list->job);
}
