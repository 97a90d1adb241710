/* SPDX-License-Identifier: MIT */
/* Sending one event, and when to try again; see deliver.h. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "client_run.h"
#include "deliver.h"
#include "number.h"

/* The pause before the second attempt, and the longest (ms). */
#define DELAY_FIRST 250
#define DELAY_MAX 10000

/* How long a server that has the request may take to answer (ms). */
#define ANSWER_MAX 60000

/* How long the body behind an answer's head may take: nothing depends on it (ms). */
#define BODY_TIME_MAX 3000

/* A connection that was idle for longer is not used again: the server may be closing it (s). */
#define IDLE_MAX 10L

#define REDIRECTS_MAX 10L

enum attempt {
	ATTEMPT_ACCEPTED,
	ATTEMPT_AGAIN, /* failed, certainly without an event, and may succeed later */
	ATTEMPT_FAILED,
};

/* --- libcurl's callbacks --------------------------------------------------------------------- */

static void expect_within(struct deliver *deliver, int64_t ms)
{
	int64_t until = client_now() + ms;

	deliver->attempt_until = until < deliver->until ? until : deliver->until;
}

static size_t on_read(char *room, size_t size, size_t count, void *context)
{
	struct deliver *deliver = context;
	size_t left = deliver->item->len - deliver->handed, len = size * count;

	/* All was handed over: whoever asks for more sends it anew without having asked on_seek().
	 */
	if (left == 0 && deliver->item->len > 0)
		return CURL_READFUNC_ABORT;
	if (len > left)
		len = left;
	memcpy(room, deliver->item->data + deliver->handed, len);
	deliver->handed += len;
	expect_within(deliver, ANSWER_MAX);
	return len;
}

/*
 * libcurl asks for this before it sends a body once more: to follow a 307 or 308, which is right,
 * or on its own account when a kept connection broke after the request, which could make a second
 * event and is refused.  A redirect is good for one time.
 */
static int on_seek(void *context, curl_off_t offset, int origin)
{
	struct deliver *deliver = context;
	bool redirect = deliver->answer.status == 307 || deliver->answer.status == 308;

	if (!redirect || origin != SEEK_SET || offset != 0)
		return CURL_SEEKFUNC_FAIL;
	deliver->answer.status = 0;
	deliver->handed = 0;
	return CURL_SEEKFUNC_OK;
}

/* Is there an answer that says what became of the event? */
static bool is_answered(const struct client_answer *answer)
{
	return answer->head_ended && answer->status >= 200 && answer->status / 100 != 3;
}

/* A redirect that makes a GET of a POST is not followed: the transfer ends with its head. */
static size_t on_header(char *line, size_t size, size_t count, void *context)
{
	struct deliver *deliver = context;
	struct client_answer *answer = &deliver->answer;

	client_answer_header(answer, line, size * count);
	if (answer->head_ended && answer->status >= 301 && answer->status <= 303)
		return 0;
	if (is_answered(answer))
		expect_within(deliver, BODY_TIME_MAX);
	return size * count;
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
	struct deliver *deliver = context;

	return client_answer_body(&deliver->answer, data, size * count) ? size * count : 0;
}

/* --- one attempt ----------------------------------------------------------------------------- */

/* Add what the user has to know if the whole request may have reached the server. */
static enum attempt fail(const struct deliver *deliver, enum attempt attempt, struct error *error)
{
	struct error reason = *error;
	long sent = 0;

	curl_easy_getinfo(deliver->client.easy, CURLINFO_REQUEST_SIZE, &sent);
	if (sent == 0 || deliver->handed < deliver->item->len)
		return attempt;
	error_set(error, reason.status == EX_UNAVAILABLE ? EX_TEMPFAIL : reason.status,
		"%.350s; the event may or may not have been stored", reason.text);
	return ATTEMPT_FAILED;
}

static enum attempt judge_answer(const struct deliver *deliver, struct error *error)
{
	const struct client_answer *answer = &deliver->answer;

