/* SPDX-License-Identifier: MIT */
/* What a run does with its spool; see run_spool.h. */
#include <sysexits.h>

#include "client_run.h"
#include "clock.h"
#include "run_spool.h"

/* The pause between two tries to deliver the events that wait, while lines come (ms). */
#define FLUSH_FIRST 1000
#define FLUSH_MAX 60000

static int open_queue(struct run_spool *spool, const struct options *options, struct error *error)
{
	const struct queue_limits limits = {
		options->spool_max, options->spool_max_size, options->spool_max_age};

	if (queue_open(&spool->queue, options->spool, spool->to->url.shown, &limits, error) != 0)
		return -1;
	return flush_open(&spool->flush, &spool->queue, spool->deliver, NULL, error);
}

void run_spool_open(struct run_spool *spool, const struct options *options, struct deliver *deliver,
	struct destination *to)
{
	*spool = (struct run_spool){.deliver = deliver, .to = to};
	backoff_init(&spool->pause, FLUSH_FIRST, FLUSH_MAX);
	if (options->spool == NULL)
		return;
	spool->open = deliver->spools = open_queue(spool, options, &spool->missing) == 0;
	if (!spool->open)
		client_say(&deliver->slots[0].request.client, CLIENT_EXPLAIN,
			"%s; going on without it", spool->missing.text);
}

void run_spool_close(struct run_spool *spool)
{
	flush_close(&spool->flush);
	queue_close(&spool->queue);
}

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

enum flush_result run_spool_flush(struct run_spool *spool, bool once)
{
	struct error error = {0};
	enum flush_result result;

	spool->flushing = true;
	result = flush_queue(&spool->flush, spool->to, once, &error);
	spool->flushing = false;
	flush_tell_last(&spool->flush);
	switch (result) {
	case FLUSH_DONE:
		backoff_reset(&spool->pause);
		break;
	case FLUSH_BUSY:
		error_set(&spool->away, EX_TEMPFAIL,
			"another process is sending the events that waited before this one");
		break;
	case FLUSH_AWAY:
		run_spool_postpone(spool, &error);
		break;
	case FLUSH_NO:
	case FLUSH_FAILED:
		spool->away = error;
		break;
	}
	return result;
}

void run_spool_finish(struct run_spool *spool)
{
	enum flush_result result;

	if (!run_spool_is_due(spool))
		return;
	result = run_spool_flush(spool, spool->used);
	if (result == FLUSH_NO || result == FLUSH_FAILED)
		client_say(&spool->deliver->slots[0].request.client, CLIENT_WARN,
			"events wait in the spool: %s", spool->away.text);
}

void run_spool_add_missing(const struct run_spool *spool, struct error *error)
{
	if (spool->missing.status != 0)
		add_reason(error, &spool->missing);
}
