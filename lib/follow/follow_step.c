/* SPDX-License-Identifier: MIT */
/* Connections, their ends, and the pauses between them; see follow.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "clock.h"
#include "follow_state.h"
#include "judge.h"

/* The longest pause that growing makes (ms). */
#define DELAY_MAX 30000

/* A stream that lasted as long was no failure (ms). */
#define LASTING_MS 60000

/* The step after an attempt, or after a look at it. */
enum next {
	NEXT_GOES_ON,
	NEXT_AGAIN,
	NEXT_NOW,
	NEXT_ENDED,
	NEXT_CLOSED,
	NEXT_STOPPED,
	NEXT_TIME,
	NEXT_FAILED,
};

/* --- the end of an attempt -------------------------------------------------------------------- */

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
		.embedded = follow->client->options->embedded,
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
static enum next take_stream_end(struct follow *follow, CURLcode code)
{
	struct error failure;
	struct judge_attempt attempt = describe(follow, code, &failure);

	follow_stream_end(follow, code == CURLE_OK);
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
	return next_of(judge_stream(&attempt, &follow->error));
}

/* Was the refused token replaced, so that there may be a next attempt, and when? */
static enum next next_of_refusal(const struct follow *follow, const struct error *reason)
{
	if (!follow->options->reconnect)
		return NEXT_FAILED;
	if (client_renews(follow->client, reason))
		return NEXT_NOW;
	return reason->status == EX_NOPERM && follow->host.renews != NULL &&
			       follow->host.renews(follow->host.context, reason)
		       ? NEXT_AGAIN
		       : NEXT_FAILED;
}

/* There was no stream. */
static enum next take_answer(struct follow *follow, CURLcode code)
{
	struct error failure;
	struct judge_attempt attempt = describe(follow, code, &failure);
	enum judge_next next = judge_answer(&attempt, &follow->error);

	if (next == JUDGE_ENDED) {
		client_say(
			follow->client, CLIENT_EXPLAIN, "204, the server has nothing more to send");
		return NEXT_CLOSED;
	}
	return next == JUDGE_FAILED ? next_of_refusal(follow, &follow->error) : next_of(next);
}

/* The stream cannot be read on. */
static enum next take_broken(struct follow *follow)
{
	enum next next;

	follow->error = follow->broken;
	next = next_of_refusal(follow, &follow->error);
	if (next == NEXT_FAILED)
		return next;
	follow_stream_end(follow, false);
	return follow->stopped ? NEXT_STOPPED : next;
}

/* The moment came at which the attempt is given up. */
static enum next take_time(struct follow *follow)
{
	bool stream = follow->opened != CLIENT_NEVER;
	struct error failure;
	struct judge_attempt attempt = describe(follow, CURLE_OK, &failure);

	if (clock_now_ms() >= follow_end_of_all(follow)) {
		if (!stream && follow->error.status == 0)
			error_set(&follow->error, EX_TEMPFAIL, "no stream from %.200s yet",
				follow->url->shown);
		else if (stream)
			follow->error = (struct error){0};
		return NEXT_TIME;
	}
	follow->silent = true;
	follow_stream_end(follow, false);
	if (follow->stopped)
		return NEXT_STOPPED;
	return next_of(judge_silence(&attempt, stream, follow_patience(follow), &follow->error));
}

/* The next attempt counts as the first. */
static enum next hang_up(struct follow *follow)
{
	follow_stream_end(follow, false);
	follow->failures = 0;
	backoff_reset(&follow->backoff);
	return follow->stopped ? NEXT_STOPPED : NEXT_NOW;
}

/* The transfer is over, with ${code}. */
static enum next take_end(struct follow *follow, CURLcode code)
{
	follow->code = code;
	if (follow->stopped)
		return NEXT_STOPPED;
	if (follow->hung_up)
		return hang_up(follow);
	if (follow->broken.status != 0)
		return take_broken(follow);
	return follow->opened != CLIENT_NEVER ? take_stream_end(follow, code)
					      : take_answer(follow, code);
}

/* --- one attempt ------------------------------------------------------------------------------ */

static enum next begin(struct follow *follow)
{
	struct client *client = follow->client;