	if (answer->status < 300) {
		client_say(&deliver->client, CLIENT_EXPLAIN, "%ld, accepted%s%s", answer->status,
			answer->id[0] ? ", id " : "", answer->id);
		return ATTEMPT_ACCEPTED;
	}
	client_answer_error(answer, deliver->url.shown, error);
	if (answer->status == 415 && !deliver->item->json && deliver->options->form == FORM_AUTO) {
		struct error reason = *error;

		error_set(error, reason.status,
			"%.400s; it went as text, since it is not JSON (--as json says why)",
			reason.text);
	}
	return answer->status == 429 || answer->status == 503 ? ATTEMPT_AGAIN : ATTEMPT_FAILED;
}

static enum attempt judge(const struct deliver *deliver, CURLcode code, struct error *error)
{
	const struct client *client = &deliver->client;
	const struct client_answer *answer = &deliver->answer;
	bool whole = code == CURLE_OK || code == CURLE_WRITE_ERROR;

	/* What the head says counts, also where the body behind it broke. */
	if (is_answered(answer) || (whole && answer->head_ended && answer->status >= 300))
		return judge_answer(deliver, error);
	client_failure_error(client->easy, whole ? CURLE_GOT_NOTHING : code, client->details,
		deliver->url.shown, error);
	return fail(
		deliver, error->status == EX_UNAVAILABLE ? ATTEMPT_AGAIN : ATTEMPT_FAILED, error);
}

static enum attempt try_once(struct deliver *deliver, struct error *error)
{
	struct client *client = &deliver->client;
	enum client_outcome outcome;
	CURLcode code = CURLE_OK;

	client_answer_free(&deliver->answer);
	client_answer_init(&deliver->answer);
	client->details[0] = '\0';
	deliver->handed = 0;
	deliver->attempt_until = deliver->until;
	client_say(client, CLIENT_EXPLAIN, "POST %s, %zu bytes of %s", deliver->url.shown,
		deliver->item->len, deliver->item->json ? "JSON" : "text");
	outcome = client_run(client->multi, client->easy, &deliver->attempt_until, &code);
	if (outcome == CLIENT_DONE || is_answered(&deliver->answer))
		return judge(deliver, code, error);
	if (outcome == CLIENT_SIGNAL)
		client_stopped(error);
	else if (client_now() >= deliver->until)
		error_set(error, EX_TEMPFAIL, "the time of --timeout is up");
	else
		error_set(error, EX_TEMPFAIL, "%.200s did not answer within %d s",
			deliver->url.shown, ANSWER_MAX / 1000);
	return fail(deliver, ATTEMPT_FAILED, error);
}

/* --- until it is accepted -------------------------------------------------------------------- */

/* Put in front of the reason why it is not tried again, though there may be ${left} ms for it. */
static int give_up(const struct deliver *deliver, int64_t left, struct error *error)
{
	int64_t tried = deliver->options->retry_max_time, asked = deliver->answer.retry_after;
	struct error reason = *error;
	char text[NUMBER_TEXT];

	if (tried == 0)
		return -1;
	if (left > 0 && asked > left)
		return error_set(error, EX_TEMPFAIL,
			"gave up, since the server asked to wait for %s: %.400s",
			number_duration_text(asked, text), reason.text);
	return error_set(error, EX_TEMPFAIL, "gave up after %s: %.400s",
		number_duration_text(tried, text), reason.text);
}

/* Someone who watches should not wonder why nothing happens; a script wants to hear the end. */
static void tell_trouble(struct deliver *deliver, const struct error *error)
{
	char text[NUMBER_TEXT];

	if (deliver->trouble_told || deliver->options->client.verbose > 0 || !isatty(STDERR_FILENO))
		return;
	client_say(&deliver->client, CLIENT_WARN, "%s; trying again for %s", error->text,
		number_duration_text(deliver->options->retry_max_time, text));
	deliver->trouble_told = true;
}

