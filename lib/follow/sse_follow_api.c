/* SPDX-License-Identifier: MIT */
/* The library's interface to a follower; see sse_follow.h. */
#include <curl/curl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "clock.h"
#include "closing.h"
#include "event_type.h"
#include "follow.h"
#include "gap.h"
#include "sse_follow.h"
#include "sse_follow_options.h"

static const char no_memory[] = "out of memory";
static const char default_agent[] = "libsse-follow/" SSE_TOOLS_VERSION;

struct sse_follow {
	sse_follow_callback *callback;
	void *context;
	char *target; /* the URL as it was given */
	struct sse_follow_options options;
	struct client client;
	struct client_url url;
	struct follow *follow; /* NULL before the first step */
	struct error error;
	enum sse_follow_state state;
	atomic_bool stops;
	bool open; /* the callback was told so, and of no trouble since */
	int64_t until;
};

/* --- what the callback is told ---------------------------------------------------------------- */

static bool tell(struct sse_follow *follow, const struct sse_item *item)
{
	if (!atomic_load(&follow->stops) && !follow->callback(follow->context, item))
		sse_follow_stop(follow);
	return !atomic_load(&follow->stops);
}

static bool on_event(void *context, const struct sse_event *event, const char *origin)
{
	struct sse_item item = {.kind = SSE_ITEM_EVENT,
		.type = event->type,
		.data = event->data,
		.id = event->id,
		.has_id = event->has_id,
		.origin = origin,
		.text = ""};
	struct buf sentence;
	bool goes_on;

	buf_init(&sentence, 4096);
	if (event_type_is_mark(event)) {
		item.kind = SSE_ITEM_UPTODATE;
	} else if (closing_read(event)) {
		item.kind = SSE_ITEM_CLOSED;
	} else if (gap_read(event, &sentence) && buf_add_byte(&sentence, '\0')) {
		item.kind = SSE_ITEM_GAP;
		item.text = sentence.data;
	}
	goes_on = tell(context, &item);
	buf_free(&sentence);
	return goes_on;
}

/* All polls that take the place of a stream are one. */
static void on_works(void *context)
{
	const struct sse_item item = {.kind = SSE_ITEM_OPEN, .origin = "", .text = ""};
	struct sse_follow *follow = context;

	if (!follow->open)
		tell(follow, &item);
	follow->open = true;
}

static void on_pause(void *context, bool stream, const struct error *reason, int64_t ms)
{
	const struct sse_item item = {
		.kind = SSE_ITEM_TROUBLE, .origin = "", .text = reason->text, .wait_ms = ms};
	struct sse_follow *follow = context;

	(void)stream;
	follow->open = false;
	tell(follow, &item);
}

static bool on_denial(void *context, const struct error *reason)
{
	const struct sse_item item = {.kind = SSE_ITEM_DENIED, .origin = "", .text = reason->text};
	struct sse_follow *follow = context;
	unsigned before = follow->options.tokens;

	return tell(follow, &item) && follow->options.tokens != before;
}

/* --- from begin to end ------------------------------------------------------------------------ */

struct sse_follow *sse_follow_new(const char *url, sse_follow_callback *callback, void *context)
{
	struct sse_follow *follow = calloc(1, sizeof(*follow));

	if (follow == NULL)
		return NULL;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(follow);
		return NULL;
	}
	follow->callback = callback;
	follow->context = context;
	sse_follow_options_init(&follow->options);
	follow->target = strdup(url != NULL ? url : "");
	if (follow->target != NULL && client_init(&follow->client, NULL, &follow->options.client,
					      NULL, &follow->error) == 0)
		return follow;
	sse_follow_free(follow);
	return NULL;
}

void sse_follow_free(struct sse_follow *follow)
{
	if (follow == NULL)
		return;
	follow_free(follow->follow);
	client_free(&follow->client);
	client_url_free(&follow->url);
	sse_follow_options_free(&follow->options);
	free(follow->target);
	free(follow);
	curl_global_cleanup();
}

