/* SPDX-License-Identifier: MIT */
/* One request, and libcurl's callbacks for it; see request.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "body.h"
#include "client_run.h"
#include "clock.h"
#include "request.h"

/* How long the body after an answer's head may take: nothing but ids depends on it (ms). */
#define BODY_TIME_MAX 3000

/* A connection that was idle for longer is not used again: the server may be closing it (s). */
#define IDLE_MAX 10L

#define REDIRECTS_MAX 10L

/* The most that the answer to a batch may have. */
#define ANSWER_BYTES_MAX ((size_t)BODY_EVENTS_MAX * 1024)

bool request_is_once(const struct request *request)
{
	for (size_t i = request->from; i < request->from + request->count; i++) {
		if (request->group->all[i].key.len == 0)
			return true;
	}
	return false;
}

bool request_is_answered(const struct request *request)
{
	const struct client_answer *answer = &request->answer;

	return answer->head_ended && answer->status >= 200 && answer->status / 100 != 3;
}

bool request_was_sent(const struct request *request)
{
	long sent = 0;

	curl_easy_getinfo(request->client.easy, CURLINFO_REQUEST_SIZE, &sent);
	return sent > 0 && request->handed == request->len;
}

/*
 * Should the answer to a batch have a line for each event?  Yes, if the user wants the ids, and to
 * check that the server understands batches.
 */
static bool wants_results(const struct request *request)
{
	const struct options *options = request->options;

	return options->results == RESULTS_JSON || options->client.verbose > 0 ||
	       !request->to->batches_seen;
}

size_t request_results(const struct request *request, CURLcode code)
{
	bool counts = request->batch && request->answer.status < 300 && code == CURLE_OK &&
		      wants_results(request);

	return counts ? body_results(&request->answer_lines) : 0;
}

void request_refusal_error(const struct request *request, struct error *error)
{
	static const char first[] = "line 1: ";
	const struct event *event = &request->group->all[request->from];
	struct error reason = {0};
	char *line;

	client_answer_error(
		&request->answer, client_login(&request->client), request->to->url.shown, &reason);
	/* A line that is alone is not the first of the input. */
	if (request->batch && request->count == 1 && (line = strstr(reason.text, first)) != NULL)
		memmove(line, line + strlen(first), strlen(line + strlen(first)) + 1);
	*error = reason;
	/* It was perhaps meant to be JSON. */
	if (!request->batch && request->answer.status == 415 && event->kind == EVENT_TEXT &&
		request->options->form == FORM_AUTO)
		error_set(error, reason.status,
			"%.400s; it was sent as text, because it is not JSON (--as json says why)",
			reason.text);
}

bool request_found_nobody(const struct request *request, CURLcode code)
{
	long number = 0;

	curl_easy_getinfo(request->client.easy, CURLINFO_OS_ERRNO, &number);
	return code == CURLE_COULDNT_RESOLVE_HOST ||
	       (code == CURLE_COULDNT_CONNECT &&
		       (number == ECONNREFUSED || number == ENETUNREACH || number == EHOSTUNREACH ||
			       number == ENOENT || number == ENETDOWN));
}

/* The end of the time for retries, but there is some for each attempt. */
static int64_t end_of_attempt(int64_t give_up_at)
{
	int64_t least = clock_now_ms() + REQUEST_ANSWER_MIN;

	return give_up_at > least ? give_up_at : least;
}

int64_t request_answer_by(int64_t give_up_at)
{
	return clock_earlier(clock_now_ms() + REQUEST_ANSWER_MAX, end_of_attempt(give_up_at));
}

int request_silence_error(const char *shown, int64_t begun, struct error *error)
{
	int64_t seconds = (clock_now_ms() - begun + 500) / 1000;

	return error_set(error, EX_TEMPFAIL, "%.200s did not answer within %" PRId64 " s", shown,
		seconds > 0 ? seconds : 1);
}

static size_t on_read(char *space, size_t size, size_t count, void *context)
{
	struct request *request = context;
	size_t left = request->len - request->handed, len = size * count;

	/* All was handed over: libcurl sends it anew, and did not ask on_seek(). */
	if (left == 0 && request->len > 0)
		return CURL_READFUNC_ABORT;
	if (len > left)
		len = left;
	memcpy(space, request->send + request->handed, len);
	request->handed += len;
	request->until = clock_earlier(request_answer_by(request->give_up_at), request->end);
	return len;
}

