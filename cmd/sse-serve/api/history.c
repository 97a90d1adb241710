/* SPDX-License-Identifier: MIT */
/* Lists of stored events; see history.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "api.h"
#include "history.h"
#include "http/accept.h"
#include "log/log_thread.h"
#include "log/envelope.h"
#include "log/store.h"
#include "number.h"
#include "stream_query.h"
#include "stream/fanout.h"
#include "stream/replay_thread.h"

/* A chunk is about this much, or one event if that is larger. */
#define CHUNK_BYTES ((size_t)64 << 10)

struct list {
	struct job job; /* first */
	struct request *request;
	struct topic *topic;
	struct topic_set topics; /* that one */
	bool lines, envelope;	 /* NDJSON; with what surrounds the data */

	/* Only the newest event of each subject that is not cleared: at these positions. */
	bool latest;
	struct positions positions;

	/* Where it starts, until that is found out. */
	bool by_count, by_time;
	int64_t count, since;

	uint64_t head;	      /* of the log, when the list was asked for */
	uint64_t after, upto; /* still to be read: events with after < position <= upto */
	struct buf chunk;
	size_t taken; /* bytes of the chunk that were sent */
	bool begun;   /* an element was written */
	bool ended, failed;
	bool checks, gone; /* nothing after ${after} may be gone; something is */
};

/* --- elements, on the replay thread --- */

static bool add_event(struct list *list, const struct event *event)
{
	char id[IDENTITY_TEXT];

	if (!list->envelope)
		return envelope_data(&list->chunk, event);
	identity_format(&api_of(list->request)->store->identity, event->position, id);
	return envelope_add(&list->chunk, event, id);
}

static bool add_element(void *context, const struct event *event)
{
	struct list *list = context;
	struct buf *out = &list->chunk;
	size_t start = out->len;
	bool added = true;

	if (out->len >= CHUNK_BYTES)
		return false;
	if (list->latest && event->data.len == 0)
		return true;
	if (!list->lines)
		added = buf_add_text(out, list->begun ? ",\n" : "[");
	list->begun = true;
	added = added && add_event(list, event);
	if (list->lines) {
		envelope_one_line(out, start);
		added = added && buf_add_byte(out, '\n');
	}
	list->failed = !added;
	return added;
}

static int find_start(struct list *list, const struct store_ops *ops, struct store_reader *reader)
{
	uint64_t after = 0;

	if (list->latest && list->positions.count == 0 &&
		ops->latest(reader, &list->topics, 0, list->upto, &list->positions, NULL) != 0)
		return -1;
	if (list->by_time) {
		list->by_time = false;
		if (ops->since(reader, list->since, list->upto, &list->after, NULL) != 0)
			return -1;
	}
	if (list->by_count) {
		list->by_count = false;
		if (ops->newest(reader, &list->topics, list->upto, (uint64_t)list->count, &after,
			    NULL) != 0)
			return -1;
		if (after > list->after)
			list->after = after;
	}
	return 0;
}

static void read_chunk(struct job *job, struct store_reader *reader)
{
	struct list *list = (struct list *)job;
	const struct store_ops *ops = api_of(list->request)->store->ops;
	struct store_query query = {.topics = &list->topics,
		.upto = list->upto,
		.only = list->latest ? &list->positions : NULL};

	if (find_start(list, ops, reader) != 0) {
		list->failed = true;
		return;
	}
	do {
		uint64_t from = list->after;

		query.after = from;
		if (ops->read(reader, &query, add_element, list, NULL) != 0)
			list->failed = true;
		list->gone = list->checks && query.removed > from;
		list->checks = false;
		list->after = query.reached;
	} while (!list->failed && !list->gone && query.reached < query.upto &&
		 list->chunk.len < CHUNK_BYTES);
	if (list->failed || list->gone || query.reached < query.upto)
		return;
	list->ended = true;
	if (!list->lines)
		list->failed = !buf_add_text(&list->chunk, list->begun ? "]\n" : "[]\n");
}

/* --- the answer, on the loop --- */

bool history_wants_lines(const struct request *request)
{
	return accept_prefers(
		request_header(request, "Accept"), "application/x-ndjson", "application/json");
}

