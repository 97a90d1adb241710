/* SPDX-License-Identifier: MIT */
/* What became of a POST, to the client; see post.h. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "api.h"
#include "base/logger.h"
#include "http/request.h"
#include "log/store.h"
#include "percent.h"
#include "post.h"

static size_t format_id(const struct post *post, uint64_t position, char id[IDENTITY_TEXT])
{
	return identity_format(&api_of(post->request)->store->identity, position, id);
}

/* A line for each event, in their order.  Return -1 without memory. */
static int write_lines(struct post *post)
{
	const struct store_group *group = &post->publish.group;
	char id[IDENTITY_TEXT];

	buf_init(&post->answer, group->count * POST_ANSWER_LINE);
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

static void add_location(struct post *post, const char *id)
{
	const char *topic = post->append->topic;
	struct buf location;

	buf_init(&location, 3 * TOPIC_NAME_MAX + IDENTITY_TEXT + 8);
	if (buf_add_text(&location, "/api/") &&
		percent_encode(topic, strlen(topic), &location) &&
		buf_addf(&location, "/%s", id) && buf_add_byte(&location, '\0'))
		request_add_header(post->request, "Location", location.data);
	buf_free(&location);
}

/* The log has it: 201, and where it is. */
static void reply_stored(struct post *post)
{
	struct request *request = post->request;
	char id[IDENTITY_TEXT];
	uint64_t newest;
	bool replayed;

	sum_up(&post->publish.group, &newest, &replayed);
	format_id(post, newest, id);
	if (post->lines && write_lines(post) == 0)
		request_reply_static(
			request, 201, "application/x-ndjson", post->answer.data, post->answer.len);
	else
		request_reply_static(request, 201, NULL, "", 0);
	if (post->publish.group.appends == post->append)
		add_location(post, id);
	request_add_header(request, "Last-Event-ID", id);
	if (replayed)
		request_add_header(request, "Idempotency-Replayed", "true");
}

/* A key is known, for something else. */
static void reply_conflict(struct post *post)
{
	static const struct {
		const char *name, *verdict;
	} keys[] = {
		[POST_KEY_HEADER] = {"the Idempotency-Key",
			" is known for another event of this topic: send a new key with a new event"},
		[POST_KEY_CLOUDEVENT] = {"the 'source' and 'id' of the CloudEvent,",
			", are known for another event of this topic: a new event needs a new id"},
		[POST_KEY_DELIVERY] = {"the delivery's id",
			" is known for another event of this topic, one that is not of a hook"},
	};
	const struct store_group *group = &post->publish.group;
	struct sse_text key = group->appends[group->conflicted].key;

	if (group->appends == post->append)
		request_problem(post->request, 409, "%s '%.*s'%s", keys[post->key_is].name,
			(int)key.len, key.data, keys[post->key_is].verdict);
	else
		request_problem(post->request, 409,
			"line %u: the key '%.*s' is known for another event of this topic; nothing "
			"of the batch was stored",
			post->batch.lines[group->conflicted], (int)key.len, key.data);
}

/* Nothing comes after what closed a topic. */
static void reply_closed(struct post *post)
{
	const struct store_group *group = &post->publish.group;
	const char *topic = group->appends[group->conflicted].topic;

	if (group->appends == post->append)
		request_problem(post->request, 409,
			"the topic %s is closed for good: no event can follow", topic);
	else
		request_problem(post->request, 409,
			"line %u: the topic %s is closed for good: no event can follow; nothing "
			"of the batch was stored",
			post->batch.lines[group->conflicted], topic);
}

/* The topic's newest event is not as If-Match or If-None-Match says. */
static void reply_unmet(struct post *post)
{
	const struct store_group *group = &post->publish.group;
	const char *topic = group->appends[0].topic;
	char id[IDENTITY_TEXT];

	if (group->newest == 0) {
		request_problem(post->request, 412,
			"the topic %s has no event yet, but If-Match asks for one; nothing was "
			"stored",
			topic);
		return;
	}
	format_id(post, group->newest, id);
	if (group->condition == STORE_IF_NONE)
		request_problem(post->request, 412,
			"the topic %s has had events, the newest is %s, but If-None-Match asks for "
			"none; nothing was stored",
			topic, id);
	else
		request_problem(post->request, 412,
			"the newest event of the topic %s is %s, not the one that If-Match names; "
			"nothing was stored",
			topic, id);
	request_add_header(post->request, "Last-Event-ID", id);
}

/* The log does not have it. */
static void reply_failed(struct post *post)
{
	const struct publish *publish = &post->publish;
	bool full = publish->error.status == EX_CANTCREAT;
	char where[32] = "";

	/* The log thread reports that there are too many topics. */
	if (!full)
		logger_write(LOGGER_ERROR, "%s", publish->error.text);
	else if (post->batch.count > 0)
		snprintf(where, sizeof(where),
			"line %u: ", post->batch.lines[publish->group.conflicted]);
	request_problem(post->request, publish->error.status == EX_TEMPFAIL  ? 503
		: publish->error.status == EX_DATAERR ? 413
						      : 507, "%s%s",
		where, publish->error.text);
}

void post_answer(struct post *post)
{
	if (post->publish.failed)
		reply_failed(post);
	else if (post->publish.group.conflict)
		reply_conflict(post);
	else if (post->publish.group.closed)
		reply_closed(post);
	else if (post->publish.group.unmet)
		reply_unmet(post);
	else if (post->ephemeral)
		request_reply_static(post->request, 202, NULL, "", 0);
	else
		reply_stored(post);
}
