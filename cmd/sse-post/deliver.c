/* SPDX-License-Identifier: MIT */
/* Sending groups of events, and when to try again; see deliver.h. */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "body.h"
#include "clock.h"
#include "deliver.h"
#include "number.h"
#include "slot.h"
#include "verdict.h"

/* The pause before the second attempt, and the longest (ms). */
#define DELAY_FIRST 250
#define DELAY_MAX 10000

/* A person is told that an attempt waits after this long (ms). */
#define TELL_AFTER 2000

/* --- one request ----------------------------------------------------------------------------- */

static void finish(struct slot *slot, enum failure failure)
{
	slot->failure = failure;
	slot->finished = true;
}

static void attempt(struct slot *slot)
{
	slot->wake_at = CLIENT_NEVER;
	slot->tell_at = clock_now_ms() + TELL_AFTER;
	if (request_begin(&slot->request, slot->give_up_at, &slot->error) != 0) {
		finish(slot, FAILURE_NO);
		return;
	}
	if (curl_multi_add_handle(slot->deliver->multi, slot->request.client.easy) == CURLM_OK) {
		slot->active = slot->deliver->begun = true;
		return;
	}
	error_set(&slot->error, EX_SOFTWARE, "libcurl cannot start a transfer");
	finish(slot, FAILURE_NO);
}

/* How many events the next request may have; 1: a single event. */
static size_t request_max(const struct slot *slot)
{
	if (slot->to->batching != BATCHING_ALWAYS || slot->at < slot->singly)
		return 1;
	return slot->limit > 0 ? slot->limit : BODY_EVENTS_MAX;
}

/* The next request of the group, or its end. */
static void next_request(struct slot *slot)
{
	if (slot->at == slot->group->count) {
		finish(slot, FAILURE_NONE);
		return;
	}
	if (request_prepare(&slot->request, slot->to, slot->group, slot->at, request_max(slot),
		    &slot->error) != 0) {
		finish(slot, FAILURE_NO);
		return;
	}
	backoff_reset(&slot->backoff);
	slot->ambiguous = false;
	slot->give_up_at = client_after(slot->deliver->options->retry_max_time);
	attempt(slot);
}

/* --- and again ------------------------------------------------------------------------------- */

/* Put in front of the reason why it is not tried again, though there may be ${left} ms for it. */
static void give_up(struct slot *slot, int64_t left)
{
	int64_t max = slot->deliver->options->retry_max_time,
		asked = slot->request.answer.retry_after, tried = (max - left) / 1000 * 1000;
	struct error reason = slot->error;
	char text[NUMBER_TEXT];

	finish(slot, FAILURE_AWAY);
	if (max == 0 || slot->once)
		return;
	if (left > 0 && asked > left)
		error_set(&slot->error, EX_TEMPFAIL,
			"gave up, since the server asked to wait for %s: %.400s",
			number_duration_text(asked, text), reason.text);
	else
		error_set(&slot->error, EX_TEMPFAIL, "gave up after %s: %.400s",
			number_duration_text(tried > max ? tried : max, text), reason.text);
}

static void pause_or_give_up(struct slot *slot)
{
	bool retries = slot->give_up_at != CLIENT_NEVER;
	int64_t left = retries ? slot->give_up_at - clock_now_ms() : 0;
	int64_t delay = backoff_within(&slot->backoff, slot->request.answer.retry_after, left);

	if (delay < 0 || slot->once) {
		give_up(slot, left);
		return;
	}
	destination_tell_trouble(slot->to, &slot->request.client, slot->error.text, left);
	client_say(&slot->request.client, CLIENT_EXPLAIN, "%s; trying again in %lld.%03lld s",
		slot->error.text, (long long)delay / 1000, (long long)delay % 1000);
	slot->wake_at = clock_now_ms() + delay;
}

/* The server has the events of the request. */
static void accept_events(struct slot *slot)
{
	slot->listener->accepted(slot->listener->context, slot, slot->at, slot->request.count);
	slot->at += slot->request.count;
	slot->limit = 0;
	slot->ambiguous = false;
}

