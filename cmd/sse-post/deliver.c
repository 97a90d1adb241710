/* SPDX-License-Identifier: MIT */
/* Sending groups of events, and when to try again; see deliver.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#include "body.h"
#include "deliver.h"
#include "number.h"

/* The pause before the second attempt, and the longest (ms). */
#define DELAY_FIRST 250
#define DELAY_MAX 10000

/* How long a server that has the request may take to answer (ms). */
#define ANSWER_MAX 60000

/* How long the body behind an answer's head may take: nothing but ids depends on it (ms). */
#define BODY_TIME_MAX 3000

/* A connection that was idle for longer is not used again: the server may be closing it (s). */
#define IDLE_MAX 10L

#define REDIRECTS_MAX 10L

/* The most that the answer to a batch may have. */
#define ANSWER_BYTES_MAX ((size_t)BODY_EVENTS_MAX * 1024)

/* What becomes of a request. */
enum verdict {
	VERDICT_ACCEPTED,
	VERDICT_DOUBTFUL,  /* accepted, and not in the way that was meant: no more is sent */
	VERDICT_OTHERWISE, /* the batch has to be sent in another way */
	VERDICT_AGAIN,	   /* it may succeed later, and the event is there once all the same */
	VERDICT_REFUSED,   /* as FAILURE_REFUSED and so on */
	VERDICT_AWAY,
	VERDICT_NO,
	VERDICT_UNKNOWN,
};

/* --- libcurl's callbacks --------------------------------------------------------------------- */

/* Does the request have an event without a key, which nobody can ask for a second time? */
static bool is_at_most_once(const struct slot *slot)
{
	for (size_t i = slot->at; i < slot->at + slot->count; i++) {
		if (slot->group->all[i].key.len == 0)
			return true;
	}
	return false;
}

static void expect_within(struct slot *slot, int64_t ms)
{
	int64_t until = client_now() + ms;

	slot->attempt_until = until < slot->deliver->until ? until : slot->deliver->until;
}

static size_t on_read(char *room, size_t size, size_t count, void *context)
{
	struct slot *slot = context;
	size_t left = slot->len - slot->handed, len = size * count;

	/* All was handed over: whoever asks for more sends it anew without having asked on_seek().
	 */
	if (left == 0 && slot->len > 0)
		return CURL_READFUNC_ABORT;
	if (len > left)
		len = left;
	memcpy(room, slot->send + slot->handed, len);
	slot->handed += len;
	expect_within(slot, ANSWER_MAX);
	return len;
}

/*
 * libcurl asks for this before it sends a body once more: to follow a 307 or 308, which is right,
 * or on its own account when a kept connection broke after the request.  Without a key that could
 * make a second event and is refused.  A redirect is good for one time.
 */
static int on_seek(void *context, curl_off_t offset, int origin)
{
	struct slot *slot = context;
	bool redirect = slot->answer.status == 307 || slot->answer.status == 308;

	if ((!redirect && is_at_most_once(slot)) || origin != SEEK_SET || offset != 0)
		return CURL_SEEKFUNC_FAIL;
	slot->answer.status = 0;
	slot->handed = 0;
	return CURL_SEEKFUNC_OK;
}

/* Is there an answer that says what became of the request? */
static bool is_answered(const struct client_answer *answer)
{
	return answer->head_ended && answer->status >= 200 && answer->status / 100 != 3;
}

static bool is_replayed(const char *line, size_t len)
{
	static const char name[] = "Idempotency-Replayed: true";

	return len >= sizeof(name) - 1 && strncasecmp(line, name, sizeof(name) - 1) == 0;
}

/* --- headers --------------------------------------------------------------------------------- */

static const char *media_type(const struct slot *slot, const struct event *event)
{
	static const char *const types[] = {
		[EVENT_JSON] = "application/json",
		[EVENT_TEXT] = "text/plain; charset=utf-8",
		[EVENT_FORM] = "application/x-www-form-urlencoded",
	};

	return slot->batch ? "application/x-ndjson" : types[event->kind];
}

/* A line for each event: if somebody wants to see the ids, and to see that batches are understood.
 */
static bool wants_results(const struct slot *slot)
{
	const struct options *options = slot->deliver->options;

	return options->results == RESULTS_JSON || options->client.verbose > 0 ||
	       !slot->to->batches_seen;
}

