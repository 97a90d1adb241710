/* SPDX-License-Identifier: MIT */
/* Polling instead of a stream; see fallback.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client_answer.h"
#include "clock.h"
#include "event_type.h"
#include "fallback.h"

/* How long the answer to HEAD may take (ms). */
#define HEAD_MS 5000

/* A poll that takes less, and brings nothing, is a failure (ms). */
#define POLL_LEAST_MS 500

/* How long a poll waits: proxies end a request that takes a minute or half of it (ms). */
#define WAIT_MS 25000

/* The URL of a poll that waits so long, with a start where ${since} is not 0. */
static int make_url(const struct client_url *url, int64_t wait, int64_t since,
	struct client_url *poll, struct error *error)
{
	static const char *const starts[] = {"since", "last", "latest", "last_event_id"};
	char query[80];
	size_t len;

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		since = client_url_has_parameter(url->url, starts[i]) ? 0 : since;
	len = (size_t)snprintf(query, sizeof(query), "until=now&wait=%" PRId64 "ms", wait);
	if (since > 0)
		snprintf(query + len, sizeof(query) - len, "&since=%" PRId64 "ms", since);
	return client_url_set(poll, url->url, query, error);
}

/* --- is it held back? ------------------------------------------------------------------------ */

/* A HEAD like the request that is under way, to another URL. */
static void make_head(CURL *easy, const char *url, struct client_answer *answer)
{
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	/* Headers of the user are for this origin only. */
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	client_answer_collect(answer, easy);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
}

/* Those of the request, whose list a redirect replaces. */
static void set_headers(struct fallback *fallback, CURL *head)
{
	for (const struct curl_slist *line = fallback->client->headers; line != NULL;
		line = line->next) {
		struct curl_slist *longer = curl_slist_append(fallback->headers, line->data);

		fallback->headers = longer != NULL ? longer : fallback->headers;
	}
	curl_easy_setopt(head, CURLOPT_HTTPHEADER, fallback->headers);
}

static bool knows_polls(const struct client_answer *answer)
{
	return answer->status == 200 && answer->until[0] != '\0' &&
	       client_answer_is(answer, "text/event-stream");
}

/* The HEAD is over: what it says is known, or will not be. */
static void drop_head(struct fallback *fallback)
{
	if (fallback->head == NULL)
		return;
	curl_multi_remove_handle(fallback->client->multi, fallback->head);
	curl_easy_cleanup(fallback->head);
	curl_slist_free_all(fallback->headers);
	fallback->head = NULL;
	fallback->headers = NULL;
	client_answer_free(&fallback->answer);
}

static void ask(struct fallback *fallback)
{
	CURL *head = curl_easy_duphandle(fallback->client->easy);
	struct client_url poll = {0};

	fallback->at = CLIENT_NEVER;
	fallback->head_begun = clock_now_ms();
	client_answer_init(&fallback->answer);
	if (head != NULL && make_url(fallback->stream, 0, 0, &poll, NULL) == 0) {
		make_head(head, poll.url, &fallback->answer);
		set_headers(fallback, head);
		if (curl_multi_add_handle(fallback->client->multi, head) == CURLM_OK) {
			fallback->head = head;
			fallback->at = client_after(HEAD_MS);
		}
	}
	client_url_free(&poll);
	if (fallback->head != NULL)
		return;
	curl_easy_cleanup(head);
	curl_slist_free_all(fallback->headers);
	fallback->headers = NULL;
}

void fallback_answered(struct fallback *fallback, CURLcode code)
{
	fallback->polling =
		fallback->at != CLIENT_NEVER && code == CURLE_OK && knows_polls(&fallback->answer);
	fallback->possible = !fallback->answer.head_ended;
	fallback->asked = clock_now_ms() - fallback->head_begun;
	fallback->at = CLIENT_NEVER;
	drop_head(fallback);
}

