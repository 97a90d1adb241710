/* SPDX-License-Identifier: MIT */
/* What an attempt brings: a head, a stream and its end; see follow_state.h. */
#include <inttypes.h>
#include <sysexits.h>

#include "clock.h"
#include "closing.h"
#include "denied.h"
#include "follow_state.h"

/* How late two heartbeats may be (ms). */
#define LATE_MS 5000

/* How long the body of a refusal may take; only its reason is wanted (ms). */
#define REFUSAL_MS 5000

/* As many as browsers follow (Fetch, section 4.4). */
#define REDIRECTS_MAX 20L

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
	if (follow->host.again != NULL && follow->host.again(follow->host.context))
		follow->hung_up = true;
	return !follow->stopped && !follow->hung_up;
}

static void on_retry(void *context, uint64_t ms)
{
	struct follow *follow = context;
	int64_t delay = ms > FOLLOW_DELAY_ASKED_MAX ? FOLLOW_DELAY_ASKED_MAX : (int64_t)ms;

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

int64_t follow_end_of_all(const struct follow *follow)
{
	return follow->options->until != NULL ? *follow->options->until : CLIENT_NEVER;
}

/* One heartbeat that is late is no outage yet.  What holds streams back holds heartbeats back. */
int64_t follow_patience(const struct follow *follow)
{
	int64_t heartbeat = follow_heartbeat(follow);

	if (follow->options->read_timeout > 0 || heartbeat == 0)
		return follow->options->read_timeout;
	return 2 * heartbeat + LATE_MS;
}

void follow_expect(struct follow *follow, int64_t ms)
{
	int64_t until = client_after(ms), end = follow_end_of_all(follow);

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
	follow->heard = clock_now_ms();
	if (follow->host.hears != NULL)
		follow->host.hears(follow->host.context);
	fallback_quiet(&follow->fallback);
	result = framing_feed(&follow->framing, data, len, &used);
	if (!take_piece(follow, data, used, result))
		return false;
	/* The sink may have taken its time, and moved the end of all. */
	follow_expect(follow, follow_patience(follow));
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
	if (follow->host.works != NULL)
		follow->host.works(follow->host.context);
	follow->opened = follow->heard = clock_now_ms();
	follow->heartbeat = follow->answer.heartbeat;
	if (fallback_opens(&follow->fallback) && follow->sink->opened != NULL)
		follow->stopped = !follow->sink->opened(
			follow->context, &follow->answer, !follow->framing.kind->has_ids);
	follow_expect(follow, follow->options->read_timeout);
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
	follow_expect(follow, redirect ? follow->options->read_timeout : REFUSAL_MS);
	return !redirect || subscribe_redirect(&follow->subscribe, answer,
				    framing_last_id(&follow->framing), &follow->broken) == 0
		       ? len
		       : 0;
}

/* --- its begin and end ------------------------------------------------------------------------ */

void follow_stream_end(struct follow *follow, bool whole)
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

bool follow_stream_open(struct follow *follow)
{
	CURL *easy = follow->client->easy;

	follow->callbacks = (struct sse_callbacks){.event = on_event,
		.comment = follow->sink->comment != NULL ? on_comment : NULL,
		.retry = on_retry};
	curl_easy_setopt(easy, CURLOPT_URL, follow->url->url);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(easy, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, follow);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, follow);
	return framing_open(&follow->framing, &follow->callbacks, follow, follow->options->last_id);
}
