/* SPDX-License-Identifier: MIT */
/* Connections, their ends, and the pauses between them; see follow.h. */
#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

#include "backoff.h"
#include "closing.h"
#include "denied.h"
#include "fallback.h"
#include "follow.h"
#include "framing.h"
#include "judge.h"
#include "client_run.h"
#include "subscribe.h"
#include "trouble.h"
#include "clock.h"

/* The longest pause that growing makes, and the longest that a server can ask for (ms). */
#define DELAY_MAX 30000
#define DELAY_ASKED_MAX 3600000

/* A stream that lasted as long was no failure (ms). */
#define LASTING_MS 60000

/* How long the body of a refusal may take; only its reason is wanted (ms). */
#define REFUSAL_MS 5000

/* As many as browsers follow (Fetch, section 4.4). */
#define REDIRECTS_MAX 20L

struct follow {
	struct client *client;
	const struct client_url *url;
	const struct follow_options *options;
	const struct follow_sink *sink;
	void *context;
	struct subscribe subscribe; /* the requests */
	struct framing framing;
	struct backoff backoff;
	struct trouble trouble;
	int64_t failures; /* attempts in a row that brought no event */
	struct fallback fallback;

	/* Of this attempt: */
	struct client_answer answer;
	struct client_url source; /* where redirects led to; its origin is the events' */
	int64_t until;		  /* when to give up; data that arrives moves it */
	int64_t opened;		  /* when the stream began; CLIENT_NEVER before */
	bool brought;		  /* the stream brought anything */
	bool closed;		  /* the last of its events with an id closed a topic */
	bool stopped;		  /* by the sink */
	bool hung_up;		  /* by SIGHUP, amid a piece */
	struct error broken;	  /* the stream cannot be read on; status 0 if it can */
};

/* The step after an attempt. */
enum next { NEXT_AGAIN, NEXT_NOW, NEXT_ENDED, NEXT_CLOSED, NEXT_STOPPED, NEXT_TIME, NEXT_FAILED };

/* --- what the stream brings ------------------------------------------------------------------ */

static bool on_event(void *context, const struct sse_event *event)
{
	struct follow *follow = context;

	if (fallback_takes(&follow->fallback, event))
		return true;
	if (denied_read(event, follow->client, follow->url->shown, &follow->broken))
		return false;
	if (follow->failures > 0) {
		follow->failures = 0;
		backoff_reset(&follow->backoff);
	}
	if (event->has_id)
		follow->closed = closing_read(event);
	follow->stopped = !follow->sink->event(follow->context, event, follow->source.origin);
	/* The rest of this piece can be many events, and each take its time. */
	follow->hung_up = client_hangup();
	return !follow->stopped && !follow->hung_up;
}

static void on_retry(void *context, uint64_t ms)
{
	struct follow *follow = context;
	int64_t delay = ms > DELAY_ASKED_MAX ? DELAY_ASKED_MAX : (int64_t)ms;

	client_say(follow->client, CLIENT_EXPLAIN,
		"the server asks for %" PRId64 " ms before connecting again", delay);
	backoff_ask_floor(&follow->backoff, delay);
}

static bool on_comment(void *context, struct sse_text text)
{
	struct follow *follow = context;

	follow->stopped = !follow->sink->comment(follow->context, text);
	return !follow->stopped;
}

/* When all ends. */
static int64_t end_of_all(const struct follow *follow)
{
	return follow->options->until != NULL ? *follow->options->until : CLIENT_NEVER;
}

/* The attempt is given up in ${ms}, or never if that is 0; at the latest when all ends. */
static void expect_within(struct follow *follow, int64_t ms)
{
	int64_t until = client_after(ms), end = end_of_all(follow);

	follow->until = until < end ? until : end;
}

/* The framing took this piece, with the result. */
static bool take_piece(struct follow *follow, const char *data, size_t len, enum sse_result result)
{
	if (result == SSE_TOO_LARGE)
		error_set(&follow->broken, EX_PROTOCOL, "%.200s sent %s larger than %zu MiB",
			follow->source.shown, follow->framing.kind->unit, SSE_EVENT_MAX >> 20);
	if (result == SSE_NO_MEMORY)
		error_set(&follow->broken, EX_OSERR, "out of memory");
	if (follow->sink->piece != NULL &&
		!follow->sink->piece(follow->context, data, len, framing_last_id(&follow->framing)))
		follow->stopped = true;
	return result == SSE_OK && !follow->stopped && !follow->hung_up;
}