static int set_headers(struct slot *slot, struct error *error)
{
	const struct event *event = &slot->group->all[slot->at];
	struct sse_text key = group_text(slot->group, event->key);
	char key_text[EVENT_KEY_MAX + 1];
	struct client_header headers[3];
	size_t count = 0;

	headers[count++] = (struct client_header){"Content-Type", media_type(slot, event)};
	if (slot->batch && wants_results(slot))
		headers[count++] = (struct client_header){"Accept", "application/x-ndjson"};
	if (!slot->batch && key.len > 0) {
		snprintf(key_text, sizeof(key_text), "%.*s", (int)key.len, key.data);
		headers[count++] = (struct client_header){"Idempotency-Key", key_text};
	}
	return client_set_headers(&slot->client, headers, count, error);
}

/* Does the Location that the answer names lead to another origin? */
static bool leads_away(const struct slot *slot)
{
	struct client_url target;
	char *source = NULL;
	bool away;

	curl_easy_getinfo(slot->client.easy, CURLINFO_EFFECTIVE_URL, &source);
	away = client_url_follow(source, slot->answer.location, &target, NULL) != 0 ||
	       strcmp(target.origin, slot->to->url.origin) != 0;
	client_url_free(&target);
	return away;
}

/* libcurl is about to follow a redirect: another origin gets no secret, whatever header it is in.
 */
static bool follow_redirect(struct slot *slot)
{
	if (slot->client.stranger || !leads_away(slot))
		return true;
	slot->client.stranger = true;
	return set_headers(slot, &slot->error) == 0;
}

/* A redirect that makes a GET of a POST is not followed: the transfer ends with its head. */
static size_t on_header(char *line, size_t size, size_t count, void *context)
{
	struct slot *slot = context;
	struct client_answer *answer = &slot->answer;

	client_answer_header(answer, line, size * count);
	slot->replayed = slot->replayed || is_replayed(line, size * count);
	if (answer->head_ended && answer->status >= 301 && answer->status <= 303)
		return 0;
	if (answer->head_ended && (answer->status == 307 || answer->status == 308) &&
		answer->location[0] != '\0' && !follow_redirect(slot))
		return 0;
	if (is_answered(answer))
		expect_within(slot, BODY_TIME_MAX);
	return size * count;
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
	struct slot *slot = context;
	size_t len = size * count;

	if (slot->batch && slot->answer.status / 100 == 2)
		return buf_add(&slot->answer_lines, data, len) ? len : 0;
	return client_answer_body(&slot->answer, data, len) ? len : 0;
}

/* --- what an answer means -------------------------------------------------------------------- */

/* Statuses that are about the one event, not about us or the server. */
static bool is_refusal(long status)
{
	return status == 400 || status == 409 || status == 413 || status == 415 || status == 422;
}

