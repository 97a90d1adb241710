/* SPDX-License-Identifier: MIT */
/* Lists that wait; see poll.h.  The stream room does the waiting (stream/poll.h). */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "access/principal.h"
#include "api.h"
#include "history.h"
#include "http/later.h"
#include "http/problem.h"
#include "log/store.h"
#include "poll.h"
#include "stream.h"
#include "stream_query.h"
#include "stream/opening.h"
#include "stream/poll_reply.h"

struct reply {
	struct poll_reply reply; /* first */
	struct later *later;
	const char *type;
};

/* --- the answer --- */

static bool write_gone(const struct reply *reply, const char *more, struct buf *out)
{
	const struct problem problem = {410, "Gone", HISTORY_GONE};
	char head[1024];
	size_t len = later_write_head(
		reply->later, 410, "application/problem+json", more, head, sizeof(head));

	return len > 0 && buf_add(out, head, len) && problem_json(&problem, out);
}

static bool write_answer(const struct poll_reply *base, enum poll_answer answer, const char *id,
	size_t len, struct buf *out)
{
	const struct reply *reply = (const struct reply *)base;
	char more[200], head[1024];
	size_t size;

	snprintf(more, sizeof(more), "Cache-Control: no-cache\r\nVary: Accept\r\n");
	if (answer == POLL_GONE)
		return write_gone(reply, more, out);
	size = (size_t)snprintf(more, sizeof(more),
		"Last-Event-ID: %s\r\nCache-Control: no-cache\r\nVary: Accept\r\n", id);
	if (answer == POLL_EVENTS)
		snprintf(more + size, sizeof(more) - size, "Content-Length: %zu\r\n", len);
	size = later_write_head(reply->later, answer == POLL_EVENTS ? 200 : 204,
		answer == POLL_EVENTS ? reply->type : NULL, more, head, sizeof(head));
	return size > 0 && buf_add(out, head, size);
}

static void free_reply(struct poll_reply *base)
{
	struct reply *reply = (struct reply *)base;

	free(reply->later);
	free(reply);
}

static struct poll_reply *new_reply(const struct request *request, const char *type)
{
	struct reply *reply = calloc(1, sizeof(*reply));

	if (reply == NULL)
		return NULL;
	reply->reply = (struct poll_reply){write_answer, free_reply};
	reply->type = type;
	reply->later = later_new(request);
	if (reply->later != NULL)
		return &reply->reply;
	free(reply);
	return NULL;
}

/* --- the request --- */

/* Refuse parameters that cannot be combined with wait, because they would leave out new events. */
static int check_range(const struct route_query *query, struct error *error)
{
	const struct {
		const char *name, *value;
	} others[] = {{"limit", query->limit}, {"before", query->before}, {"since", query->since},
		{"latest", query->latest ? "1" : NULL}};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (others[i].value != NULL)
			return error_set(error, EX_DATAERR,
				"%s cannot be combined with wait: a list that waits has every "
				"event after the id in 'after'",
				others[i].name);
	}
	return 0;
}

static int read_poll(
	const struct request *request, struct opening *opening, bool lines, struct error *error)
{
	const struct route_query *query = &request_route(request)->query;
	const char *topic = request_route(request)->topic;
	static const struct event_types all = {0};
	enum form forms[2][2] = {
		{FORM_LIST, FORM_LIST_ENVELOPE}, {FORM_LIST_LINE, FORM_LIST_LINE_ENVELOPE}};

	opening->start.kind = START_AFTER;
	opening->start.after = window_position(api_of(request)->window);
	if (check_range(query, error) != 0 ||
		stream_read_wait(query->wait, &opening->wait, error) != 0 ||
		history_read_after(request, opening->start.after, &opening->start.after, error) !=
			0)
		return -1;
	opening->selection = selection_new(&topic, 1, &all, forms[lines][query->envelope]);
	opening->reply = new_reply(request, history_type(lines));
	if (opening->selection == NULL || opening->reply == NULL)
		return error_set(error, EX_OSERR, "out of memory; try again later");
	selection_make_poll(opening->selection);
	return 0;
}

/* HEAD does not wait: the answer is that of a GET with wait=0. */
static void head_of_list(struct request *request)
{
	const struct route_query *query = &request_route(request)->query;
	struct error error = {0};
	uint32_t wait;

	if (check_range(query, &error) == 0 && stream_read_wait(query->wait, &wait, &error) == 0)
		history_list(request);
	else
		request_problem(request, 400, "%s", error.text);
}

void poll_list(struct request *request)
{
	struct error error = {.status = EX_OSERR, .text = "out of memory; try again later"};
	struct opening *opening;

	if (request_route(request)->query.wait == NULL) {
		history_list(request);
		return;
	}
	if (request_is_head(request)) {
		head_of_list(request);
		return;
	}
	opening = stream_new_opening(request);
	if (opening != NULL) {
		opening->polls = opening->marked = true;
		if (read_poll(request, opening, history_wants_lines(request), &error) == 0) {
			stream_hand_over(request, opening);
			return;
		}
		opening_free(opening);
	}
	request_problem(request, error.status == EX_OSERR ? 503 : 400, "%s", error.text);
}