static bool on_stream(struct follow *follow, const char *data, size_t len)
{
	enum sse_result result;
	size_t used;

	follow->brought = true;
	fallback_quiet(&follow->fallback);
	result = framing_feed(&follow->framing, data, len, &used);
	if (!take_piece(follow, data, used, result))
		return false;
	/* The sink may have taken its time, and moved the end of all. */
	expect_within(follow, follow->options->read_timeout);
	return true;
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
	struct follow *follow = context;
	size_t len = size * count;
	bool more = follow->opened != CLIENT_NEVER ? on_stream(follow, data, len)
						   : client_answer_body(&follow->answer, data, len);

	return more ? len : 0;
}

/* --- the head -------------------------------------------------------------------------------- */

/* The head of a stream came: from here on it is one.  False if it cannot be. */
static bool open_stream(struct follow *follow)
{
	char *source = NULL;

	if (!framing_begin(&follow->framing, &follow->answer, follow->options->lines))
		return false;
	curl_easy_getinfo(follow->client->easy, CURLINFO_EFFECTIVE_URL, &source);
	if (source == NULL || client_url_set(&follow->source, source, NULL, &follow->broken) != 0 ||
		client_check_coding(follow->client, follow->url->shown, &follow->broken) != 0)
		return false;
	client_say(follow->client, CLIENT_EXPLAIN, "200, the stream is open%s",
		follow->framing.kind->has_ids ? "" : "; each line is an event");
	trouble_over(&follow->trouble);
	follow->opened = clock_now_ms();
	if (fallback_opens(&follow->fallback) && follow->sink->opened != NULL)
		follow->stopped = !follow->sink->opened(
			follow->context, &follow->answer, !follow->framing.kind->has_ids);
	expect_within(follow, follow->options->read_timeout);
	return !follow->stopped;
}

static size_t on_header(char *line, size_t size, size_t count, void *context)
{
	struct follow *follow = context;
	const struct client_answer *answer = &follow->answer;
	size_t len = size * count;
	bool redirect;

	client_answer_header(&follow->answer, line, len);
	if (!answer->head_ended || answer->status < 200 || follow->opened != CLIENT_NEVER)
		return len;
	if (answer->status == 200)
		return open_stream(follow) ? len : 0;
	redirect = client_answer_is_redirect(answer);
	if (answer->status / 100 == 3 && !redirect)
		return 0;
	/* A redirect leads on to a server that takes its own time. */
	expect_within(follow, redirect ? follow->options->read_timeout : REFUSAL_MS);
	return !redirect || subscribe_redirect(&follow->subscribe, answer,
				    framing_last_id(&follow->framing), &follow->broken) == 0
		       ? len
		       : 0;
}

/* --- one attempt ----------------------------------------------------------------------------- */

/* The stream is over, in good order if ${whole}: what of an event came is dropped, or handed over. */
static void end_stream(struct follow *follow, bool whole)
{
	struct framing *framing = &follow->framing;
	bool flush = follow->options->flush_end && follow->opened != CLIENT_NEVER;
	bool back = follow->options->reconnect && framing->kind->has_ids &&
		    framing_last_id(framing).len > 0;
	enum sse_result result;

	switch (framing_end(framing, whole, flush, &result)) {
	case LINES_WHOLE:
		break;
	case LINES_SHOWN:
		take_piece(follow, "", 0, result);
		break;
	case LINES_CUT:
		client_say(follow->client, back ? CLIENT_EXPLAIN : CLIENT_WARN,
			"the stream ended within %s, which is dropped%s", framing->kind->unit,
			back ? "" : " (--flush-eof shows it)");
		break;
	}
}

/* The attempt, whose transfer ended with ${code}, or was broken off (CURLE_OK). */
static struct judge_attempt describe(
	const struct follow *follow, CURLcode code, struct error *failure)
{
	bool well = code == CURLE_OK || code == CURLE_WRITE_ERROR;
	const char *shown = follow->url->shown;

	client_failure_error(follow->client, well ? CURLE_GOT_NOTHING : code, shown, failure);
	return (struct judge_attempt){.shown = shown,
		.answer = &follow->answer,
		.login = client_login(follow->client),
		.code = code,
		.failure = failure,
		.brought = follow->brought,
		.reconnect = follow->options->reconnect &&
			     (follow->framing.kind->has_ids || follow->options->lines_again),
		.refused_for_good = follow->options->refused_for_good};
}

static enum next next_of(enum judge_next next)
{
	static const enum next all[] = {[JUDGE_AGAIN] = NEXT_AGAIN,
		[JUDGE_ENDED] = NEXT_ENDED,
		[JUDGE_FAILED] = NEXT_FAILED};

