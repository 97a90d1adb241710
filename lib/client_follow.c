/* SPDX-License-Identifier: MIT */
/* Connections, their ends, and the pauses between them; see client_follow.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "backoff.h"
#include "client_follow.h"
#include "client_run.h"
#include "number.h"

/* The longest pause that growing makes, and the longest that a server can ask for (ms). */
#define DELAY_MAX 30000
#define DELAY_ASKED_MAX 3600000

/* Trouble that lasts longer is told, and a stream that lasted as long was no failure (ms). */
#define TROUBLE_MS 10000
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
	struct sse_parser *parser;
	struct backoff backoff;
	int64_t failures;      /* attempts in a row that brought no event */
	int64_t trouble_since; /* when the stream was lost; CLIENT_NEVER while all is well */
	int64_t attempts;      /* that brought no stream since then */
	bool trouble_told;
	bool ever_opened;
	bool id_told; /* that an id cannot be sent */

	/* Of this attempt: */
	struct client_answer answer;
	struct client_url source; /* where redirects led to; its origin is the events' */
	const char *method;	  /* what redirects left of it; NULL for a GET */
	int64_t until;		  /* when it is given up; what comes moves this */
	int64_t opened;		  /* when the stream began; CLIENT_NEVER before */
	bool brought;		  /* the stream brought anything */
	bool stopped;		  /* by the sink */
	bool hung_up;		  /* by SIGHUP, amid a piece */
	struct error broken;	  /* the stream cannot be read on; status 0 if it can */
};

/* What is to happen after an attempt. */
enum next { NEXT_AGAIN, NEXT_NOW, NEXT_ENDED, NEXT_STOPPED, NEXT_TIME, NEXT_FAILED };

/* --- what the stream brings ------------------------------------------------------------------ */