/* The request came to an end. */
static void take_verdict(struct slot *slot, enum verdict verdict)
{
	if ((verdict == VERDICT_AGAIN || verdict == VERDICT_AWAY) &&
		slot->request.answer.retry_after > 0)
		slot->to->not_before = clock_now_ms() + slot->request.answer.retry_after;
	switch (verdict) {
	case VERDICT_ACCEPTED:
		slot_learn(slot);
		accept_events(slot);
		next_request(slot);
		break;
	case VERDICT_DOUBTFUL:
		accept_events(slot);
		finish(slot, FAILURE_NO);
		break;
	case VERDICT_OTHERWISE:
		slot_split_batch(slot);
		client_say(&slot->request.client, CLIENT_EXPLAIN, "%s; sending the batch in parts",
			slot->error.text);
		next_request(slot);
		break;
	case VERDICT_REFUSED:
		if (!slot->listener->refused(slot->listener->context, slot, &slot->error)) {
			finish(slot, FAILURE_REFUSED);
			break;
		}
		slot->at++;
		slot->limit = 0;
		next_request(slot);
		break;
	case VERDICT_AGAIN:
		pause_or_give_up(slot);
		break;
	case VERDICT_AWAY:
		finish(slot, FAILURE_AWAY);
		break;
	case VERDICT_DENIED:
		/* Sending again is safe: the request was not taken up. */
		if (client_renews(&slot->request.client, &slot->error))
			attempt(slot);
		else
			finish(slot, FAILURE_DENIED);
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
	curl_multi_remove_handle(slot->deliver->multi, slot->request.client.easy);
	slot->active = false;
}

/* No answer in time; but a head without the end of its body is an answer. */
static void run_out_of_time(struct slot *slot)
{
	end_transfer(slot);
	if (request_is_answered(&slot->request)) {
		take_verdict(
			slot, slot_judge(slot, CURLE_OPERATION_TIMEDOUT, slot->deliver->spools));
		return;
	}
	request_silence_error(slot->to->url.shown, slot->request.begun, &slot->error);
	take_verdict(slot, slot_judge_failure(slot, VERDICT_BROKEN));
}

/* Break the transfer off.  Return whether its events may or may not have been stored for good. */
static bool break_off(struct slot *slot)
{
	bool accepted = false;

	end_transfer(slot);
	if (request_is_answered(&slot->request) && slot->request.answer.status < 300)
		accepted = slot_judge(slot, CURLE_OPERATION_TIMEDOUT, slot->deliver->spools) ==
			   VERDICT_ACCEPTED;
	if (client_signal() != 0)
		client_stopped(&slot->error);
	else
		error_set(&slot->error, EX_TEMPFAIL, "the time of --timeout is up");
	if (!accepted)
		return slot_judge_failure(slot, VERDICT_STOPPED) == VERDICT_UNKNOWN;
	accept_events(slot);
	return false;
}

static void abort_slot(struct slot *slot)
{
	bool unknown = false;

	if (slot->group == NULL || slot->finished)
		return;
	if (slot->active) {
		unknown = break_off(slot);
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

void deliver_abort(struct deliver *deliver)
{
	for (size_t i = 0; i < deliver->count; i++)
		abort_slot(&deliver->slots[i]);
}

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
		take_verdict(slot, slot_judge(slot, code, slot->deliver->spools));
	}
}

/* The attempt goes on, and has no answer for a while. */
static void tell_of_silence(struct slot *slot, int64_t now)
{
	slot->tell_at = CLIENT_NEVER;
	if (!request_is_answered(&slot->request))
		destination_tell_silence(
			slot->to, &slot->request.client, slot->request.until - now);
}

/* What time brings to the slot; return the next moment that brings something. */
static int64_t take_due_of(struct slot *slot)
{
	int64_t now = clock_now_ms();

	if (slot->active && now >= slot->request.until && now < slot->deliver->until)
		run_out_of_time(slot);
	else if (slot->active && now >= slot->tell_at)
		tell_of_silence(slot, now);
	else if (!slot->active && now >= slot->wake_at)
		attempt(slot);
	if (slot->finished)
		return now;
	if (!slot->active)
		return slot->wake_at;
	return clock_earlier(slot->request.until, slot->tell_at);
}

/* What time brings; return the next moment that brings something. */
static int64_t take_due(struct deliver *deliver)
{
	int64_t next = CLIENT_NEVER;

	for (size_t i = 0; i < deliver->count; i++) {
		struct slot *slot = &deliver->slots[i];
		bool waits = slot->group != NULL && !slot->finished;
		int64_t due = waits ? take_due_of(slot) : CLIENT_NEVER;

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
		if (deliver_has_finished(deliver))
			return CLIENT_DONE;
	} while (deliver->begun);
	if (until < next)
		next = until;
	if (deliver->until < next)
		next = deliver->until;
	return client_poll(deliver->multi, fd, next);
}

static struct slot *find_finished(const struct deliver *deliver)
{
	for (size_t i = 0; i < deliver->count; i++) {
		if (deliver->slots[i].group != NULL && deliver->slots[i].finished)
			return &deliver->slots[i];
	}
	return NULL;
}

bool deliver_has_finished(const struct deliver *deliver)
{
	return find_finished(deliver) != NULL;
}

void deliver_collect(struct deliver *deliver)
{
	struct slot *slot;

	while ((slot = find_finished(deliver)) != NULL) {
		slot->listener->finished(slot->listener->context, slot);
		slot->group = NULL;
	}
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

void deliver_start(struct slot *slot, struct group *group, struct destination *to, bool once,
	const struct deliver_listener *listener)
{
	slot->group = group;
	slot->listener = listener;
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
		slot->request.count > 1 ? "s of the last request" : "");
}

/* --- opening --------------------------------------------------------------------------------- */

static int open_slot(
	struct deliver *deliver, struct slot *slot, const char *program, struct error *error)
{
	slot->deliver = deliver;
	backoff_init(&slot->backoff, DELAY_FIRST, DELAY_MAX);
	return request_open(&slot->request, program, deliver->options, deliver->until, slot, error);
}

int deliver_open(struct deliver *deliver, const char *program, const struct options *options,
	int64_t until, struct error *error)
{
	*deliver = (struct deliver){
		.options = options, .until = until, .pace = {.rate = options->rate}};
	deliver->slots = calloc((size_t)options->parallel, sizeof(*deliver->slots));
	if (deliver->slots == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	for (; deliver->count < (size_t)options->parallel; deliver->count++) {
		if (open_slot(deliver, &deliver->slots[deliver->count], program, error) != 0) {
			request_close(&deliver->slots[deliver->count].request);
			return -1;
		}
	}
	deliver->multi = deliver->slots[0].request.client.multi;
	return 0;
}

void deliver_close(struct deliver *deliver)
{
	/* The first one last: its multi handle has the transfers of all. */
	for (size_t i = deliver->count; i-- > 0;) {
		struct slot *slot = &deliver->slots[i];

		if (slot->active)
			end_transfer(slot);
		request_close(&slot->request);
	}
	free(deliver->slots);
	*deliver = (struct deliver){0};
}