	return all[next];
}

/* A stream came and went. */
static enum next take_stream_end(struct follow *follow, CURLcode code, struct error *error)
{
	struct error failure;
	struct judge_attempt attempt = describe(follow, code, &failure);

	end_stream(follow, code == CURLE_OK);
	if (follow->stopped)
		return NEXT_STOPPED;
	/* Of many topics others may be open: only the next answer says that all are closed. */
	if (code == CURLE_OK && follow->closed && strstr(follow->source.url, "/api/event?") == NULL)
		return NEXT_CLOSED;
	if (clock_now_ms() - follow->opened >= LASTING_MS ||
		fallback_continues(&follow->fallback)) {
		follow->failures = 0;
		backoff_reset(&follow->backoff);
	}
	if (fallback_continues(&follow->fallback))
		return NEXT_NOW;
	return next_of(judge_stream(&attempt, error));
}

/* Was the refused token replaced, so that the next attempt may follow at once? */
static bool is_renewed(const struct follow *follow, const struct error *reason)
{
	return follow->options->reconnect && client_renews(follow->client, reason);
}

/* There was no stream. */
static enum next take_answer(struct follow *follow, CURLcode code, struct error *error)
{
	struct error failure;
	struct judge_attempt attempt = describe(follow, code, &failure);
	enum judge_next next = judge_answer(&attempt, error);

	if (next == JUDGE_ENDED) {
		client_say(
			follow->client, CLIENT_EXPLAIN, "204, the server has nothing more to send");
		return NEXT_CLOSED;
	}
	return next == JUDGE_FAILED && is_renewed(follow, error) ? NEXT_NOW : next_of(next);
}

/* The stream cannot be read on. */
static enum next take_broken(struct follow *follow, struct error *error)
{
	*error = follow->broken;
	if (!is_renewed(follow, error))
		return NEXT_FAILED;
	end_stream(follow, false);
	return follow->stopped ? NEXT_STOPPED : NEXT_NOW;
}

/* The moment came at which the attempt is given up. */
static enum next take_time(struct follow *follow, struct error *error)
{
	bool stream = follow->opened != CLIENT_NEVER;
	struct error failure;
	struct judge_attempt attempt = describe(follow, CURLE_OK, &failure);

	if (clock_now_ms() >= end_of_all(follow)) {
		if (!stream && error->status == 0)
			error_set(error, EX_TEMPFAIL, "no stream from %.200s yet",
				follow->url->shown);
		else if (stream)
			*error = (struct error){0};
		return NEXT_TIME;
	}
	end_stream(follow, false);
	if (follow->stopped)
		return NEXT_STOPPED;
	return next_of(judge_silence(&attempt, stream, follow->options->read_timeout, error));
}

/* SIGHUP: the next attempt counts as the first. */
static enum next hang_up(struct follow *follow)
{
	client_say(follow->client, CLIENT_EXPLAIN, "SIGHUP, connecting again");
	end_stream(follow, false);
	follow->failures = 0;
	backoff_reset(&follow->backoff);
	return follow->stopped ? NEXT_STOPPED : NEXT_NOW;
}

static enum next try_once(struct follow *follow, struct error *error)
{
	struct client *client = follow->client;
	CURLcode code = CURLE_OK;

	client_answer_free(&follow->answer);
	client_answer_init(&follow->answer);
	client_url_free(&follow->source);
	client->details[0] = '\0';
	follow->opened = CLIENT_NEVER;
	follow->brought = follow->closed = follow->hung_up = false;
	follow->broken = (struct error){0};
	expect_within(follow, follow->options->read_timeout);
	if (subscribe_begin(&follow->subscribe, framing_last_id(&follow->framing), error) != 0)
		return NEXT_FAILED;
	if (!fallback_attempt(&follow->fallback)) {
		error_set(error, EX_OSERR, "out of memory");
		return NEXT_FAILED;
	}
	switch (client_run(
		client->multi, client->easy, &follow->until, &follow->fallback.watch, &code)) {
	case CLIENT_SIGNAL:
		client_stopped(error);
		return NEXT_FAILED;
	case CLIENT_HANGUP:
		return hang_up(follow);
	case CLIENT_TIME:
		if (follow->fallback.hung_up)
			return hang_up(follow);
		return fallback_begin(&follow->fallback, follow->options->read_timeout)
			       ? NEXT_NOW
			       : take_time(follow, error);
	case CLIENT_DONE:
		break;
	}
	if (follow->stopped)
		return NEXT_STOPPED;
	if (follow->hung_up)
		return hang_up(follow);
	if (follow->broken.status != 0)
		return take_broken(follow, error);
	return follow->opened != CLIENT_NEVER ? take_stream_end(follow, code, error)
					      : take_answer(follow, code, error);
}

