/* SPDX-License-Identifier: MIT */
/* One POST for each event; see relay.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <openssl/evp.h>

#include "client_run.h"
#include "client_target.h"
#include "client_voice.h"
#include "clock.h"
#include "failed.h"
#include "json.h"
#include "number.h"
#include "percent.h"
#include "relay.h"

/* The pause after the first failure is at most twice the first of these, later ones grow (ms). */
#define DELAY_FIRST 500
#define DELAY_MAX 60000

/* The longest pause that a receiver can ask for (ms). */
#define DELAY_ASKED_MAX 3600000

/* How long a receiver may neither take nor send anything (s). */
#define SILENCE_MAX 30L

/* How long the body after an answer's head may take; only a refusal's words are wanted (ms). */
#define BODY_MS 3000

/* A connection that was idle for longer is not used again: the receiver may be closing it (s). */
#define IDLE_MAX 10L

/* Longer values are left out of the headers: servers accept heads of 8 KiB and more. */
#define VALUE_MAX ((size_t)2048)

/* What an attempt leads to. */
enum step { STEP_DONE, STEP_AGAIN, STEP_NOW, STEP_GONE, STEP_TIME, STEP_FAILED };

/* --- the name of an event -------------------------------------------------------------------- */

/* Can it be an id as it is?  A full stop would make what is signed ambiguous. */
static bool is_safe(struct sse_text id)
{
	for (size_t i = 0; i < id.len; i++) {
		if (id.data[i] <= ' ' || id.data[i] > '~' || id.data[i] == '.')
			return false;
	}
	return id.len <= RELAY_ID_MAX;
}

static int name_by_id(struct relay *relay, struct sse_text id, struct error *error)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned len;
	int at;

	if (is_safe(id)) {
		memcpy(relay->id, id.data, id.len);
		relay->id[id.len] = '\0';
		return 0;
	}
	if (EVP_Digest(id.data, id.len, sum, &len, EVP_sha256(), NULL) != 1)
		return error_set(error, EX_OSERR, "out of memory");
	at = sprintf(relay->id, "sha256-");
	for (unsigned i = 0; i < len; i++)
		at += sprintf(relay->id + at, "%02x", sum[i]);
	return 0;
}

/*
 * An event keeps its name over all attempts and, by its id, over restarts.  One without an id of its
 * own, or with that of the event before, gets a new name: after a restart nobody can tell whether it
 * is the same event or an equal one, and a receiver would drop the second of two with one name.
 */
static int name_event(struct relay *relay, const struct sse_event *event, struct error *error)
{
	bool own = event->has_id && event->id.len > 0 &&
		   !buf_is(&relay->last_id, event->id.data, event->id.len);

	relay->last_id.len = 0;
	if (!buf_add(&relay->last_id, event->id.data, event->id.len))
		return error_set(error, EX_OSERR, "out of memory");
	if (own)
		return name_by_id(relay, event->id, error);
	return uuid_make(&relay->uuids, clock_wall_ms(), relay->id)
		       ? 0
		       : error_set(error, EX_OSERR, "the system gives no random numbers for an id");
}

/* --- the request ----------------------------------------------------------------------------- */

/* What is sent of the event beside its data.  The texts of a struct are NUL-terminated. */
struct head {
	char timestamp[24];
	struct buf type, id, topic, signature;
	bool json;
};

static void head_free(struct head *head)
{
	buf_free(&head->type);
	buf_free(&head->id);
	buf_free(&head->topic);
	buf_free(&head->signature);
}

static bool encode(struct sse_text text, struct buf *out)
{
	return percent_encode(text.data, text.len, out) && buf_add_byte(out, '\0');
}

/* False without memory. */
static bool head_make(struct head *head, const struct relay *relay, const struct sse_event *event)
{
	const struct sse_text topic =
		relay->envelope != NULL ? relay->envelope->topic : (struct sse_text){"", 0};
	struct json_error not_json;

	*head = (struct head){
		.json = json_check(event->data.data, event->data.len, NULL, &not_json)};
	buf_init(&head->type, SIZE_MAX / 2);
	buf_init(&head->id, SIZE_MAX / 2);
	buf_init(&head->topic, SIZE_MAX / 2);
	buf_init(&head->signature, SIZE_MAX / 2);
	snprintf(head->timestamp, sizeof(head->timestamp), "%" PRId64, clock_wall_ms() / 1000);
	return encode(event->type, &head->type) && encode(event->id, &head->id) &&
	       encode(topic, &head->topic) &&
	       sign_make(&relay->sign, relay->id, head->timestamp, event->data, &head->signature) &&
	       buf_add_byte(&head->signature, '\0');
}

/* A value that a header can hold, or NULL to leave the header out. */
static const char *value(const char *text)
{
	return *text != '\0' && strlen(text) <= VALUE_MAX ? text : NULL;
}