const char *history_type(bool lines)
{
	return lines ? "application/x-ndjson" : "application/json";
}

static const char *type_of(const struct list *list)
{
	return history_type(list->lines);
}

static void add_head(struct request *request, uint64_t head)
{
	char id[IDENTITY_TEXT];

	identity_format(&api_of(request)->store->identity, head, id);
	request_add_header(request, "Last-Event-ID", id);
	request_add_header(request, "Cache-Control", "no-cache");
	request_add_header(request, "Vary", "Accept, Accept-Encoding");
}

/* The next bytes of a long list. */
static ssize_t give(void *state, char *out, size_t max)
{
	struct list *list = state;
	size_t left = list->chunk.len - list->taken;

	if (left == 0 && list->ended)
		return -1;
	/*
	 * A server that stops does not wait for lists: cut the answer off so that the client sees
	 * it.
	 */
	if (left == 0 && (list->failed || log_thread_draining(api_of(list->request)->log_thread)))
		return -2;
	if (left == 0) {
		list->chunk.len = 0;
		list->taken = 0;
		replay_thread_submit(api_of(list->request)->replay_thread, &list->job);
		return 0;
	}
	if (left > max)
		left = max;
	memcpy(out, list->chunk.data + list->taken, left);
	list->taken += left;
	return (ssize_t)left;
}

/* Would a GET wait because there is nothing to list?  Only HEAD asks this here. */
static bool waits(const struct list *list)
{
	return request_route(list->request)->query.wait != NULL;
}

/* A chunk has arrived; the first one brings the answer's head. */
static void take_chunk(struct message *message)
{
	struct list *list = (struct list *)message;
	struct request *request = list->request;

	if (!request_answered(request)) {
		if (list->failed)
			request_problem(request, 500, "the log cannot be read");
		else if (list->gone)
			request_problem(request, 410, HISTORY_GONE);
		else if (list->ended && !list->begun && waits(list))
			request_reply_static(request, 204, NULL, "", 0);
		else if (list->ended && !request_wants_gzip(request, list->chunk.len))
			request_reply(
				request, 200, type_of(list), list->chunk.data, list->chunk.len);
		else
			request_reply_list(request, type_of(list), give);
		if (!list->failed && !list->gone)
			add_head(request, list->head);
	}
	request_resume(request);
}

static void free_list(void *state)
{
	struct list *list = state;

	buf_free(&list->chunk);
	topic_set_free(&list->topics);
	positions_free(&list->positions);
	free(list);
}

int history_read_after(
	const struct request *request, uint64_t head, uint64_t *after, struct error *error)
{
	const char *id = request_route(request)->query.after;

	if (id == NULL || identity_parse(&api_of(request)->store->identity, id, head, after))
		return 0;
	return error_set(error, EX_DATAERR,
		"after: this is not an id of this log; if the log is another one now, list the "
		"topic without 'after'");
}

/* Read ?limit=, ?before=, ?after= and ?since=.  Return 0, or -1 with what would be right. */
static int read_range(struct list *list, struct error *error)
{
	const struct route_query *query = &request_route(list->request)->query;
	const struct identity *identity = &api_of(list->request)->store->identity;

	list->latest = query->latest;
	if (list->latest && (query->limit != NULL || query->before != NULL ||
				    query->after != NULL || query->since != NULL))
		return error_set(error, EX_DATAERR,
			"latest=1 lists all present values: it cannot be combined with %s",
			query->limit != NULL	? "limit"
			: query->before != NULL ? "before"
			: query->after != NULL	? "after"
						: "since");
	list->by_count = query->limit != NULL;
	list->by_time = query->since != NULL;
	if (list->by_count &&
		number_count(query->limit, 1, INT64_MAX / 2, &list->count, error) != 0)
		return error_set(error, EX_DATAERR, "limit must be a number of at least 1");
	if (list->by_time && stream_since(query->since, &list->since, error) != 0)
		return -1;
	list->checks = query->after != NULL;
	if (list->checks && list->by_time)
		return error_set(error, EX_DATAERR,
			"since and after both say where the list starts: give one");
	/* List only what is new, for a HEAD: a GET would wait for it. */
	if (query->wait != NULL)
		list->after = list->head;
	if (history_read_after(list->request, list->head, &list->after, error) != 0)
		return -1;
	if (query->before == NULL)
		return 0;
	if (!identity_parse(identity, query->before, list->head, &list->upto))
		return error_set(error, EX_DATAERR, "before: this is not an id of this log");
	if (list->upto > 0)
		list->upto--;
	return 0;
}