/* Statuses after which the same request may succeed. */
static bool is_passing(long status)
{
	return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

/* With --at-most-once: did the server say that it did not take the request up? */
static bool is_untouched(long status)
{
	return status == 429 || status == 503;
}

/* sse-serve says where the event is and which id it has: it takes batches and knows keys. */
static bool is_sse_serve(const struct client_answer *answer)
{
	size_t id = strlen(answer->id), location = strlen(answer->location);

	return answer->status == 201 && strchr(answer->id, ':') != NULL && location > id &&
	       answer->location[location - id - 1] == '/' &&
	       strcmp(answer->location + location - id, answer->id) == 0;
}

/* What the first event, sent by itself, and later ones, tell about batches. */
static void learn(struct slot *slot)
{
	struct destination *to = slot->to;

	if (slot->batch)
		return;
	if (to->batching == BATCHING_AUTO)
		to->batching = is_sse_serve(&slot->answer) ? BATCHING_ALWAYS : BATCHING_NEVER;
	else if (slot->singly > slot->at && slot->count == 1 && slot->limit == 0)
		to->batching = BATCHING_NEVER;
}

/*
 * A batch was taken if there is a result for each of its events.  Without any, the status alone
 * says so; with others, it may have been taken for one event.
 */
static int check_results(struct slot *slot, CURLcode code, struct error *error)
{
	size_t results = body_results(&slot->answer_lines);

	if (!slot->batch || code != CURLE_OK || !wants_results(slot))
		return 0;
	slot->to->batches_seen = slot->to->batches_seen || results == slot->count;
	if (results == slot->count || results == 0)
		return 0;
	return error_set(error, EX_PROTOCOL,
		"%.200s accepted %zu events in one request and reported on %zu: it may have taken "
		"them for one (--batch never sends one event a request)",
		slot->to->url.shown, slot->count, results);
}

/* A batch was refused: find another way, and return whether there is one. */
static bool find_other_way(struct slot *slot)
{
	long status = slot->answer.status;
	uint64_t line;

	if (!slot->batch)
		return false;
	if (status == 413) {
		slot->to->batch_bytes = slot->len / 2;
		slot->limit = slot->count > 1 ? slot->count / 2 : 1;
		return true;
	}
	if (!is_refusal(status) && status != 404 && status != 405 && status != 411 && status != 501)
		return false;
	line = body_wrong_line(&slot->answer.body);
	if (line > 0 && line <= slot->count)
		/* Those before it go as a batch; then it is the first, and goes by itself. */
		slot->limit = line > 1 ? (size_t)line - 1 : 1;
	else
		slot->singly = slot->at + slot->count;
	return true;
}

/* The whole request may have reached the server; without a key nobody can ask again. */
static enum verdict judge_break(struct slot *slot, enum verdict verdict)
{
	long sent = 0;

	curl_easy_getinfo(slot->client.easy, CURLINFO_REQUEST_SIZE, &sent);
	if (sent == 0 || slot->handed < slot->len)
		return verdict;
	slot->ambiguous = true;
	return is_at_most_once(slot) ? VERDICT_UNKNOWN : verdict;
}

static enum verdict judge_answer(struct slot *slot, CURLcode code, struct error *error)
{
	const struct client_answer *answer = &slot->answer;
	const struct options *options = slot->deliver->options;
	const struct event *event = &slot->group->all[slot->at];
	bool once = is_at_most_once(slot);

	if (answer->status < 300)
		return check_results(slot, code, error) == 0 ? VERDICT_ACCEPTED : VERDICT_DOUBTFUL;
	client_answer_error(answer, slot->to->url.shown, error);
	if (find_other_way(slot))
		return VERDICT_OTHERWISE;
	if (answer->status == 415 && event->kind == EVENT_TEXT && options->form == FORM_AUTO) {
		struct error reason = *error;

		error_set(error, reason.status,
			"%.400s; it was sent as text, because it is not JSON (--as json says why)",
			reason.text);
	}
	if (is_refusal(answer->status))
		return VERDICT_REFUSED;
	if (is_passing(answer->status) && (!once || is_untouched(answer->status)))
		return VERDICT_AGAIN;
	if (once && is_passing(answer->status) && answer->status != 408)
		return judge_break(slot, VERDICT_AWAY);
	return answer->status / 100 == 5 ? VERDICT_AWAY : VERDICT_NO;
}

/* Was nobody there?  Then it is no use to wait for the time of retries if there is a spool. */
static bool is_nobody_there(const struct slot *slot, CURLcode code)
{
	long number = 0;

	curl_easy_getinfo(slot->client.easy, CURLINFO_OS_ERRNO, &number);
	return code == CURLE_COULDNT_RESOLVE_HOST ||
	       (code == CURLE_COULDNT_CONNECT &&
		       (number == ECONNREFUSED || number == ENETUNREACH || number == EHOSTUNREACH ||
			       number == ENOENT || number == ENETDOWN));
}

static enum verdict judge(struct slot *slot, CURLcode code, struct error *error)
{
	const struct client *client = &slot->client;
	const struct client_answer *answer = &slot->answer;
	bool whole = code == CURLE_OK || code == CURLE_WRITE_ERROR;

	/* What the head says counts, also where the body behind it broke. */
	if (is_answered(answer) || (whole && answer->head_ended && answer->status >= 300))
		return judge_answer(slot, code, error);
	client_failure_error(client, whole ? CURLE_GOT_NOTHING : code, slot->to->url.shown, error);
	if (error->status != EX_UNAVAILABLE)
		return judge_break(slot, VERDICT_NO);
	if (slot->deliver->spools && is_nobody_there(slot, code))
		return VERDICT_AWAY;
	return judge_break(slot, VERDICT_AGAIN);
}

/* --- one request ----------------------------------------------------------------------------- */

static bool add_query(struct slot *slot, const char *name, struct sse_text value)
{
	char *encoded = value.len > 0
				? curl_easy_escape(slot->client.easy, value.data, (int)value.len)
				: NULL;
	bool added = value.len == 0 ||
		     (encoded != NULL && buf_addf(&slot->url, "%s%s=%s",
						 strchr(slot->to->url.url, '?') != NULL ? "&" : "?",
						 name, encoded));

	curl_free(encoded);
	return added;
}

/* The URL without a fragment, which would swallow what is put behind. */
static bool make_url(struct slot *slot, const struct event *event)
{
	const char *url = slot->to->url.url;

	slot->url.len = 0;
	return buf_add(&slot->url, url, strcspn(url, "#")) &&
	       (slot->batch ? add_query(slot, "envelope", (struct sse_text){"1", 1})
			    : add_query(slot, "event", group_text(slot->group, event->type))) &&
	       buf_add_byte(&slot->url, '\0');
}

/* Choose what the request has: as many events as may go together, or one. */
static int prepare(struct slot *slot, struct error *error)
{
	const struct event *event = &slot->group->all[slot->at];
	const struct sse_text data = group_text(slot->group, event->data);
	struct destination *to = slot->to;
	size_t max = slot->limit > 0 ? slot->limit : BODY_EVENTS_MAX;

	slot->count = 1;
	slot->batch = false;
	slot->send = data.data;
	slot->len = data.len;
	if (to->batching == BATCHING_ALWAYS && slot->at >= slot->singly && max > 1) {
		slot->count = body_batch(slot->group, slot->at, max, to->batch_bytes, &slot->body);
		if (slot->count == 0)
			return error_set(error, EX_OSERR, "out of memory");
		slot->batch = slot->count > 1;
	}
	if (slot->batch) {
		slot->send = slot->body.data;
		slot->len = slot->body.len;
	}
	if (!make_url(slot, event))
		return error_set(error, EX_OSERR, "out of memory");
	curl_easy_setopt(slot->client.easy, CURLOPT_URL, slot->url.data);
	curl_easy_setopt(slot->client.easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)slot->len);
	return 0;
}

