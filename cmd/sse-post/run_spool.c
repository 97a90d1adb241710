/* SPDX-License-Identifier: MIT */
/* What a run does with its spool; see run_spool.h. */
#include <sysexits.h>

#include "clock.h"
#include "run_spool.h"

/* The pause between two tries to deliver the events that wait, while lines come (ms). */
#define FLUSH_FIRST 1000
#define FLUSH_MAX 60000

/* --- putting events there --------------------------------------------------------------------- */

/* Not sent for the reason in ${error}, and not in the spool for another one. */
static void add_reason(struct error *error, const struct error *wrong)
{
	struct error reason = *error;

	if (reason.status == 0)
		*error = *wrong;
	else
		error_set(error, wrong->status == EX_TEMPFAIL ? reason.status : wrong->status,
			"%.250s; and %.230s", reason.text, wrong->text);
}

int run_spool_put(
	struct run_spool *spool, const struct group *group, size_t *end, struct error *error)
{
	struct error wrong = {0};
	size_t from = *end;
	int result = queue_append(&spool->queue, group, end, spool->away.text, &wrong);

	if (*end > from) {
		spool->used = true;
		client_say(&spool->deliver->slots[0].request.client, CLIENT_EXPLAIN,
			"%zu put into the spool %s", *end - from, spool->queue.folder.path);
	}
	if (result == 0)
		return 0;
	*error = spool->away;
	add_reason(error, &wrong);
	return -1;
}

void run_spool_because(struct run_spool *spool, const struct error *reason)
{
	if (spool->away.status == 0)
		spool->away = *reason;
}

void run_spool_postpone(struct run_spool *spool, const struct error *reason)
{
	spool->result = FLUSH_AWAY;
	spool->away = *reason;
	spool->flush_at = clock_now_ms() + backoff_next(&spool->pause);
	if (spool->flush_at < spool->to->not_before)
		spool->flush_at = spool->to->not_before;
}

bool run_spool_waits(const struct run_spool *spool)
{
	return spool->open && !queue_is_empty(&spool->queue);
}

bool run_spool_is_due(const struct run_spool *spool)
{
	return clock_now_ms() >= spool->flush_at && run_spool_waits(spool);
}

void run_spool_add_missing(const struct run_spool *spool, struct error *error)
{
	if (spool->missing.status != 0)
		add_reason(error, &spool->missing);
}

/* --- the flush ------------------------------------------------------------------------------- */

/*
 * The server did not accept the login, and still does not after a pause.  Tell the user, since more
 * lines may come.
 */
static void tell_denial(struct run_spool *spool, const struct error *error)
{
	if (error->status != EX_NOPERM || !spool->used || spool->denial_told)
		return;
	client_say(&spool->deliver->slots[0].request.client, CLIENT_WARN,
		"%s; events wait in the spool and will be tried again", error->text);
	spool->denial_told = true;
}

static void tell_end_of_denial(struct run_spool *spool)
{
	if (spool->denial_told)
		client_say(&spool->deliver->slots[0].request.client, CLIENT_WARN,
			"the login is accepted again, and the events that waited were sent");
	spool->denial_told = false;
}

/* How a flush goes on, or ends. */
static enum flush_result note(
	struct run_spool *spool, enum flush_result result, const struct error *error)
{
	spool->result = result;
	switch (result) {
	case FLUSH_PART:
		return result;
	case FLUSH_DONE:
		backoff_reset(&spool->pause);
		tell_end_of_denial(spool);
		break;
	case FLUSH_BUSY:
		error_set(&spool->away, EX_TEMPFAIL,
			"another process is sending the events that waited before this one");
		break;
	case FLUSH_AWAY:
		run_spool_postpone(spool, error);
		tell_denial(spool, error);
		break;
	case FLUSH_NO:
	case FLUSH_FAILED:
		spool->away = *error;
		client_say(&spool->deliver->slots[0].request.client, CLIENT_EXPLAIN,
			"the events in the spool stay there: %s", error->text);
		break;
	}
	/* --flush itself tells the last one, at its end. */
	if (spool->flush.report == NULL)
		flush_tell_last(&spool->flush);
	return result;
}

bool run_spool_flushes(const struct run_spool *spool)
{
	return spool->flush.begun;
}

bool run_spool_is_blocked(const struct run_spool *spool)
{
	return spool->result == FLUSH_NO || spool->result == FLUSH_FAILED;
}

bool run_spool_is_denied(const struct run_spool *spool)
{
	return spool->result == FLUSH_AWAY && spool->away.status == EX_NOPERM &&
	       run_spool_waits(spool);
}

enum flush_result run_spool_begin(struct run_spool *spool)
{
	struct error error = {0};

	return note(spool, flush_begin(&spool->flush, &error), &error);
}

enum flush_result run_spool_send(struct run_spool *spool)
{
	struct deliver *deliver = spool->deliver;
	struct error error = {0};
	struct group *part;
	enum flush_result result = flush_next(&spool->flush, &part, &error);

	if (note(spool, result, &error) != FLUSH_PART)
		return result;
	pace_start(&deliver->pace, part->count, clock_now_ms());
	/* What this run put there was tried already, and new lines wait for it now. */
	deliver_start(deliver_free_slot(deliver), part, spool->to, spool->used, &spool->listener);
	return FLUSH_PART;
}

static void on_accepted(void *context, const struct slot *slot, size_t from, size_t count)
{
	struct run_spool *spool = context;

	flush_accepted(&spool->flush, slot, from, count);
}

static bool on_refused(void *context, const struct slot *slot, const struct error *error)
{
	struct run_spool *spool = context;

	return flush_refused(&spool->flush, slot, error);
}

static void on_finished(void *context, const struct slot *slot)
{
	struct run_spool *spool = context;
	struct error error = {0};

	note(spool, flush_finished(&spool->flush, slot, &error), &error);
}

void run_spool_stop(struct run_spool *spool, const struct error *reason)
{
	struct error error = *reason;

	if (run_spool_flushes(spool))
		note(spool, flush_stop(&spool->flush, &error), &error);
}

/* --- opening --------------------------------------------------------------------------------- */

static int open_queue(struct run_spool *spool, const struct options *options, struct report *report)
{
	const struct queue_limits limits = {
		options->spool_max, options->spool_max_size, options->spool_max_age};
	struct error *error = &spool->missing;

	if (queue_open(&spool->queue, options->spool, spool->to->url.shown, &limits, error) != 0)
		return -1;
	return flush_open(&spool->flush, &spool->queue, spool->deliver, report, error);
}

void run_spool_open(struct run_spool *spool, const struct options *options, struct deliver *deliver,
	struct destination *to, struct report *report)
{
	*spool = (struct run_spool){.deliver = deliver,
		.to = to,
		.listener = {spool, on_accepted, on_refused, on_finished},
		.result = FLUSH_DONE};
	backoff_init(&spool->pause, FLUSH_FIRST, FLUSH_MAX);
	/* A condition is about now: an event that has one does not wait. */
	if (options->spool == NULL || options->if_match != NULL)
		return;
	spool->open = deliver->spools = open_queue(spool, options, report) == 0;
}

void run_spool_close(struct run_spool *spool)
{
	flush_close(&spool->flush);
	queue_close(&spool->queue);
}