/*
 * libcurl asks for this before it sends a body once more: to follow a 307 or 308, which is right,
 * or on its own account when a kept connection broke after the request.  Without a key that could
 * make a second event and is refused.  A redirect is good for one time.
 */
static int on_seek(void *context, curl_off_t offset, int origin)
{
	struct request *request = context;
	bool redirect = request->answer.status == 307 || request->answer.status == 308;

	if ((!redirect && request_is_once(request)) || origin != SEEK_SET || offset != 0)
		return CURL_SEEKFUNC_FAIL;
	request->answer.status = 0;
	request->handed = 0;
	return CURL_SEEKFUNC_OK;
}

static bool is_replayed(const char *line, size_t len)
{
	static const char name[] = "Idempotency-Replayed: true";

	return len >= sizeof(name) - 1 && strncasecmp(line, name, sizeof(name) - 1) == 0;
}

static const char *media_type(const struct request *request, const struct event *event)
{
	static const char *const types[] = {
		[EVENT_JSON] = "application/json",
		[EVENT_TEXT] = "text/plain; charset=utf-8",
		[EVENT_FORM] = "application/x-www-form-urlencoded",
	};

	return request->batch ? "application/x-ndjson" : types[event->kind];
}

static int set_headers(struct request *request, struct error *error)
{
	const struct event *event = &request->group->all[request->from];
	struct sse_text key = group_text(request->group, event->key);
	char key_text[EVENT_KEY_MAX + 1];
	struct client_header headers[4];
	size_t count = 0;

	headers[count++] = (struct client_header){"Content-Type", media_type(request, event)};
	if (request->batch && wants_results(request))
		headers[count++] = (struct client_header){"Accept", "application/x-ndjson"};
	if (!request->batch && key.len > 0) {
		snprintf(key_text, sizeof(key_text), "%.*s", (int)key.len, key.data);
		headers[count++] = (struct client_header){"Idempotency-Key", key_text};
	}
	if (request->options->if_match != NULL)
		headers[count++] =
			(struct client_header){"If-Match", request->options->if_match_tag};
	return client_set_headers(&request->client, headers, count, error);
}

/* Does the Location that the answer names lead to another origin? */
static bool leads_away(const struct request *request)
{
	struct client_url target;
	char *source = NULL;
	bool away;

	curl_easy_getinfo(request->client.easy, CURLINFO_EFFECTIVE_URL, &source);
	away = client_url_follow(source, request->answer.location, &target, NULL) != 0 ||
	       strcmp(target.origin, request->to->url.origin) != 0;
	client_url_free(&target);
	return away;
}

/* libcurl is about to follow a redirect: another origin gets no secret, in any header. */
static bool follow_redirect(struct request *request)
{
	if (request->client.cross_origin || !leads_away(request))
		return true;
	request->client.cross_origin = true;
	return set_headers(request, NULL) == 0;
}

/* A redirect that makes a GET of a POST is not followed: the transfer ends with its head. */
static size_t on_header(char *line, size_t size, size_t count, void *context)
{
	struct request *request = context;
	struct client_answer *answer = &request->answer;

	client_answer_header(answer, line, size * count);
	request->replayed = request->replayed || is_replayed(line, size * count);
	if (answer->head_ended && answer->status >= 301 && answer->status <= 303)
		return 0;
	if (answer->head_ended && (answer->status == 307 || answer->status == 308) &&
		answer->location[0] != '\0' && !follow_redirect(request))
		return 0;
	if (request_is_answered(request))
		request->until = clock_earlier(clock_now_ms() + BODY_TIME_MAX, request->end);
	return size * count;
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
	struct request *request = context;
	size_t len = size * count;

	if (request->batch && request->answer.status / 100 == 2)
		return buf_add(&request->answer_lines, data, len) ? len : 0;
	return client_answer_body(&request->answer, data, len) ? len : 0;
}

static bool add_query(struct request *request, const char *name, struct sse_text value)
{
	char *encoded = value.len > 0
				? curl_easy_escape(request->client.easy, value.data, (int)value.len)
				: NULL;
	bool more = memchr(request->url.data, '?', request->url.len) != NULL;
	bool added = value.len == 0 ||
		     (encoded != NULL &&
			     buf_addf(&request->url, "%s%s=%s", more ? "&" : "?", name, encoded));

	curl_free(encoded);
	return added;
}

