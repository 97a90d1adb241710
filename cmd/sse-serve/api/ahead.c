/* SPDX-License-Identifier: MIT */
/* Events that another node has already; see ahead.h. */
#include <stdlib.h>

#include "ahead.h"
#include "api.h"
#include "clock.h"
#include "http/request.h"
#include "log/log_thread.h"
#include "log/store.h"
#include "log/window.h"
#include "stream/fanout.h"

/*
 * How long, in ms.  After that, the event counts as one that is not in the log, if this node has what the log
 * has.  It is longer than a leader of NATS may be silent (LEADER_MS), so that this was learnt after the
 * request came.
 */
#define WAIT_MS 7000

struct ahead {
	struct awaiting awaiting; /* first */
	struct request *request;
};

static void go_on(struct message *message)
{
	struct ahead *ahead = (struct ahead *)message;

	if (ahead->awaiting.behind)
		request_problem(ahead->request, 503,
			"this node has not received the event with that id yet: try again, or ask "
			"another node");
	request_resume(ahead->request);
	free(ahead);
}

/* The newest event of the log that the request names and that is not before it. */
static uint64_t newest_named(const struct request *request)
{
	const struct route *route = request_route(request);
	const char *const ids[] = {request_header(request, "Last-Event-ID"),
		route->query.last_event_id, route->query.after, route->query.before, route->id};
	uint64_t newest = 0, position;

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		if (ids[i] != NULL &&
			identity_parse(
				&api_of(request)->store->identity, ids[i], UINT64_MAX, &position) &&
			position > newest)
			newest = position;
	}
	return newest;
}

bool ahead_wait(struct request *request)
{
	const struct api *api = api_of(request);
	struct ahead *ahead;
	uint64_t position;

	if (api->store->ops->follow == NULL)
		return false;
	position = newest_named(request);
	if (position <= window_position(api->window))
		return false;
	ahead = calloc(1, sizeof(*ahead));
	if (ahead == NULL)
		return false;
	ahead->request = request;
	ahead->awaiting.message.handle = go_on;
	ahead->awaiting.mailbox = api->fanout->mailbox;
	ahead->awaiting.position = position;
	ahead->awaiting.until = clock_now_ms() + WAIT_MS;
	request_wait(request);
	log_thread_await(api->log_thread, &ahead->awaiting);
	return true;
}