/* Wait before the next attempt; -1 if there is to be none. */
static int pause_or_give_up(struct deliver *deliver, int64_t give_up_at, struct error *error)
{
	int64_t delay = backoff_next(&deliver->backoff), left = give_up_at - client_now();
	int64_t asked = deliver->answer.retry_after;
	struct error reason = *error;

	if (left <= 0 || asked > left)
		return give_up(deliver, left, error);
	/* The last attempt is made when the time is up. */
	if (delay > left)
		delay = left;
	if (delay < asked)
		delay = asked;
	tell_trouble(deliver, error);
	client_say(&deliver->client, CLIENT_EXPLAIN, "%s; trying again in %lld.%03lld s",
		error->text, (long long)delay / 1000, (long long)delay % 1000);
	delay += client_now();
	if (client_wait(delay < deliver->until ? delay : deliver->until) == CLIENT_SIGNAL)
		return client_stopped(error);
	if (client_now() < deliver->until)
		return 0;
	return error_set(error, EX_TEMPFAIL, "the time of --timeout is up: %.400s", reason.text);
}

static int prepare(struct deliver *deliver, struct error *error)
{
	const struct client_header headers[] = {{"Content-Type",
		deliver->item->json ? "application/json" : "text/plain; charset=utf-8"}};

	curl_easy_setopt(
		deliver->client.easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)deliver->item->len);
	return client_set_headers(&deliver->client, headers, 1, error);
}

int deliver_event(struct deliver *deliver, const struct input_item *item, struct error *error)
{
	int64_t give_up_at = client_now() + deliver->options->retry_max_time;

	deliver->item = item;
	if (client_signal() != 0)
		return client_stopped(error);
	if (prepare(deliver, error) != 0)
		return -1;
	backoff_reset(&deliver->backoff);
	for (;;) {
		switch (try_once(deliver, error)) {
		case ATTEMPT_ACCEPTED:
			return 0;
		case ATTEMPT_FAILED:
			return -1;
		case ATTEMPT_AGAIN:
			if (pause_or_give_up(deliver, give_up_at, error) != 0)
				return -1;
		}
	}
}

/* --- opening --------------------------------------------------------------------------------- */

/* The query that names the event's type, which becomes ${out}; empty if none was given. */
static int make_query(const char *event, struct buf *out, struct error *error)
{
	char *encoded;

	if (event == NULL)
		return 0;
	encoded = curl_easy_escape(NULL, event, 0);
	if (encoded == NULL || !buf_addf(out, "event=%s", encoded) || !buf_add_byte(out, '\0'))
		error_set(error, EX_OSERR, "out of memory");
	curl_free(encoded);
	return out->len > 0 ? 0 : -1;
}

static void set_up(struct deliver *deliver)
{
	CURL *easy = deliver->client.easy;

	curl_easy_setopt(easy, CURLOPT_URL, deliver->url.url);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(easy, CURLOPT_READDATA, deliver);
	curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
	curl_easy_setopt(easy, CURLOPT_SEEKDATA, deliver);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, deliver);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, deliver);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(easy, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, IDLE_MAX);
}

int deliver_open(struct deliver *deliver, const char *program, const struct options *options,
	int64_t until, struct error *error)
{
	struct buf query;
	int result;

	*deliver = (struct deliver){.options = options, .until = until};
	backoff_init(&deliver->backoff, DELAY_FIRST, DELAY_MAX);
	client_answer_init(&deliver->answer);
	buf_init(&query, SIZE_MAX);
	result = make_query(options->event, &query, error);
	if (result == 0)
		result = client_url_make(
			options->target, CLIENT_TOPIC, query.data, &deliver->url, error);
	buf_free(&query);
	if (result != 0 || client_open(&deliver->client, program, &options->client, error) != 0)
		return -1;
	set_up(deliver);
	return 0;
}

void deliver_close(struct deliver *deliver)
{
	client_close(&deliver->client);
	client_url_free(&deliver->url);
	client_answer_free(&deliver->answer);
}