/* The first step.  False with the error. */
static bool start(struct sse_follow *follow)
{
	static const struct follow_sink sink = {.event = on_event};
	const struct follow_host host = {
		.works = on_works, .pauses = on_pause, .renews = on_denial, .context = follow};
	struct sse_follow_options *options = &follow->options;
	const char *agent = options->agent != NULL ? options->agent : default_agent;
	char shown[CLIENT_URL_TEXT];

	if (!client_url_is(follow->target)) {
		error_set(&follow->error, EX_USAGE,
			"'%.200s' is not a usable URL: it must begin with http:// or https://",
			client_url_text(follow->target, shown));
		return false;
	}
	follow->until = client_after(options->time);
	options->follow.until = &follow->until;
	if (client_url_set(&follow->url, follow->target, NULL, &follow->error) != 0 ||
		client_configure(&follow->client, agent, &follow->error) != 0)
		return false;
	follow->follow = follow_new(&follow->client, &follow->url, &options->follow, &sink, &host,
		follow, &follow->error);
	return follow->follow != NULL;
}

static enum sse_follow_state state_of(enum follow_end end, const struct error *error)
{
	static const enum sse_follow_state states[] = {[FOLLOW_ON] = SSE_FOLLOW_ON,
		[FOLLOW_ENDED] = SSE_FOLLOW_ENDED,
		[FOLLOW_CLOSED] = SSE_FOLLOW_CLOSED,
		[FOLLOW_STOPPED] = SSE_FOLLOW_STOPPED,
		[FOLLOW_TIME] = SSE_FOLLOW_TIME,
		[FOLLOW_FAILED] = SSE_FOLLOW_FAILED};

	return end == FOLLOW_FAILED && error->status == EX_NOPERM ? SSE_FOLLOW_DENIED : states[end];
}

/* Do what can be done without waiting. */
static enum sse_follow_state advance(struct sse_follow *follow)
{
	enum follow_end end;

	if (follow->state != SSE_FOLLOW_ON)
		return follow->state;
	if (follow->follow == NULL && !start(follow)) {
		follow->state = SSE_FOLLOW_FAILED;
		return follow->state;
	}
	end = atomic_load(&follow->stops) ? follow_stop(follow->follow)
					  : follow_step(follow->follow);
	follow->error = *follow_error(follow->follow);
	follow->state = state_of(end, &follow->error);
	return follow->state;
}

/* The milliseconds until the next step is due, at most until ${until}. */
static int ms_left(const struct sse_follow *follow, int64_t until)
{
	int64_t due = follow->follow != NULL ? follow_due(follow->follow) : 0, left;

	if (atomic_load(&follow->stops) || follow->state != SSE_FOLLOW_ON)
		return 0;
	due = due < until ? due : until;
	left = due - clock_now_ms();
	return left < 0 ? 0 : left < 3600000 ? (int)left : 3600000;
}

enum sse_follow_state sse_follow_step(struct sse_follow *follow, int timeout_ms)
{
	int64_t until;

	if (follow == NULL)
		return SSE_FOLLOW_FAILED;
	until = timeout_ms < 0 ? CLIENT_NEVER : clock_now_ms() + timeout_ms;
	if (advance(follow) != SSE_FOLLOW_ON || timeout_ms == 0)
		return follow->state;
	curl_multi_poll(follow->client.multi, NULL, 0, ms_left(follow, until), NULL);
	return advance(follow);
}

enum sse_follow_state sse_follow_run(struct sse_follow *follow)
{
	enum sse_follow_state state;

	while ((state = sse_follow_step(follow, -1)) == SSE_FOLLOW_ON)
		;
	return state;
}

void sse_follow_stop(struct sse_follow *follow)
{
	if (follow == NULL)
		return;
	atomic_store(&follow->stops, true);
	curl_multi_wakeup(follow->client.multi);
}

/* --- a loop of the caller's -------------------------------------------------------------------- */