bool fallback_look(struct fallback *fallback)
{
	double sent = 0;

	/* Something came after all. */
	if (fallback->head != NULL && fallback->at == CLIENT_NEVER)
		drop_head(fallback);
	if (fallback->polling && fallback->wait == 0)
		return true;
	if (clock_now_ms() < fallback->at)
		return false;
	if (fallback->head != NULL) {
		/* No answer, nor is one of the next attempt to be expected at once. */
		fallback->possible = !fallback->answer.head_ended;
		fallback->at = CLIENT_NEVER;
		drop_head(fallback);
		return false;
	}
	curl_easy_getinfo(fallback->client->easy, CURLINFO_PRETRANSFER_TIME, &sent);
	if (sent > 0)
		ask(fallback);
	else
		fallback->at = client_after(FALLBACK_AFTER_MS);
	return false;
}

int64_t fallback_due(const struct fallback *fallback)
{
	return fallback->at;
}

void fallback_end(struct fallback *fallback)
{
	drop_head(fallback);
}

void fallback_init(
	struct fallback *fallback, const struct client *client, const struct client_url *stream)
{
	*fallback = (struct fallback){.client = client,
		.stream = stream,
		.at = CLIENT_NEVER,
		.possible = client_url_is_stream(stream->url) &&
			    !client_url_has_parameter(stream->url, "until"),
		.keeps = client_url_has_parameter(stream->url, "mark")};
}

void fallback_free(struct fallback *fallback)
{
	drop_head(fallback);
	client_url_free(&fallback->poll);
}

/* --- polls ----------------------------------------------------------------------------------- */

/* Make the URL of the next poll.  It takes its time to the server, where it must not begin later. */
static bool set_url(struct fallback *fallback)
{
	int64_t since = clock_now_ms() - fallback->first + fallback->asked;

	client_url_free(&fallback->poll);
	return make_url(fallback->stream, fallback->wait, since, &fallback->poll, NULL) == 0 &&
	       curl_easy_setopt(fallback->client->easy, CURLOPT_URL, fallback->poll.url) ==
		       CURLE_OK;
}

bool fallback_attempt(struct fallback *fallback)
{
	fallback->at = fallback->possible ? client_after(FALLBACK_AFTER_MS) : CLIENT_NEVER;
	fallback->begun = clock_now_ms();
	fallback->brought = fallback->marked = false;
	return !fallback->polling || fallback->came || set_url(fallback);
}

void fallback_quiet(struct fallback *fallback)
{
	fallback->at = CLIENT_NEVER;
	fallback->came = fallback->polling;
}

void fallback_start(struct fallback *fallback, int64_t read_timeout)
{
	int64_t wait = read_timeout > 0 && read_timeout / 2 < WAIT_MS ? read_timeout / 2 : WAIT_MS;

	fallback->polling = true;
	fallback->possible = false;
	fallback->wait = wait > 0 ? wait : 1;
	fallback->first = clock_now_ms();
}

bool fallback_begin(struct fallback *fallback, int64_t read_timeout)
{
	int64_t first = fallback->begun;

	if (!fallback->polling || fallback->wait > 0)
		return false;
	fallback_start(fallback, read_timeout);
	fallback->first = first;
	client_say(fallback->client, CLIENT_WARN,
		"nothing arrives from %.200s, although the server answers: a proxy holds the "
		"stream back; polling from now on (--check says more)",
		fallback->stream->shown);
	return true;
}

bool fallback_opens(struct fallback *fallback)
{
	bool again = fallback->opened;

	fallback->opened = fallback->polling;
	return !again;
}

bool fallback_takes(struct fallback *fallback, const struct sse_event *event)
{
	if (!fallback->polling || !event_type_is_mark(event)) {
		fallback->brought = true;
		return false;
	}
	fallback->marked = true;
	return !fallback->keeps;
}

bool fallback_continues(const struct fallback *fallback)
{
	return fallback->polling && fallback->marked &&
	       (fallback->brought || clock_now_ms() - fallback->begun >= POLL_LEAST_MS);
}