static void finish(struct slot *slot, enum failure failure)
{
	slot->failure = failure;
	slot->finished = true;
}

static void explain_request(const struct slot *slot)
{
	static const char *const words[] = {
		[EVENT_JSON] = "JSON", [EVENT_TEXT] = "text", [EVENT_FORM] = "a form"};
	const struct event *event = &slot->group->all[slot->at];
	struct sse_text key = group_text(slot->group, event->key);
	const char *method = slot->deliver->options->client.method;

	if (method == NULL)
		method = "POST";
	if (slot->batch)
		client_say(&slot->client, CLIENT_EXPLAIN, "%s %s, %zu bytes, a batch of %zu events",
			method, slot->to->url.shown, slot->len, slot->count);
	else
		client_say(&slot->client, CLIENT_EXPLAIN, "%s %s, %zu bytes of %s%s%.*s", method,
			slot->to->url.shown, slot->len, words[event->kind],
			key.len > 0 ? ", key " : "", (int)key.len, key.data);
}

static void attempt(struct slot *slot)
{
	client_answer_free(&slot->answer);
	client_answer_init(&slot->answer);
	slot->answer_lines.len = 0;
	slot->client.details[0] = '\0';
	slot->handed = 0;
	slot->replayed = false;
	slot->attempt_until = slot->deliver->until;
	slot->wake_at = CLIENT_NEVER;
	slot->client.stranger = false;
	explain_request(slot);
	if (set_headers(slot, &slot->error) != 0) {
		finish(slot, FAILURE_NO);
		return;
	}
	if (curl_multi_add_handle(slot->deliver->multi, slot->client.easy) == CURLM_OK) {
		slot->active = slot->deliver->begun = true;
		return;
	}
	error_set(&slot->error, EX_SOFTWARE, "libcurl cannot start a transfer");
	finish(slot, FAILURE_NO);
}

/* The next request of the group, or its end. */
static void next_request(struct slot *slot)
{
	if (slot->at == slot->group->count) {
		finish(slot, FAILURE_NONE);
		return;
	}
	if (prepare(slot, &slot->error) != 0) {
		finish(slot, FAILURE_NO);
		return;
	}
	backoff_reset(&slot->backoff);
	slot->ambiguous = false;
	slot->give_up_at = client_now() + slot->deliver->options->retry_max_time;
	attempt(slot);
}