#if LIBCURL_VERSION_NUM >= 0x080800
/* The most descriptors that are told: a follower has one or two, and some while it connects. */
#define FDS_MAX 64

static size_t list_fds(CURLM *multi, struct pollfd *fds, size_t room)
{
	struct curl_waitfd waits[FDS_MAX];
	unsigned count = 0;

	if (curl_multi_waitfds(multi, waits, FDS_MAX, &count) != CURLM_OK)
		return 0;
	for (size_t i = 0; i < count && i < room; i++) {
		int events = ((waits[i].events & CURL_WAIT_POLLIN) != 0 ? POLLIN : 0) |
			     ((waits[i].events & CURL_WAIT_POLLPRI) != 0 ? POLLPRI : 0) |
			     ((waits[i].events & CURL_WAIT_POLLOUT) != 0 ? POLLOUT : 0);

		fds[i] = (struct pollfd){.fd = waits[i].fd, .events = (short)events};
	}
	return count;
}
#else
/* This libcurl tells only of descriptors below FD_SETSIZE. */
static size_t list_fds(CURLM *multi, struct pollfd *fds, size_t room)
{
	fd_set in, out, other;
	size_t count = 0;
	int max = -1;

	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&other);
	if (curl_multi_fdset(multi, &in, &out, &other, &max) != CURLM_OK)
		return 0;
	for (unsigned fd = 0; (int)fd <= max; fd++) {
		int events = (FD_ISSET(fd, &in) ? POLLIN : 0) | (FD_ISSET(fd, &out) ? POLLOUT : 0) |
			     (FD_ISSET(fd, &other) ? POLLPRI : 0);

		if (events != 0 && count++ < room)
			fds[count - 1] = (struct pollfd){.fd = (int)fd, .events = (short)events};
	}
	return count;
}
#endif

size_t sse_follow_fds(struct sse_follow *follow, struct pollfd *fds, size_t room, int *timeout_ms)
{
	bool pausing;
	size_t count;
	long timeout = -1;

	*timeout_ms = 0;
	if (follow == NULL || follow->follow == NULL || follow->state != SSE_FOLLOW_ON)
		return 0;
	count = list_fds(follow->client.multi, fds, room);
	pausing = follow_is_pausing(follow->follow);
	curl_multi_timeout(follow->client.multi, &timeout);
	/* libcurl's own advice where it has no descriptor to tell of. */
	if (count == 0 && !pausing && (timeout < 0 || timeout > 100))
		timeout = 100;
	*timeout_ms = ms_left(follow, timeout < 0 ? CLIENT_NEVER : clock_now_ms() + timeout);
	return count;
}

/* --- options and errors ------------------------------------------------------------------------ */

bool sse_follow_set_text(
	struct sse_follow *follow, enum sse_follow_option option, const char *value)
{
	if (follow == NULL)
		return false;
	follow->error = (struct error){0};
	return sse_follow_options_text(
		&follow->options, option, value, follow->follow != NULL, &follow->error);
}

bool sse_follow_set_number(struct sse_follow *follow, enum sse_follow_option option, int64_t value)
{
	if (follow == NULL)
		return false;
	follow->error = (struct error){0};
	return sse_follow_options_number(
		&follow->options, option, value, follow->follow != NULL, &follow->error);
}

struct sse_text sse_follow_last_id(const struct sse_follow *follow)
{
	const char *given = follow != NULL ? follow->options.follow.last_id : NULL;

	if (follow != NULL && follow->follow != NULL)
		return follow_last_id(follow->follow);
	return (struct sse_text){given, given != NULL ? strlen(given) : 0};
}

const char *sse_follow_error(const struct sse_follow *follow)
{
	if (follow == NULL)
		return no_memory;
	return follow->error.status != 0 ? follow->error.text : "";
}

long sse_follow_http_status(const struct sse_follow *follow)
{
	return follow != NULL && follow->follow != NULL ? follow_status(follow->follow) : 0;
}