static bool on_event(void *context, const struct sse_event *event)
{
	struct follow *follow = context;

	if (follow->failures > 0) {
		follow->failures = 0;
		backoff_reset(&follow->backoff);
	}
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

/* The parser took this piece, with the result. */
static bool take_piece(struct follow *follow, const char *data, size_t len, enum sse_result result)
{
	if (result == SSE_TOO_LARGE)
		error_set(&follow->broken, EX_PROTOCOL, "%.200s sent an event larger than %zu MiB",
			follow->source.shown, SSE_EVENT_MAX >> 20);
	if (result == SSE_NO_MEMORY)
		error_set(&follow->broken, EX_OSERR, "out of memory");
	if (follow->sink->piece != NULL && !follow->sink->piece(follow->context, data, len,
						   sse_parser_last_id(follow->parser)))
		follow->stopped = true;
	return result == SSE_OK && !follow->stopped && !follow->hung_up;
}

static bool on_stream(struct follow *follow, const char *data, size_t len)
{
	enum sse_result result;
	size_t used;

	follow->brought = true;
	result = sse_parser_feed(follow->parser, data, len, &used);
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

static void tell_trouble_over(struct follow *follow)
{
	char text[NUMBER_TEXT];

	if (follow->trouble_told)
		client_say(follow->client, CLIENT_WARN, "the stream is %s after %s",
			follow->ever_opened ? "back" : "open",
			number_duration_text(
				(client_now() - follow->trouble_since) / 1000 * 1000, text));
	follow->trouble_since = CLIENT_NEVER;
	follow->attempts = 0;
	follow->trouble_told = false;
}

/* The head of an event stream came: from here on it is one.  False if it cannot be. */
static bool open_stream(struct follow *follow)
{
	char *source = NULL;

	if (!client_answer_is(&follow->answer, "text/event-stream"))
		return false;
	curl_easy_getinfo(follow->client->easy, CURLINFO_EFFECTIVE_URL, &source);
	if (source == NULL || client_url_set(&follow->source, source, NULL, &follow->broken) != 0 ||
		client_check_coding(follow->client, follow->url->shown, &follow->broken) != 0)
		return false;
	client_say(follow->client, CLIENT_EXPLAIN, "200, the stream is open");
	tell_trouble_over(follow);
	follow->ever_opened = true;
	follow->opened = client_now();
	if (follow->sink->opened != NULL)
		follow->sink->opened(follow->context, &follow->answer);
	expect_within(follow, follow->options->read_timeout);
	return true;
}

/* Those that mean to go elsewhere (Fetch, section 2.2.6); libcurl follows any 3xx. */
static bool is_redirect(const struct client_answer *answer)
{
	long status = answer->status;

	return answer->location[0] != '\0' &&
	       (status == 301 || status == 302 || status == 303 || status == 307 || status == 308);
}

static int set_headers(struct follow *follow, struct error *error);

/*
 * libcurl is about to follow a redirect.  What remains for us: another origin gets no secret, also
 * none in a header of another name, and a method that is not POST becomes a GET where HTTP says so
 * (Fetch, section 4.4).
 */
static bool follow_redirect(struct follow *follow)
{
	long status = follow->answer.status;
	bool post = follow->method != NULL && strcmp(follow->method, "POST") == 0;
	struct client_url target;
	char *source = NULL;
	bool away = true;

	curl_easy_getinfo(follow->client->easy, CURLINFO_EFFECTIVE_URL, &source);
	if (client_url_follow(source, follow->answer.location, &target, NULL) == 0) {
		client_say(follow->client, CLIENT_EXPLAIN, "%ld, a redirect to %s", status,
			target.shown);
		away = strcmp(target.origin, follow->url->origin) != 0;
	}
	client_url_free(&target);
	if (follow->method != NULL && (status == 303 || (post && status <= 302))) {
		follow->method = NULL;
		curl_easy_setopt(follow->client->easy, CURLOPT_CUSTOMREQUEST, NULL);
		curl_easy_setopt(follow->client->easy, CURLOPT_HTTPGET, 1L);
	}
	follow->client->stranger = follow->client->stranger || away;
	return set_headers(follow, &follow->broken) == 0;
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
	redirect = is_redirect(answer);
	if (answer->status / 100 == 3 && !redirect)
		return 0;
	/* A redirect leads on to a server that takes its own time. */
	expect_within(follow, redirect ? follow->options->read_timeout : REFUSAL_MS);
	return !redirect || follow_redirect(follow) ? len : 0;
}

/* --- one attempt ----------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool follow_id_fits(const char *id)
{
	size_t len = strlen(id);

	for (size_t i = 0; i < len; i++) {
		if (((unsigned char)id[i] < 0x20 && id[i] != '\t') || id[i] == 0x7f)
			return false;
	}
	return len <= FOLLOW_ID_MAX && (len == 0 || (!is_blank(id[0]) && !is_blank(id[len - 1]))) &&
	       sse_utf8_valid(id, len) == len;
}

/* The headers of the next request: the standard's, the body's, and the id of the last event. */
static int set_headers(struct follow *follow, struct error *error)
{
	struct client_header headers[6] = {
		{"Accept", "text/event-stream"},
		{"Cache-Control", "no-cache"},
		/* Decoded if the server compresses, but not asked for: a compressor holds back. */
		{"Accept-Encoding", NULL},
	};
	struct sse_text last = sse_parser_last_id(follow->parser);
	size_t count = 3;
	struct buf id;
	int result;

	buf_init(&id, SIZE_MAX);
	if (!buf_add(&id, last.data, last.len) || !buf_add_byte(&id, '\0')) {
		buf_free(&id);
		return error_set(error, EX_OSERR, "out of memory");
	}
	if (follow->method != NULL) {
		headers[count++] = (struct client_header){"Content-Type",
			follow->options->body != NULL ? follow->options->body_type : NULL};
		/* A large body does not wait to be allowed, which few servers care to do. */
		headers[count++] = (struct client_header){"Expect", NULL};
	}
	if (last.len > 0 && follow_id_fits(id.data)) {
		headers[count++] = (struct client_header){"Last-Event-ID", id.data};
	} else if (last.len > 0 && !follow->id_told) {
		client_say(follow->client, CLIENT_WARN,
			"the id '%.60s' cannot be sent in a header: events may be missed when connecting "
			"again",
			id.data);
		follow->id_told = true;
	}
	result = client_set_headers(follow->client, headers, count, error);
	buf_free(&id);
	return result;
}

/* The method and the body.  A body that is sent as a GET would be none. */
static int set_request(struct follow *follow, struct error *error)
{
	static const char *const with_body[] = {"POST", "PUT", "PATCH"};
	const char *method = follow->client->options->method, *body = follow->options->body;
	const char *named = NULL;
	struct sse_text last = sse_parser_last_id(follow->parser);
	CURL *easy = follow->client->easy;
	bool empty = false;

	if (method == NULL && body != NULL)
		method = "POST";
	for (size_t i = 0; i < 3 && method != NULL && body == NULL; i++)
		empty = empty || strcmp(method, with_body[i]) == 0;
	curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	if (body != NULL || empty) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
			(curl_off_t)(empty ? 0 : follow->options->body_len));
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, empty ? "" : body);
	}
	if (method != NULL && strcmp(method, "GET") == 0 && body == NULL)
		method = NULL;
	/* To libcurl it is a POST by another name, of which 301 and 302 would make a GET. */
	if (method != NULL && strcmp(method, "POST") != 0)
		named = method;
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, named);
	curl_easy_setopt(easy, CURLOPT_POSTREDIR,
		named != NULL ? (long)(CURL_REDIR_POST_301 | CURL_REDIR_POST_302) : 0L);
	follow->method = method;
	follow->client->stranger = false;
	client_say(follow->client, CLIENT_EXPLAIN, "%s %s%s%.*s", method ? method : "GET",
		follow->url->shown, last.len > 0 ? " after the id " : "", (int)last.len,
		last.data ? last.data : "");
	return set_headers(follow, error);
}