	client_answer_free(&follow->answer);
	client_answer_init(&follow->answer);
	client_url_free(&follow->source);
	client->details[0] = '\0';
	follow->opened = CLIENT_NEVER;
	follow->brought = follow->closed = follow->hung_up = follow->silent = false;
	follow->code = CURLE_OK;
	follow->broken = (struct error){0};
	follow_expect(follow, follow_patience(follow));
	if (subscribe_begin(
		    &follow->subscribe, framing_last_id(&follow->framing), &follow->error) != 0)
		return NEXT_FAILED;
	if (!fallback_attempt(&follow->fallback) ||
		curl_multi_add_handle(client->multi, client->easy) != CURLM_OK) {
		error_set(&follow->error, EX_OSERR, "out of memory");
		return NEXT_FAILED;
	}
	follow->phase = FOLLOW_RUNS;
	return NEXT_GOES_ON;
}

/* Take what libcurl says of transfers that ended.  True if the attempt's did, with *${code}. */
static bool take_messages(struct follow *follow, CURLcode *code)
{
	CURLMsg *message;
	int waiting;

	while ((message = curl_multi_info_read(follow->client->multi, &waiting)) != NULL) {
		if (message->msg != CURLMSG_DONE)
			continue;
		*code = message->data.result;
		if (message->easy_handle == follow->client->easy)
			return true;
		fallback_answered(&follow->fallback, *code);
	}
	return false;
}

/* Look at the attempt that is under way, which goes on, or is over. */
static enum next look(struct follow *follow, CURLMcode failed)
{
	CURLcode code = CURLE_FAILED_INIT;

	if (failed != CURLM_OK || take_messages(follow, &code))
		return take_end(follow, code);
	if (follow->hung_up)
		return hang_up(follow);
	if (clock_now_ms() >= follow->until)
		return take_time(follow);
	return fallback_look(&follow->fallback) &&
			       fallback_begin(&follow->fallback, follow->options->read_timeout)
		       ? NEXT_NOW
		       : NEXT_GOES_ON;
}

static void end_transfers(struct follow *follow)
{
	fallback_end(&follow->fallback);
	if (follow->phase == FOLLOW_RUNS)
		curl_multi_remove_handle(follow->client->multi, follow->client->easy);
}

/* --- from attempt to attempt ----------------------------------------------------------------- */

/* May it be tried again?  If not, the error is what to end with. */
static bool may_go_on(struct follow *follow)
{
	struct error reason = follow->error;
	int64_t max = follow->options->retry_max;

	if (!follow->options->reconnect)
		return false;
	if (max < 0 || follow->failures <= max)
		return true;
	error_set(&follow->error, EX_TEMPFAIL,
		"gave up after %" PRId64 " attempt%s in a row: %.400s", follow->failures,
		follow->failures == 1 ? "" : "s", reason.text);
	return false;
}

/* Pause before the next attempt; the error says why there has to be one. */
static void pause_now(struct follow *follow)
{
	int64_t asked = follow->answer.retry_after, end = follow_end_of_all(follow), delay;

	if (asked > FOLLOW_DELAY_ASKED_MAX)
		asked = FOLLOW_DELAY_ASKED_MAX;
	delay = backoff_within(&follow->backoff, asked, INT64_MAX);
	client_say(follow->client, CLIENT_EXPLAIN,
		"%s; connecting again in %" PRId64 ".%03" PRId64 " s", follow->error.text,
		delay / 1000, delay % 1000);
	follow->until = clock_now_ms() + delay;
	if (follow->until > end)
		follow->until = end;
	follow->phase = FOLLOW_PAUSES;
	if (follow->host.pauses != NULL)
		follow->host.pauses(follow->host.context, follow->opened != CLIENT_NEVER,
			&follow->error, delay);
}

static enum next end_pause(struct follow *follow)
{
	int64_t now = clock_now_ms();

	if (follow->hung_up)
		return hang_up(follow);
	if (now < follow->until)
		return NEXT_GOES_ON;
	return now >= follow_end_of_all(follow) ? NEXT_TIME : NEXT_NOW;
}

static void go_over(struct follow *follow, enum next next)
{
	static const enum follow_end ends[] = {[NEXT_ENDED] = FOLLOW_ENDED,
		[NEXT_CLOSED] = FOLLOW_CLOSED,
		[NEXT_STOPPED] = FOLLOW_STOPPED,
		[NEXT_TIME] = FOLLOW_TIME,
		[NEXT_FAILED] = FOLLOW_FAILED};

	follow->phase = FOLLOW_OVER;
	follow->end = ends[next];
	if (next < NEXT_TIME)
		follow->error = (struct error){0};
}

