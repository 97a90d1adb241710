/* SPDX-License-Identifier: MIT */
/* Events on their way into the log; see post.h. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "api.h"
#include "content.h"
#include "hash.h"
#include "log/closing.h"
#include "log/subject.h"
#include "post.h"
#include "rate.h"
#include "stream/fanout.h"

bool post_check_coding(struct request *request)
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

static void free_post(void *state)
{
	struct post *post = state;

	batch_free(&post->batch);
	buf_free(&post->data);
	buf_free(&post->attributes);
	buf_free(&post->answer);
	free(post);
}

struct post *post_new(struct request *request)
{
	struct post *post = calloc(1, sizeof(*post));

	if (post == NULL) {
		request_problem(request, 503, "out of memory; try again later");
		return NULL;
	}
	post->request = request;
	request_set_state(request, post, free_post);
	return post;
}

void post_one(struct post *post, const char *topic, struct sse_text data)
{
	struct store_append *append = post->append;
	struct event told;

	append->topic = topic;
	append->event.type = post->type;
	append->event.data = data;
	append->event.subject = post->subject;
	subject_settle(&append->event);
	append->event.ephemeral = post->ephemeral;
	append->key = post->key;
	if (append->key.len > 0) {
		/*
		 * The subject of a CloudEvent is in its data: the fingerprint must stay as it was
		 * stored before.
		 */
		told = append->event;
		told.subject.len = post->subject_in_data ? 0 : told.subject.len;
		append->fingerprint = content_fingerprint(HASH_START, &told);
	}
	post->publish.group = (struct store_group){.appends = append, .count = 1};
}

void post_close(struct post *post, const char *topic)
{
	struct store_append *append = &post->append[post->publish.group.count];

	closing_init(append, topic);
	post->publish.group.appends = post->append;
	if (post->publish.group.count++ > 0 || post->key.len == 0)
		return;
	append->key = post->key;
	append->fingerprint = content_fingerprint(HASH_START, &append->event);
}

/* The answer is complete: free everything else. */
static void let_go(struct post *post)
{
	batch_free(&post->batch);
	buf_free(&post->data);
	request_release(post->request, post->answer.len);
}

/* Back from the log thread. */
static void take_result(struct message *message)
{
	struct post *post = (struct post *)message;

	post_answer(post);
	let_go(post);
	request_resume(post->request);
}

static void submit(struct post *post)
{
	struct request *request = post->request;
	struct publish *publish = &post->publish;

	publish->message.handle = take_result;
	publish->mailbox = api_of(request)->fanout->mailbox;
	publish->bytes = request_body(request)->len + post->data.len + batch_bytes(&post->batch) +
			 sizeof(*post);
	if (log_thread_draining(api_of(request)->log_thread)) {
		request_problem(request, 503, "the server is stopping; try again");
	} else if (log_thread_publish_now(api_of(request)->log_thread, publish)) {
		post_answer(post);
	} else if (!log_thread_submit(api_of(request)->log_thread, publish)) {
		request_problem(
			request, 503, "too many events wait to be stored; try again in a second");
	} else {
		request_wait(request);
	}
}

void post_end(struct post *post, unsigned status, const struct error *error)
{
	struct request *request = post->request;

	if (status != 0)
		request_problem(request, status, "%s", error->text);
	else if (!request_answered(request) &&
		 rate_admit(request, RATE_PUBLISH, (uint32_t)post->publish.group.count))
		submit(post);
	if (request_answered(request))
		let_go(post);
}