/* --- and again ------------------------------------------------------------------------------- */

/* Put in front of the reason why it is not tried again, though there may be ${left} ms for it. */
static void give_up(struct slot *slot, int64_t left)
{
	int64_t tried = slot->deliver->options->retry_max_time, asked = slot->answer.retry_after;
	struct error reason = slot->error;
	char text[NUMBER_TEXT];

	finish(slot, FAILURE_AWAY);
	if (tried == 0 || slot->once)
		return;
	if (left > 0 && asked > left)
		error_set(&slot->error, EX_TEMPFAIL,
			"gave up, since the server asked to wait for %s: %.400s",
			number_duration_text(asked, text), reason.text);
	else
		error_set(&slot->error, EX_TEMPFAIL, "gave up after %s: %.400s",
			number_duration_text(tried, text), reason.text);
}

/* Someone who watches should not wonder why nothing happens; a script wants to hear the end. */
static void tell_trouble(struct slot *slot)
{
	char text[NUMBER_TEXT];

	if (slot->to->trouble_told || slot->deliver->options->client.verbose > 0 ||
		!isatty(STDERR_FILENO))
		return;
	client_say(&slot->client, CLIENT_WARN, "%s; trying again for %s", slot->error.text,
		number_duration_text(slot->deliver->options->retry_max_time, text));
	slot->to->trouble_told = true;
}

static void pause_or_give_up(struct slot *slot)
{
	int64_t delay = backoff_next(&slot->backoff), left = slot->give_up_at - client_now();
	int64_t asked = slot->answer.retry_after;

	if (left <= 0 || asked > left || slot->once) {
		give_up(slot, left);
		return;
	}
	/* The last attempt is made when the time is up. */
	if (delay > left)
		delay = left;
	if (delay < asked)
		delay = asked;
	tell_trouble(slot);
	client_say(&slot->client, CLIENT_EXPLAIN, "%s; trying again in %lld.%03lld s",
		slot->error.text, (long long)delay / 1000, (long long)delay % 1000);
	slot->wake_at = client_now() + delay;
}

static void settle(struct slot *slot, size_t count)
{
	slot->at += count;
	slot->limit = 0;
}

/* The request came to an end. */
static void take_verdict(struct slot *slot, enum verdict verdict)
{
	const struct deliver_listener *listener = slot->deliver->listener;

	if ((verdict == VERDICT_AGAIN || verdict == VERDICT_AWAY) && slot->answer.retry_after > 0)
		slot->to->not_before = client_now() + slot->answer.retry_after;
	switch (verdict) {
	case VERDICT_ACCEPTED:
		learn(slot);
		listener->accepted(listener->context, slot, slot->at, slot->count);
		settle(slot, slot->count);
		next_request(slot);
		break;
	case VERDICT_DOUBTFUL:
		listener->accepted(listener->context, slot, slot->at, slot->count);
		settle(slot, slot->count);
		finish(slot, FAILURE_NO);
		break;
	case VERDICT_OTHERWISE:
		client_say(&slot->client, CLIENT_EXPLAIN, "%s; sending the batch in parts",
			slot->error.text);
		next_request(slot);
		break;
	case VERDICT_REFUSED:
		if (!listener->refused(listener->context, slot, &slot->error)) {
			finish(slot, FAILURE_REFUSED);
			break;
		}
		settle(slot, 1);
		next_request(slot);
		break;
	case VERDICT_AGAIN:
		pause_or_give_up(slot);
		break;
	case VERDICT_AWAY:
		finish(slot, FAILURE_AWAY);
		break;
	case VERDICT_NO:
		finish(slot, FAILURE_NO);
		break;
	case VERDICT_UNKNOWN:
		finish(slot, FAILURE_UNKNOWN);
		break;
	}
}

static void end_transfer(struct slot *slot)
{
	curl_multi_remove_handle(slot->deliver->multi, slot->client.easy);
	slot->active = false;
}