/* The stream is over: what of an event came is dropped (section 9.2.6), or handed over. */
static void end_stream(struct follow *follow)
{
	bool back = follow->options->reconnect && sse_parser_last_id(follow->parser).len > 0;
	enum sse_result result;

	if (follow->options->flush_end && follow->opened != CLIENT_NEVER) {
		result = sse_parser_feed(follow->parser, "\n\n", 2, NULL);
		take_piece(follow, "", 0, result);
	}
	if (sse_parser_end(follow->parser))
		client_say(follow->client, back ? CLIENT_EXPLAIN : CLIENT_WARN,
			"the stream ended within an event, which is dropped%s",
			back ? "" : " (--flush-eof shows it)");
}

/*
 * A stream broke, or what decompresses it could not go on; if that was so from the start, the next
 * attempt would bring the same.  CURLE_WRITE_ERROR is the decoder's, too, as what our own callbacks
 * refuse was dealt with.
 */
static enum next judge_broken(struct follow *follow, CURLcode code, struct error *error)
{
	const char *shown = follow->url->shown;

	if (code == CURLE_BAD_CONTENT_ENCODING && !follow->brought) {
		error_set(error, EX_PROTOCOL,
			"%.200s sends a stream that is not compressed as its Content-Encoding says",
			shown);
		return NEXT_FAILED;
	}
	if (code == CURLE_BAD_CONTENT_ENCODING)
		error_set(error, EX_UNAVAILABLE, "%.200s sent compressed data that is damaged",
			shown);
	else if (code == CURLE_WRITE_ERROR)
		error_set(error, EX_UNAVAILABLE,
			"%.200s sent bytes after the end of the compressed stream", shown);
	else
		client_failure_error(follow->client, code, shown, error);
	return NEXT_AGAIN;
}

/* A stream came and went. */
static enum next judge_stream(struct follow *follow, CURLcode code, struct error *error)
{
	const char *shown = follow->url->shown;

	end_stream(follow);
	if (follow->stopped)
		return NEXT_STOPPED;
	if (client_now() - follow->opened >= LASTING_MS) {
		follow->failures = 0;
		backoff_reset(&follow->backoff);
	}
	if (code == CURLE_OK) {
		error_set(error, EX_UNAVAILABLE, "%.200s ended the stream", shown);
		return follow->options->reconnect ? NEXT_AGAIN : NEXT_ENDED;
	}
	return judge_broken(follow, code, error);
}

