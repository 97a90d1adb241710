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

/* Is the parameter in the query of the URL? */
static bool has_parameter(const char *url, const char *name)
{
	const char *at = strchr(url, '?');
	size_t len = strlen(name);

	for (; at != NULL; at = strchr(at, '&')) {
		at++;
		if (strncmp(at, name, len) == 0 && at[len] == '=')
			return true;
	}
	return false;
}

/* Is it the URL of a stream of sse-serve, by its form?  Others are not asked. */
static bool is_ours(const char *url)
{
	static const char end[] = "/event";
	size_t len = strcspn(url, "?#"), tail = sizeof(end) - 1;
	const char *api = strstr(url, "/api/");

	return api != NULL && api < url + len && len > tail &&
	       memcmp(url + len - tail, end, tail) == 0;
}

/* The URL of a poll that waits so long, with a start where ${since} is not 0. */
static int make_url(const struct client_url *url, int64_t wait, int64_t since,
	struct client_url *poll, struct error *error)
{
	static const char *const starts[] = {"since", "last", "latest", "last_event_id"};
	char query[80];
	size_t len;

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		since = has_parameter(url->url, starts[i]) ? 0 : since;
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

static bool knows_polls(const struct client_answer *answer)
{
	return answer->status == 200 && answer->until[0] != '\0' &&
	       client_answer_is(answer, "text/event-stream");
}

static void ask(struct fallback *fallback)
{
	int64_t begun = clock_now_ms(), limit = client_after(HEAD_MS);
	int64_t end =
		fallback->until != NULL && *fallback->until < limit ? *fallback->until : limit;
	enum client_outcome outcome = CLIENT_DONE;
	CURLM *multi = curl_multi_init();
	CURL *easy = curl_easy_duphandle(fallback->client->easy);
	struct client_url poll = {0};
	struct client_answer answer;
	CURLcode code = CURLE_OK;

	client_answer_init(&answer);
	if (multi != NULL && easy != NULL && make_url(fallback->stream, 0, 0, &poll, NULL) == 0) {
		make_head(easy, poll.url, &answer);
		outcome = client_run(multi, easy, &end, NULL, &code);
	}
	fallback->polling = outcome == CLIENT_DONE && code == CURLE_OK && knows_polls(&answer);
	fallback->possible = !answer.head_ended;
	client_url_free(&poll);
	client_answer_free(&answer);
	curl_easy_cleanup(easy);
	curl_multi_cleanup(multi);
	fallback->asked = clock_now_ms() - begun;
	fallback->hung_up = outcome == CLIENT_HANGUP;
}

/* Nothing came of the stream.  False if it is to end. */
static bool look(void *context)
{
	struct fallback *fallback = context;
	double sent = 0;

	curl_easy_getinfo(fallback->client->easy, CURLINFO_PRETRANSFER_TIME, &sent);
	if (sent > 0)
		ask(fallback);
	else
		fallback->watch.at = client_after(FALLBACK_AFTER_MS);
	return !fallback->hung_up && !fallback->polling;
}

void fallback_init(struct fallback *fallback, const struct client *client,
	const struct client_url *stream, const int64_t *until)
{
	*fallback = (struct fallback){.client = client,
		.stream = stream,
		.until = until,
		.possible = is_ours(stream->url) && !has_parameter(stream->url, "until"),
		.keeps = has_parameter(stream->url, "mark")};
}

void fallback_free(struct fallback *fallback)
{
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
	int64_t at = fallback->possible ? client_after(FALLBACK_AFTER_MS) : CLIENT_NEVER;

	fallback->watch = (struct client_watch){at, look, fallback};
	fallback->begun = clock_now_ms();
	fallback->brought = fallback->marked = fallback->hung_up = false;
	return !fallback->polling || fallback->came || set_url(fallback);
}

void fallback_quiet(struct fallback *fallback)
{
	fallback->watch.at = CLIENT_NEVER;
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
		"nothing of %.200s comes, although the server answers: a proxy on the way holds the "
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