/* No answer in time; but a head without the end of its body is an answer. */
static void run_out_of_time(struct slot *slot)
{
	end_transfer(slot);
	if (is_answered(&slot->answer)) {
		take_verdict(slot, judge(slot, CURLE_OPERATION_TIMEDOUT, &slot->error));
		return;
	}
	error_set(&slot->error, EX_TEMPFAIL, "%.200s did not answer within %d s",
		slot->to->url.shown, ANSWER_MAX / 1000);
	take_verdict(slot, judge_break(slot, VERDICT_AGAIN));
}

void deliver_abort(struct slot *slot)
{
	bool unknown = false;

	if (slot->finished)
		return;
	if (slot->active) {
		end_transfer(slot);
		if (is_answered(&slot->answer) && slot->answer.status < 300 &&
			judge(slot, CURLE_OPERATION_TIMEDOUT, &slot->error) == VERDICT_ACCEPTED) {
			const struct deliver_listener *listener = slot->deliver->listener;

			listener->accepted(listener->context, slot, slot->at, slot->count);
			settle(slot, slot->count);
			/* Of what is left, nothing was sent. */
			slot->count = 0;
		}
		if (client_signal() != 0)
			client_stopped(&slot->error);
		else
			error_set(&slot->error, EX_TEMPFAIL, "the time of --timeout is up");
		unknown = judge_break(slot, VERDICT_AWAY) == VERDICT_UNKNOWN;
	} else if (client_signal() != 0) {
		client_stopped(&slot->error);
	} else {
		struct error reason = slot->error;

		error_set(&slot->error, EX_TEMPFAIL, "the time of --timeout is up: %.400s",
			reason.text);
	}
	finish(slot, slot->at == slot->group->count ? FAILURE_NONE
		     : unknown			    ? FAILURE_UNKNOWN
						    : FAILURE_AWAY);
}

/* --- all slots ------------------------------------------------------------------------------- */

/* The transfers that ended by themselves. */
static void take_ended(struct deliver *deliver)
{
	CURLMsg *message;
	int waiting;

	while ((message = curl_multi_info_read(deliver->multi, &waiting)) != NULL) {
		CURLcode code = message->data.result;
		struct slot *slot = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&slot);
		/* This frees the message. */
		end_transfer(slot);
		take_verdict(slot, judge(slot, code, &slot->error));
	}
}

/* What time brings; return the next moment that brings something. */
static int64_t take_due(struct deliver *deliver)
{
	int64_t now = client_now(), next = CLIENT_NEVER;

	for (size_t i = 0; i < deliver->count; i++) {
		struct slot *slot = &deliver->slots[i];
		int64_t due;

		if (slot->group == NULL || slot->finished)
			continue;
		if (slot->active && now >= slot->attempt_until && now < deliver->until)
			run_out_of_time(slot);
		else if (!slot->active && now >= slot->wake_at)
			attempt(slot);
		due = slot->finished ? now : slot->active ? slot->attempt_until : slot->wake_at;
		next = due < next ? due : next;
	}
	return next;
}

enum client_outcome deliver_wait(struct deliver *deliver, int fd, int64_t until)
{
	int64_t next = CLIENT_NEVER;
	int running;

	/* A request that is begun in here has to be on its way before anything is waited for. */
	do {
		deliver->begun = false;
		curl_multi_perform(deliver->multi, &running);
		take_ended(deliver);
		next = take_due(deliver);
		if (deliver_finished(deliver) != NULL)
			return CLIENT_DONE;
	} while (deliver->begun);
	if (until < next)
		next = until;
	if (deliver->until < next)
		next = deliver->until;
	return client_poll(deliver->multi, fd, next);
}

struct slot *deliver_finished(struct deliver *deliver)
{
	for (size_t i = 0; i < deliver->count; i++) {
		if (deliver->slots[i].group != NULL && deliver->slots[i].finished)
			return &deliver->slots[i];
	}
	return NULL;
}

struct slot *deliver_free_slot(struct deliver *deliver)
{
	for (size_t i = 0; i < deliver->count; i++) {
		if (deliver->slots[i].group == NULL)
			return &deliver->slots[i];
	}
	return NULL;
}

size_t deliver_busy(const struct deliver *deliver)
{
	size_t busy = 0;

	for (size_t i = 0; i < deliver->count; i++)
		busy += deliver->slots[i].group != NULL;
	return busy;
}

size_t deliver_at_once(const struct deliver *deliver, size_t max)
{
	double rate = deliver->options->rate;

	/* About what may go in a tenth of a second. */
	if (rate > 0 && rate / 10 < (double)max)
		return rate > 20 ? (size_t)(rate / 10) : 1;
	return max;
}