/* There was no stream: what does the answer, or its absence, mean? */
static enum next judge_answer(struct follow *follow, CURLcode code, struct error *error)
{
	const struct client_answer *answer = &follow->answer;
	const char *shown = follow->url->shown;
	bool whole = code == CURLE_OK || code == CURLE_WRITE_ERROR;

	/* Where libcurl refused to go. */
	if (answer->head_ended && is_redirect(answer) && code == CURLE_UNSUPPORTED_PROTOCOL) {
		client_answer_error(answer, shown, error);
		return NEXT_FAILED;
	}
	if (answer->head_ended && answer->status == 101) {
		error_set(error, EX_PROTOCOL,
			"%.200s answered 101: it speaks something else than HTTP", shown);
		return NEXT_FAILED;
	}
	if (!answer->head_ended || answer->status < 200 || (!whole && answer->status < 400)) {
		client_failure_error(
			follow->client, whole ? CURLE_GOT_NOTHING : code, shown, error);
		return error->status == EX_UNAVAILABLE ? NEXT_AGAIN : NEXT_FAILED;
	}
	if (answer->status == 204) {
		client_say(
			follow->client, CLIENT_EXPLAIN, "204, the server has nothing more to send");
		return NEXT_ENDED;
	}
	if (answer->status == 200) {
		error_set(error, EX_PROTOCOL,
			"%.200s is not an event stream: its Content-Type is %s%.100s%s", shown,
			answer->type[0] ? "'" : "", answer->type[0] ? answer->type : "missing",
			answer->type[0] ? "'" : "");
		return NEXT_FAILED;
	}
	client_answer_error(answer, shown, error);
	return client_answer_again(answer) && !follow->options->refused_for_good ? NEXT_AGAIN
										 : NEXT_FAILED;
}

static enum next judge_time(struct follow *follow, struct error *error)
{
	const char *shown = follow->url->shown;
	char text[NUMBER_TEXT];

	if (client_now() >= end_of_all(follow)) {
		if (follow->opened == CLIENT_NEVER && error->status == 0)
			error_set(error, EX_TEMPFAIL, "no stream from %.200s yet", shown);
		else if (follow->opened != CLIENT_NEVER)
			*error = (struct error){0};
		return NEXT_TIME;
	}
	end_stream(follow);
	if (follow->stopped)
		return NEXT_STOPPED;
	if (follow->opened == CLIENT_NEVER && follow->answer.head_ended &&
		follow->answer.status / 100 != 3)
		return judge_answer(follow, CURLE_OK, error);
	error_set(error, EX_UNAVAILABLE, "nothing came from %.200s for %s", shown,
		number_duration_text(follow->options->read_timeout, text));
	return NEXT_AGAIN;
}

/* SIGHUP: what comes next is a first attempt again. */
static enum next hang_up(struct follow *follow)
{
	client_say(follow->client, CLIENT_EXPLAIN, "SIGHUP, connecting again");
	end_stream(follow);
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
	follow->brought = follow->hung_up = false;
	expect_within(follow, follow->options->read_timeout);
	if (set_request(follow, error) != 0)
		return NEXT_FAILED;
	switch (client_run(client->multi, client->easy, &follow->until, &code)) {
	case CLIENT_SIGNAL:
		client_stopped(error);
		return NEXT_FAILED;
	case CLIENT_HANGUP:
		return hang_up(follow);
	case CLIENT_TIME:
		return judge_time(follow, error);
	case CLIENT_DONE:
		break;
	}
	if (follow->stopped)
		return NEXT_STOPPED;
	if (follow->hung_up)
		return hang_up(follow);
	if (follow->broken.status != 0) {
		*error = follow->broken;
		return NEXT_FAILED;
	}
	return follow->opened != CLIENT_NEVER ? judge_stream(follow, code, error)
					      : judge_answer(follow, code, error);
}

/* --- from attempt to attempt ----------------------------------------------------------------- */