enum follow_end follow_step(struct follow *follow)
{
	CURLMcode failed;
	enum next next = NEXT_GOES_ON;
	int running;

	if (follow->phase == FOLLOW_BEGINS)
		next = begin(follow);
	if (next == NEXT_GOES_ON && follow->phase != FOLLOW_OVER) {
		/* In a pause, too: libcurl closes connections, and its time-outs are not to stay due. */
		failed = curl_multi_perform(follow->client->multi, &running);
		next = follow->phase == FOLLOW_RUNS ? look(follow, failed) : end_pause(follow);
	}
	if (next == NEXT_GOES_ON)
		return follow->end;
	end_transfers(follow);
	if (next == NEXT_AGAIN) {
		follow->failures++;
		next = may_go_on(follow) ? NEXT_AGAIN : NEXT_FAILED;
	}
	if (next == NEXT_AGAIN)
		pause_now(follow);
	else if (next == NEXT_NOW)
		follow->phase = FOLLOW_BEGINS;
	else
		go_over(follow, next);
	return follow->end;
}

enum follow_end follow_stop(struct follow *follow)
{
	if (follow->phase != FOLLOW_OVER) {
		end_transfers(follow);
		go_over(follow, NEXT_STOPPED);
	}
	return follow->end;
}

int64_t follow_due(const struct follow *follow)
{
	int64_t due = follow->phase == FOLLOW_RUNS ? fallback_due(&follow->fallback) : CLIENT_NEVER;

	if (follow->phase == FOLLOW_BEGINS || follow->phase == FOLLOW_OVER || follow->hung_up)
		return 0;
	return follow->until < due ? follow->until : due;
}

int64_t follow_heard(const struct follow *follow)
{
	return follow->phase == FOLLOW_RUNS && follow->opened != CLIENT_NEVER ? follow->heard
									      : CLIENT_NEVER;
}

int64_t follow_heartbeat(const struct follow *follow)
{
	return follow->fallback.polling ? 0 : follow->heartbeat;
}

bool follow_is_pausing(const struct follow *follow)
{
	return follow->phase == FOLLOW_PAUSES;
}

void follow_again(struct follow *follow)
{
	follow->hung_up = true;
}

const struct error *follow_error(const struct follow *follow)
{
	return &follow->error;
}

struct sse_text follow_last_id(const struct follow *follow)
{
	return framing_last_id(&follow->framing);
}

struct brief follow_brief(const struct follow *follow)
{
	struct brief brief = {.stream = follow->opened != CLIENT_NEVER,
		.silent = follow->silent,
		.code = follow->code,
		.answer = &follow->answer};

	curl_easy_getinfo(follow->client->easy, CURLINFO_OS_ERRNO, &brief.os_number);
	return brief;
}

long follow_status(const struct follow *follow)
{
	return follow->answer.status;
}

/* --- the whole -------------------------------------------------------------------------------- */

struct follow *follow_new(struct client *client, const struct client_url *url,
	const struct follow_options *options, const struct follow_sink *sink,
	const struct follow_host *host, void *context, struct error *error)
{
	struct follow *follow = calloc(1, sizeof(*follow));

	if (follow == NULL)
		goto err0;
	*follow = (struct follow){.client = client,
		.url = url,
		.options = options,
		.sink = sink,
		.host = host != NULL ? *host : (struct follow_host){0},
		.context = context,
		.subscribe = {.client = client,
			.url = url,
			.body = options->body,
			.body_len = options->body_len,
			.body_type = options->body_type,
			.accept = framing_accept(options->lines)}};
	if ((options->falls_back || options->polls) && options->body == NULL &&
		client->options->method == NULL)
		fallback_init(&follow->fallback, client, url);
	if (options->polls)
		fallback_start(&follow->fallback, options->read_timeout);
	backoff_init(&follow->backoff, options->delay, DELAY_MAX);
	client_answer_init(&follow->answer);
	if (!follow_stream_open(follow))
		goto err1;
	return follow;
err1:
	follow_free(follow);
err0:
	error_set(error, EX_OSERR, "out of memory");
	return NULL;
}

void follow_free(struct follow *follow)
{
	if (follow == NULL)
		return;
	end_transfers(follow);
	framing_free(&follow->framing);
	fallback_free(&follow->fallback);
	client_answer_free(&follow->answer);
	client_url_free(&follow->source);
	free(follow);
}