static struct list *new_list(struct request *request)
{
	struct list *list = calloc(1, sizeof(*list));
	bool failed = false;

	if (list == NULL) {
		request_problem(request, 503, "out of memory; try again later");
		return NULL;
	}
	request_set_state(request, list, free_list);
	list->job.run = read_chunk;
	list->job.mailbox = api_of(request)->fanout->mailbox;
	list->job.message.handle = take_chunk;
	list->request = request;
	list->lines = history_wants_lines(request);
	/* Read the head first: a topic that appears later has no event up to it. */
	list->head = window_position(api_of(request)->window);
	list->topic = topics_hold_named(api_of(request)->topics, request_route(request)->topic);
	list->upto = list->head;
	buf_init(&list->chunk, SIZE_MAX / 2);
	list->envelope = request_route(request)->query.envelope;
	if (list->topic != NULL) {
		failed = topic_set_add(&list->topics, list->topic) != 0;
		topic_drop(list->topic);
	}
	if (failed) {
		request_problem(request, 503, "out of memory; try again later");
		return NULL;
	}
	return list;
}

void history_list(struct request *request)
{
	struct list *list = new_list(request);
	struct error error = {0};

	if (list == NULL)
		return;
	if (read_range(list, &error) != 0) {
		request_problem(request, 400, "%s", error.text);
		return;
	}
	if (list->topic == NULL) {
		if (waits(list))
			request_reply_static(request, 204, NULL, "", 0);
		else
			request_reply_static(
				request, 200, type_of(list), "[]\n", list->lines ? 0 : 3);
		add_head(request, list->head);
		return;
	}
	/* The data alone does not tell what closed the topic, which is its last event. */
	if (!list->envelope && list->topic->closed != 0 && list->upto >= list->topic->closed)
		list->upto = list->topic->closed - 1;
	request_wait(request);
	replay_thread_submit(api_of(request)->replay_thread, &list->job);
}

/* --- one event --- */

static bool keep_event(void *context, const struct event *event)
{
	struct list *list = context;

	list->begun = true;
	list->lines = event->json;
	if (list->envelope)
		list->failed = !add_event(list, event);
	else
		list->failed = !buf_add(&list->chunk, event->data.data, event->data.len);
	return true;
}

static void read_event(struct job *job, struct store_reader *reader)
{
	struct list *list = (struct list *)job;
	struct store_query query = {
		.topics = &list->topics, .after = list->upto - 1, .upto = list->upto};

	if (api_of(list->request)->store->ops->read(reader, &query, keep_event, list, NULL) != 0)
		list->failed = true;
}

static void take_event(struct message *message)
{
	struct list *list = (struct list *)message;
	struct request *request = list->request;

	if (list->failed)
		request_problem(request, 500, "the log cannot be read");
	else if (list->begun)
		request_reply(request, 200,
			list->lines || list->envelope ? "application/json"
						      : "text/plain; charset=utf-8",
			list->chunk.data, list->chunk.len);
	else if (list->upto <= topic_gone(list->topic))
		request_problem(request, 410, "this event is no longer kept");
	else
		request_problem(request, 404, "the topic %s has no such event",
			request_route(request)->topic);
	request_resume(request);
}

void history_event(struct request *request)
{
	struct list *list = new_list(request);

	if (list == NULL)
		return;
	if (list->topic == NULL ||
		!identity_parse(&api_of(request)->store->identity, request_route(request)->id,
			list->head, &list->upto) ||
		list->upto == 0) {
		request_problem(request, 404, "the topic %s has no such event",
			request_route(request)->topic);
		return;
	}
	list->job.run = read_event;
	list->job.message.handle = take_event;
	request_wait(request);
	replay_thread_submit(api_of(request)->replay_thread, &list->job);
}
