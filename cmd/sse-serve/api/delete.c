/* SPDX-License-Identifier: MIT */
/* Deleting events; see delete.h. */
#include <stdlib.h>
#include <sysexits.h>

#include "access/principal.h"
#include "api.h"
#include "author.h"
#include "base/logger.h"
#include "delete.h"
#include "http/proof.h"
#include "log/log_thread.h"
#include "log/store.h"
#include "rate.h"
#include "stream/fanout.h"
#include "stream/replay_thread.h"

struct delete
{
	struct erasure erasure; /* first */
	struct job job;		/* looks whose event it is */
	struct request *request;
	struct topic_set topics; /* the topic */
	bool failed, own;	 /* the result of the job; own: also if there is no such event */
};

static void free_delete(void *state)
{
	struct delete *delete = state;

	topic_set_free(&delete->topics);
	free(delete);
}

/* --- the log --- */

static void refuse_missing(struct request *request, bool gone)
{
	if (gone)
		request_problem(request, 410, "this event is no longer kept");
	else
		request_problem(request, 404, "the topic %s has no such event",
			request_route(request)->topic);
}

/* Back from the log thread. */
static void take_result(struct message *message)
{
	struct delete *delete = (struct delete *)message;
	const struct erasure *erasure = &delete->erasure;
	const struct store_deletion *deletion = &erasure->deletion;
	struct request *request = delete->request;
	int status = erasure->error.status;

	if (erasure->failed) {
		if (status != EX_UNAVAILABLE)
			logger_write(LOGGER_ERROR, "%s", erasure->error.text);
		request_problem(request, status == EX_IOERR ? 507 : 503, "%s", erasure->error.text);
	} else if (erasure->one && deletion->newest == 0) {
		refuse_missing(request, deletion->upto <= topic_gone(deletion->topic));
	} else {
		request_reply_static(request, 204, NULL, "", 0);
	}
	request_resume(request);
}

static void submit(struct delete *delete)
{
	delete->erasure.message.handle = take_result;
	delete->erasure.mailbox = api_of(delete->request)->fanout->mailbox;
	log_thread_erase(api_of(delete->request)->log_thread, &delete->erasure);
}

/* --- whose event it is --- */

static bool look_at_event(void *context, const struct event *event)
{
	struct delete *delete = context;

	delete->own = author_is(request_principal(delete->request), event);
	return true;
}

/* On the replay thread. */
static void look(struct job *job, struct store_reader *reader)
{
	struct delete *delete = (struct delete *)((char *)job - offsetof(struct delete, job));
	const struct store_deletion *range = &delete->erasure.deletion;
	struct store_query query = {
		.topics = &delete->topics, .after = range->after, .upto = range->upto};

	delete->own = true;
	delete->failed =
		api_of(delete->request)
			->store->ops->read(reader, &query, look_at_event, delete, NULL) != 0;
}

static void take_look(struct message *message)
{
	struct delete *delete =
		(struct delete *)((char *)message - offsetof(struct delete, job.message));
	struct request *request = delete->request;
	const char *name = request_principal(request)->name;

	if (!delete->failed && delete->own) {
		submit(delete);
		return;
	}
	if (delete->failed) {
		request_problem(request, 500, "the log cannot be read");
	} else {
		request_problem(request, 403,
			"%s may delete only the messages under the name %s in the topic %s",
			name != NULL ? name : "the holder of this token",
			request_principal(request)->as, request_route(request)->topic);
		request_add_header(request, "WWW-Authenticate",
			PROOF_CHALLENGE ", error=\"insufficient_scope\"");
	}
	request_resume(request);
}

/* --- the request --- */

void delete_check(struct request *request)
{
	if (!request_check_origin(request, "delete events here"))
		return;
	if (request_header(request, "If-Match") != NULL ||
		request_header(request, "If-None-Match") != NULL)
		request_problem(request, 400,
			"a DELETE cannot have a condition: leave out If-Match and If-None-Match");
}

/* Which events of the topic are meant.  False after replying. */
static bool read_range(struct request *request, struct erasure *erasure)
{
	const struct api *api = api_of(request);
	const struct route *route = request_route(request);
	struct store_deletion *deletion = &erasure->deletion;
	uint64_t head = window_position(api->window);
	const char *before = route->query.before;

	erasure->one = route->kind == ROUTE_EVENT;
	deletion->upto = UINT64_MAX;
	if (before != NULL &&
		!identity_parse(&api->store->identity, before, head, &deletion->upto)) {
		request_problem(request, 400, "before: this is not an id of this log");
		return false;
	}
	if (before != NULL && deletion->upto > 0)
		deletion->upto--;
	if (!erasure->one)
		return true;
	if (!identity_parse(&api->store->identity, route->id, head, &deletion->upto) ||
		deletion->upto == 0) {
		refuse_missing(request, false);
		return false;
	}
	deletion->after = deletion->upto - 1;
	return true;
}

/* The topic, as long as the request lives.  False after replying. */
static bool hold_topic(struct request *request, struct delete *delete)
{
	const char *name = request_route(request)->topic;
	struct topic *topic = topics_hold_named(api_of(request)->topics, name);
	bool held;

	if (topic == NULL) {
		request_problem(request, 404, "there is no topic %s", name);
		return false;
	}
	held = topic_set_add(&delete->topics, topic) == 0;
	topic_drop(topic);
	delete->erasure.deletion.topic = topic;
	if (!held)
		request_problem(request, 503, "out of memory; try again later");
	return held;
}

/* May the sender delete whatever the topic has? */
static bool may_delete_all(const struct request *request)
{
	const struct principal *principal = request_principal(request);

	return principal == NULL ||
	       grants_cover(&principal->grants, VERB_DELETE, request_route(request)->topic);
}

void delete_run(struct request *request)
{
	struct delete *delete = calloc(1, sizeof(*delete));

	if (delete == NULL) {
		request_problem(request, 503, "out of memory; try again later");
		return;
	}
	delete->request = request;
	request_set_state(request, delete, free_delete);
	if (!hold_topic(request, delete) || !read_range(request, &delete->erasure) ||
		!rate_admit(request, RATE_PUBLISH, 1))
		return;
	if (log_thread_draining(api_of(request)->log_thread)) {
		request_problem(request, 503, "the server is stopping; try again");
		return;
	}
	request_wait(request);
	if (may_delete_all(request)) {
		submit(delete);
		return;
	}
	delete->job.run = look;
	delete->job.message.handle = take_look;
	delete->job.mailbox = api_of(request)->fanout->mailbox;
	replay_thread_submit(api_of(request)->replay_thread, &delete->job);
}