static int set_headers(struct relay *relay, const struct sse_event *event, struct error *error)
{
	struct head head;
	int result;

	if (head_make(&head, relay, event)) {
		const struct client_header headers[] = {
			{"Content-Type",
				head.json ? "application/json" : "text/plain; charset=utf-8"},
			/* A large body does not wait to be allowed, which few servers care to do. */
			{"Expect", NULL},
			{"webhook-id", relay->id},
			{"webhook-timestamp", head.timestamp},
			{"webhook-signature", value(head.signature.data)},
			{"Idempotency-Key", relay->id},
			{"SSE-Msg-Event", value(head.type.data)},
			{"SSE-Msg-Id", value(head.id.data)},
			{"SSE-Msg-Topic", value(head.topic.data)},
			{"SSE-Msg-Url", value(relay->source)},
		};

		result = client_set_headers(
			&relay->client, headers, sizeof(headers) / sizeof(headers[0]), error);
	} else {
		result = error_set(error, EX_OSERR, "out of memory");
	}
	head_free(&head);
	return result;
}

static bool is_answered(const struct relay *relay)
{
	return relay->answer.head_ended && relay->answer.status >= 200;
}

static size_t on_header(char *line, size_t size, size_t count, void *context)
{
	struct relay *relay = context;
	int64_t until = clock_now_ms() + BODY_MS;

	client_answer_header(&relay->answer, line, size * count);
	if (is_answered(relay))
		relay->until = until < relay->end ? until : relay->end;
	return size * count;
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
	struct relay *relay = context;

	return client_answer_body(&relay->answer, data, size * count) ? size * count : 0;
}

/* --- one attempt ----------------------------------------------------------------------------- */

/* How the request logged in; only its own headers can do so. */
static enum client_login login(const struct relay *relay)
{
	enum client_login login = client_login(&relay->client);

	return login == CLIENT_LOGIN_NONE ? CLIENT_LOGIN_HEADER : login;
}

/* There was no answer; the transfer ended with ${code}. */
static void explain_failure(const struct relay *relay, CURLcode code, struct error *error)
{
	long sent = 0;

	curl_easy_getinfo(relay->client.easy, CURLINFO_REQUEST_SIZE, &sent);
	if (code == CURLE_OPERATION_TIMEDOUT && sent > 0)
		error_set(error, EX_UNAVAILABLE, "%.200s did not answer within %ld s",
			relay->url.shown, SILENCE_MAX);
	else
		client_failure_error(&relay->client,
			code == CURLE_OK || code == CURLE_WRITE_ERROR ? CURLE_GOT_NOTHING : code,
			relay->url.shown, error);
}

/*
 * Any failure may pass, as it may be the receiver's: a wrong address, a login, data that it should
 * have accepted.  Only 410 says that it wants no more.
 */
static enum step judge(struct relay *relay, CURLcode code, struct error *error)
{
	const struct client_answer *answer = &relay->answer;

	relay->why = (struct brief){
		.silent = code == CURLE_OPERATION_TIMEDOUT, .code = code, .answer = answer};
	curl_easy_getinfo(relay->client.easy, CURLINFO_OS_ERRNO, &relay->why.os_number);
	if (!is_answered(relay)) {
		explain_failure(relay, code, error);
		return STEP_AGAIN;
	}
	if (answer->status / 100 == 2) {
		client_say(&relay->client, CLIENT_EXPLAIN, "%ld, the event is delivered",
			answer->status);
		return STEP_DONE;
	}
	client_answer_error(answer, login(relay), relay->url.shown, error);
	return answer->status == 410 ? STEP_GONE : STEP_AGAIN;
}

static enum step attempt(struct relay *relay, const struct sse_event *event, struct error *error)
{
	struct client *client = &relay->client;
	CURLcode code = CURLE_OK;
	enum client_outcome outcome;

	client_answer_free(&relay->answer);
	client_answer_init(&relay->answer);
	client->details[0] = '\0';
	relay->until = relay->end;
	if (client_begin(client, error) != 0 || set_headers(relay, event, error) != 0)
		return STEP_FAILED;
	curl_easy_setopt(client->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)event->data.len);
	curl_easy_setopt(
		client->easy, CURLOPT_POSTFIELDS, event->data.len > 0 ? event->data.data : "");
	client_say(client, CLIENT_EXPLAIN, "POST %s, %zu bytes, webhook-id %s", relay->url.shown,
		event->data.len, relay->id);
	outcome = client_run(client->multi, client->easy, &relay->until, &code);
	/* What is answered is done, also if a signal or the end came meanwhile. */
	if (outcome == CLIENT_DONE || is_answered(relay))
		return judge(relay, code, error);
	if (outcome == CLIENT_HANGUP)
		return STEP_NOW;
	if (outcome == CLIENT_TIME) {
		error_set(error, EX_TEMPFAIL, "no answer from %.200s yet", relay->url.shown);
		return STEP_TIME;
	}
	client_stopped(error);
	return STEP_FAILED;
}

/* --- from attempt to attempt ----------------------------------------------------------------- */

/* Pause before the next attempt; ${reason} says why there has to be one. */
static enum step wait_for_next(struct relay *relay, int64_t give_up_at, struct error *reason)
{
	int64_t asked = relay->answer.retry_after, now = clock_now_ms(), delay, until;