/* What the query says of the events. */
static bool add_words(struct request *request, const struct event *event)
{
	static const struct sse_text yes = {"1", 1};

	if (request->batch)
		return add_query(request, "envelope", yes);
	if (event_closes(request->group, event))
		return add_query(request, "close", yes);
	return add_query(request, "event", group_text(request->group, event->type)) &&
	       add_query(request, "subject", group_text(request->group, event->subject));
}

/* The URL without a fragment, which would swallow the query that is added. */
static bool make_url(struct request *request, const struct event *event)
{
	const char *url = request->to->url.url;

	request->url.len = 0;
	return buf_add(&request->url, url, strcspn(url, "#")) &&
	       (event->topic.len > 0 || add_words(request, event)) &&
	       buf_add_byte(&request->url, '\0');
}

int request_prepare(struct request *request, const struct destination *to,
	const struct group *group, size_t from, size_t max, struct error *error)
{
	const struct event *event = &group->all[from];
	const struct sse_text data = group_text(group, event->data);

	request->to = to;
	request->group = group;
	request->from = from;
	request->count = 1;
	request->batch = false;
	request->send = data.data;
	request->len = data.len;
	if (max > 1 || event->topic.len > 0) {
		request->count = body_batch(group, from, max, to->batch_bytes, &request->body);
		if (request->count == 0)
			return error_set(error, EX_OSERR, "out of memory");
		request->batch = request->count > 1 || event->topic.len > 0;
	}
	if (request->batch) {
		request->send = request->body.data;
		request->len = request->body.len;
	} else if (event_closes(group, event)) {
		request->len = 0;
	}
	if (!make_url(request, event))
		return error_set(error, EX_OSERR, "out of memory");
	curl_easy_setopt(request->client.easy, CURLOPT_URL, request->url.data);
	curl_easy_setopt(
		request->client.easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->len);
	return 0;
}

/* For -v. */
static void explain(const struct request *request)
{
	static const char *const words[] = {
		[EVENT_JSON] = "JSON", [EVENT_TEXT] = "text", [EVENT_FORM] = "a form"};
	const struct event *event = &request->group->all[request->from];
	struct sse_text key = group_text(request->group, event->key);
	const char *method = request->options->client.method, *shown = request->to->url.shown;

	if (method == NULL)
		method = "POST";
	if (request->count > 1)
		client_say(&request->client, CLIENT_EXPLAIN,
			"%s %s, %zu bytes, a batch of %zu events", method, shown, request->len,
			request->count);
	else
		client_say(&request->client, CLIENT_EXPLAIN, "%s %s, %zu bytes of %s%s%.*s", method,
			shown, request->len, words[event->kind], key.len > 0 ? ", key " : "",
			(int)key.len, key.data);
}

int request_begin(struct request *request, int64_t give_up_at, struct error *error)
{
	client_answer_free(&request->answer);
	client_answer_init(&request->answer);
	request->answer_lines.len = 0;
	request->client.details[0] = '\0';
	request->handed = 0;
	request->replayed = false;
	request->give_up_at = give_up_at;
	request->begun = clock_now_ms();
	request->until = clock_earlier(end_of_attempt(give_up_at), request->end);
	explain(request);
	if (client_begin(&request->client, error) != 0)
		return -1;
	return set_headers(request, error);
}

int request_open(struct request *request, const char *program, const struct options *options,
	int64_t end, void *private, struct error *error)
{
	CURL *easy;

	*request = (struct request){.options = options, .end = end};
	client_answer_init(&request->answer);
	buf_init(&request->answer_lines, ANSWER_BYTES_MAX);
	buf_init(&request->body, SIZE_MAX / 2);
	buf_init(&request->url, SIZE_MAX / 2);
	if (client_open(&request->client, program, &options->client, error) != 0)
		return -1;
	easy = request->client.easy;
	curl_easy_setopt(easy, CURLOPT_PRIVATE, private);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	if (options->client.method != NULL)
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, options->client.method);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(easy, CURLOPT_READDATA, request);
	curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
	curl_easy_setopt(easy, CURLOPT_SEEKDATA, request);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, request);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(easy, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, IDLE_MAX);
	return 0;
}

void request_close(struct request *request)
{
	client_close(&request->client);
	client_answer_free(&request->answer);
	buf_free(&request->answer_lines);
	buf_free(&request->body);
	buf_free(&request->url);
}