/* --- from attempt to attempt ----------------------------------------------------------------- */

/* May it be tried again?  If not, ${error} is what to end with. */
static bool may_go_on(struct follow *follow, struct error *error)
{
	struct error reason = *error;
	int64_t max = follow->options->retry_max;

	if (!follow->options->reconnect)
		return false;
	if (max < 0 || follow->failures <= max)
		return true;
	error_set(error, EX_TEMPFAIL, "gave up after %" PRId64 " attempt%s in a row: %.400s",
		follow->failures, follow->failures == 1 ? "" : "s", reason.text);
	return false;
}

/* Pause before the next attempt; ${error} says why there has to be one. */
static enum next wait_for_next(struct follow *follow, struct error *error)
{
	int64_t asked = follow->answer.retry_after, end = end_of_all(follow), delay, until;
	enum client_outcome outcome;

	if (asked > DELAY_ASKED_MAX)
		asked = DELAY_ASKED_MAX;
	delay = backoff_within(&follow->backoff, asked, INT64_MAX);
	client_say(follow->client, CLIENT_EXPLAIN,
		"%s; connecting again in %" PRId64 ".%03" PRId64 " s", error->text, delay / 1000,
		delay % 1000);
	until = clock_now_ms() + delay;
	outcome = trouble_wait(&follow->trouble, until < end ? until : end, error);
	if (outcome == CLIENT_HANGUP)
		return hang_up(follow);
	if (outcome == CLIENT_SIGNAL) {
		client_stopped(error);
		return NEXT_FAILED;
	}
	return clock_now_ms() >= end_of_all(follow) ? NEXT_TIME : NEXT_NOW;
}

static enum follow_end run(struct follow *follow, struct error *error)
{
	static const enum follow_end ends[] = {[NEXT_ENDED] = FOLLOW_ENDED,
		[NEXT_CLOSED] = FOLLOW_CLOSED,
		[NEXT_STOPPED] = FOLLOW_STOPPED,
		[NEXT_TIME] = FOLLOW_TIME,
		[NEXT_FAILED] = FOLLOW_FAILED};
	enum next next;

	do {
		next = try_once(follow, error);
		if (next != NEXT_AGAIN)
			continue;
		follow->failures++;
		trouble_note(&follow->trouble, follow->opened != CLIENT_NEVER);
		next = may_go_on(follow, error) ? wait_for_next(follow, error) : NEXT_FAILED;
	} while (next == NEXT_NOW);
	if (next != NEXT_TIME && next != NEXT_FAILED)
		*error = (struct error){0};
	return ends[next];
}

static void set_up(struct follow *follow)
{
	CURL *easy = follow->client->easy;

	curl_easy_setopt(easy, CURLOPT_URL, follow->url->url);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(easy, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, follow);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, follow);
}

enum follow_end follow_run(struct client *client, const struct client_url *url,
	const struct follow_options *options, const struct follow_sink *sink, void *context,
	struct error *error)
{
	const struct sse_callbacks callbacks = {.event = on_event,
		.comment = sink->comment != NULL ? on_comment : NULL,
		.retry = on_retry};
	struct follow follow = {.client = client,
		.url = url,
		.options = options,
		.sink = sink,
		.context = context,
		.subscribe = {.client = client,
			.url = url,
			.body = options->body,
			.body_len = options->body_len,
			.body_type = options->body_type,
			.accept = framing_accept(options->lines)}};
	static const struct trouble_words words = {
		"no stream", "the stream is open", "the stream is back"};
	enum follow_end end = FOLLOW_FAILED;

	*error = (struct error){0};
	if ((options->falls_back || options->polls) && options->body == NULL &&
		client->options->method == NULL)
		fallback_init(&follow.fallback, client, url, options->until);
	if (options->polls)
		fallback_start(&follow.fallback, options->read_timeout);
	backoff_init(&follow.backoff, options->delay, DELAY_MAX);
	trouble_init(&follow.trouble, client, &words);
	client_answer_init(&follow.answer);
	if (!framing_open(&follow.framing, &callbacks, &follow, options->last_id)) {
		error_set(error, EX_OSERR, "out of memory");
	} else {
		set_up(&follow);
		end = run(&follow, error);
	}
	framing_free(&follow.framing);
	fallback_free(&follow.fallback);
	client_answer_free(&follow.answer);
	client_url_free(&follow.source);
	return end;
}