	if (asked > DELAY_ASKED_MAX)
		asked = DELAY_ASKED_MAX;
	delay = backoff_within(&relay->backoff, asked, give_up_at - now);
	if (delay < 0)
		return STEP_GONE;
	until = now + delay;
	trouble_note(&relay->trouble, false, &relay->why, until);
	client_say(&relay->client, CLIENT_EXPLAIN,
		"%s; trying again in %" PRId64 ".%03" PRId64 " s", reason->text, delay / 1000,
		delay % 1000);
	switch (trouble_wait(&relay->trouble, until < relay->end ? until : relay->end, reason)) {
	case CLIENT_SIGNAL:
		client_stopped(reason);
		return STEP_FAILED;
	case CLIENT_HANGUP:
		return STEP_NOW;
	case CLIENT_TIME:
	case CLIENT_DONE:
		break;
	}
	return clock_now_ms() >= relay->end ? STEP_TIME : STEP_NOW;
}

static int give_up(const struct relay *relay, const struct sse_event *event, const char *origin,
	const struct error *reason, struct error *error)
{
	const char *file = relay->options->failed;

	if (file == NULL)
		return error_set(error, EX_TEMPFAIL,
			"the event %s was not delivered, and no file of --failed takes it: %.200s",
			relay->id, reason->text);
	if (failed_append(file, event, origin, relay->id, reason, error) != 0)
		return -1;
	client_say(&relay->client, CLIENT_WARN,
		"the event %s was not delivered, it is in %.200s: %s", relay->id, file,
		reason->text);
	return 0;
}

void relay_about(struct relay *relay, const struct envelope *envelope)
{
	relay->envelope = envelope;
}

int relay_event(
	struct relay *relay, const struct sse_event *event, const char *origin, struct error *error)
{
	int64_t give_up_at = clock_now_ms() + relay->options->give_up;
	struct error reason = {0};

	if (name_event(relay, event, error) != 0)
		return -1;
	backoff_reset(&relay->backoff);
	for (;;) {
		enum step step = attempt(relay, event, &reason);

		if (step == STEP_AGAIN)
			step = wait_for_next(relay, give_up_at, &reason);
		switch (step) {
		case STEP_AGAIN:
		case STEP_NOW:
			break;
		case STEP_DONE:
			trouble_over(&relay->trouble);
			return 0;
		case STEP_GONE:
			return give_up(relay, event, origin, &reason, error);
		case STEP_TIME:
			return error_set(error, EX_TEMPFAIL,
				"the time of --timeout is up, and an event is not delivered: %.300s",
				reason.text);
		case STEP_FAILED:
			*error = reason;
			return -1;
		}
	}
}

/* --- opening and closing --------------------------------------------------------------------- */

static int load_keys(struct relay *relay, struct error *error)
{
	const char *path = relay->options->sign_key;
	bool exposed = false;

	if (path == NULL)
		return 0;
	if (sign_open(&relay->sign, path, relay->end, &exposed, error) != 0)
		return -1;
	if (exposed)
		client_say(&relay->client, CLIENT_WARN,
			"other users of this machine can read the keys in %.200s: chmod 600 protects them",
			path);
	return 0;
}

static void set_up(struct relay *relay)
{
	CURL *easy = relay->client.easy;

	curl_easy_setopt(easy, CURLOPT_URL, relay->url.url);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	/* A redirect is a failure: a POST that another server gets was not meant for it. */
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, SILENCE_MAX);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, IDLE_MAX);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, relay);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, relay);
}

int relay_open(struct relay *relay, const char *program, const struct relay_options *options,
	const struct client_options *common, const char *source, const char *last_id, int64_t end,
	struct error *error)
{
	static const struct trouble_words words = {
		"no delivery", "deliveries work", "deliveries work again"};

	*relay = (struct relay){.options = options,
		.requests = {.headers = options->headers,
			.proxy = common->proxy,
			.cacert = common->cacert,
			.connect_timeout = common->connect_timeout,
			.quiet = common->quiet,
			.verbose = common->verbose},
		.source = source,
		.end = end};
	client_answer_init(&relay->answer);
	buf_init(&relay->last_id, SIZE_MAX / 2);
	backoff_init(&relay->backoff, DELAY_FIRST, DELAY_MAX);
	if (!buf_add_text(&relay->last_id, last_id))
		return error_set(error, EX_OSERR, "out of memory");
	if (client_target_make(options->target, CLIENT_TOPIC, NULL, &relay->url, error) != 0 ||
		client_open(&relay->client, program, &relay->requests, error) != 0 ||
		load_keys(relay, error) != 0 ||
		(options->failed != NULL && failed_check(options->failed, error) != 0))
		return -1;
	trouble_init(&relay->trouble, &relay->client, &words, relay->url.origin);
	set_up(relay);
	return 0;
}

void relay_close(struct relay *relay)
{
	client_close(&relay->client);
	client_url_free(&relay->url);
	client_answer_free(&relay->answer);
	sign_close(&relay->sign);
	buf_free(&relay->last_id);
}