/* Trouble is told when it has lasted, but someone who has seen no stream yet hears at once. */
static void tell_trouble(struct follow *follow, const struct error *reason)
{
	int64_t lasted = (client_now() - follow->trouble_since) / 1000 * 1000;
	char text[NUMBER_TEXT], times[40] = "", since[40] = "yet";

	if (follow->ever_opened)
		snprintf(since, sizeof(since), "for %s", number_duration_text(lasted, text));
	if (follow->attempts > 1)
		snprintf(times, sizeof(times), " after %" PRId64 " attempts", follow->attempts);
	/* The number comes first: the end is cut off where the terminal is narrow. */
	client_status(
		follow->client, "no stream %s%s: %.400s; still trying", since, times, reason->text);
	follow->trouble_told = true;
}

/* Wait until ${moment}; when it is time to tell of trouble meanwhile, do. */
static enum client_outcome wait_until(
	struct follow *follow, int64_t moment, const struct error *reason)
{
	bool at_once = !follow->ever_opened && isatty(STDERR_FILENO);
	int64_t tell = follow->trouble_since + (at_once ? 0 : TROUBLE_MS);
	int64_t end = end_of_all(follow);
	enum client_outcome outcome;

	if (moment > end)
		moment = end;
	if (tell <= moment) {
		outcome = client_wait(tell);
		if (outcome != CLIENT_TIME)
			return outcome;
		tell_trouble(follow, reason);
	}
	return client_wait(moment);
}

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
	int64_t delay = backoff_next(&follow->backoff), asked = follow->answer.retry_after;

	if (asked > DELAY_ASKED_MAX)
		asked = DELAY_ASKED_MAX;
	if (delay < asked)
		delay = asked;
	client_say(follow->client, CLIENT_EXPLAIN,
		"%s; connecting again in %" PRId64 ".%03" PRId64 " s", error->text, delay / 1000,
		delay % 1000);
	switch (wait_until(follow, client_now() + delay, error)) {
	case CLIENT_SIGNAL:
		client_stopped(error);
		return NEXT_FAILED;
	case CLIENT_HANGUP:
		return hang_up(follow);
	case CLIENT_TIME:
	case CLIENT_DONE:
		break;
	}
	return client_now() >= end_of_all(follow) ? NEXT_TIME : NEXT_NOW;
}

static enum follow_end run(struct follow *follow, struct error *error)
{
	for (;;) {
		enum next next = try_once(follow, error);

		if (next == NEXT_AGAIN) {
			follow->failures++;
			follow->attempts += follow->opened == CLIENT_NEVER;
			if (follow->trouble_since == CLIENT_NEVER)
				follow->trouble_since = client_now();
			next = may_go_on(follow, error) ? wait_for_next(follow, error)
							: NEXT_FAILED;
		}
		switch (next) {
		case NEXT_AGAIN:
		case NEXT_NOW:
			break;
		case NEXT_ENDED:
			*error = (struct error){0};
			return FOLLOW_ENDED;
		case NEXT_STOPPED:
			*error = (struct error){0};
			return FOLLOW_STOPPED;
		case NEXT_TIME:
			return FOLLOW_TIME;
		case NEXT_FAILED:
			return FOLLOW_FAILED;
		}
	}
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
		.trouble_since = CLIENT_NEVER};
	const char *id = options->last_id;
	enum follow_end end = FOLLOW_FAILED;

	*error = (struct error){0};
	backoff_init(&follow.backoff, options->delay, DELAY_MAX);
	client_answer_init(&follow.answer);
	follow.parser = sse_parser_new(&callbacks, &follow, SSE_EVENT_MAX);
	if (follow.parser == NULL ||
		(id != NULL && !sse_parser_set_last_id(follow.parser, id, strlen(id)))) {
		error_set(error, EX_OSERR, "out of memory");
	} else {
		set_up(&follow);
		end = run(&follow, error);
	}
	sse_parser_free(follow.parser);
	client_answer_free(&follow.answer);
	client_url_free(&follow.source);
	return end;
}