void deliver_pace(struct deliver *deliver, size_t count)
{
	double rate = deliver->options->rate;
	int64_t now = client_now(), from = deliver->start_at;

	if (rate > 0)
		deliver->start_at =
			(now > from + 1000 ? now : from) + (int64_t)(1000 * (double)count / rate);
}

void deliver_start(struct slot *slot, struct group *group, struct destination *to, bool once)
{
	slot->group = group;
	slot->to = to;
	slot->once = once;
	slot->at = slot->limit = slot->singly = 0;
	slot->finished = false;
	slot->failure = FAILURE_NONE;
	slot->error = (struct error){0};
	next_request(slot);
}

void deliver_explain(const struct slot *slot, struct error *error)
{
	const struct error *reason = &slot->error;

	*error = *reason;
	if (!slot->ambiguous || slot->failure == FAILURE_NONE || slot->failure == FAILURE_REFUSED)
		return;
	error_set(error, reason->status == EX_UNAVAILABLE ? EX_TEMPFAIL : reason->status,
		"%.400s; the event%s may or may not have been stored", reason->text,
		slot->count > 1 ? "s of the last request" : "");
}

void deliver_release(struct slot *slot)
{
	slot->group = NULL;
	slot->finished = false;
}

/* --- opening --------------------------------------------------------------------------------- */

int destination_open(struct destination *destination, const char *operand,
	const struct options *options, struct error *error)
{
	*destination = (struct destination){
		.batching = (enum batching)options->batching, .batch_bytes = BODY_BYTES_MAX};
	/* A form cannot stand in a batch; and a batch with another's header would be one event. */
	if (options->form == FORM_FORM || client_has_header(&options->client, "Content-Type") ||
		client_has_header(&options->client, "Accept"))
		destination->batching = BATCHING_NEVER;
	return client_url_make(operand, CLIENT_TOPIC, NULL, &destination->url, error);
}

void destination_close(struct destination *destination)
{
	client_url_free(&destination->url);
}

static int open_slot(
	struct deliver *deliver, struct slot *slot, const char *program, struct error *error)
{
	CURL *easy;

	slot->deliver = deliver;
	backoff_init(&slot->backoff, DELAY_FIRST, DELAY_MAX);
	client_answer_init(&slot->answer);
	buf_init(&slot->answer_lines, ANSWER_BYTES_MAX);
	buf_init(&slot->body, SIZE_MAX / 2);
	buf_init(&slot->url, SIZE_MAX / 2);
	if (client_open(&slot->client, program, &deliver->options->client, error) != 0)
		return -1;
	easy = slot->client.easy;
	curl_easy_setopt(easy, CURLOPT_PRIVATE, slot);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	if (deliver->options->client.method != NULL)
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, deliver->options->client.method);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(easy, CURLOPT_READDATA, slot);
	curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
	curl_easy_setopt(easy, CURLOPT_SEEKDATA, slot);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, slot);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, slot);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(easy, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, IDLE_MAX);
	return 0;
}

int deliver_open(struct deliver *deliver, const char *program, const struct options *options,
	const struct deliver_listener *listener, int64_t until, struct error *error)
{
	*deliver = (struct deliver){.options = options, .listener = listener, .until = until};
	deliver->slots = calloc((size_t)options->parallel, sizeof(*deliver->slots));
	if (deliver->slots == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	for (; deliver->count < (size_t)options->parallel; deliver->count++) {
		if (open_slot(deliver, &deliver->slots[deliver->count], program, error) != 0) {
			client_close(&deliver->slots[deliver->count].client);
			return -1;
		}
	}
	deliver->multi = deliver->slots[0].client.multi;
	return 0;
}

void deliver_close(struct deliver *deliver)
{
	/* The first one last: its multi handle has the transfers of all. */
	for (size_t i = deliver->count; i-- > 0;) {
		struct slot *slot = &deliver->slots[i];

		if (slot->active)
			end_transfer(slot);
		client_close(&slot->client);
		client_answer_free(&slot->answer);
		buf_free(&slot->answer_lines);
		buf_free(&slot->body);
		buf_free(&slot->url);
	}
	free(deliver->slots);
	*deliver = (struct deliver){0};
}
