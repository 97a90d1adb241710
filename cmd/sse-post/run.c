/* SPDX-License-Identifier: MIT */
/* From the input to the server or the spool; see run.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "body.h"
#include "client_run.h"
#include "client_target.h"
#include "clock.h"
#include "deliver.h"
#include "input.h"
#include "outcome.h"
#include "report.h"
#include "run.h"
#include "run_spool.h"

/* How many events are sent together to a server that gets a request for each. */
#define SINGLES_MAX 256

/* A group of events has no more than this before it is sent. */
#define GROUP_BYTES_MAX ((size_t)1 << 20)

struct run {
	const struct options *options;
	struct input input;
	struct deliver deliver;
	struct destination to;
	struct run_spool spool;
	struct outcome outcome;
	struct group *groups; /* one for each slot, and one that is being filled: */
	size_t group_count;
	struct group *ready;
	int64_t until; /* the moment of --timeout */
	bool last;     /* all of the input is done with, and what waits in the spool is tried */
};

/* --- what is next ---------------------------------------------------------------------------- */

static size_t group_max(const struct run *run)
{
	size_t max = run->to.batching == BATCHING_ALWAYS ? BODY_EVENTS_MAX
		     : run->to.batching == BATCHING_AUTO || run->options->parallel > 1
			     ? 1
			     : SINGLES_MAX;

	return pace_at_once(&run->deliver.pace, max);
}

static bool is_in_use(const struct run *run, const struct group *group)
{
	for (size_t i = 0; i < run->deliver.count; i++) {
		if (run->deliver.slots[i].group == group)
			return true;
	}
	return false;
}

/* Take what the input has, up to what goes together. */
static void fill(struct run *run, size_t max)
{
	for (size_t i = 0; run->ready == NULL; i++) {
		if (!is_in_use(run, &run->groups[i]))
			run->ready = &run->groups[i];
	}
	if (!input_done(&run->input))
		input_fill(&run->input, run->ready, max, GROUP_BYTES_MAX);
}

/* Where the source goes on after what has no event, once all before it was accepted. */
static void save_skipped(struct run *run)
{
	if (run->ready->count > 0 || run->ready->skipped_id.len == 0 ||
		deliver_busy(&run->deliver) > 0)
		return;
	outcome_skipped(&run->outcome, run->ready);
	group_clear(run->ready);
}

/* With what comes after it, as far as it was read: a sync for each line would hold up a pipe. */
static void spool_ready(struct run *run)
{
	fill(run, BODY_EVENTS_MAX);
	outcome_spool(&run->outcome, run->ready, 0);
	group_clear(run->ready);
}

static bool is_stopped(const struct run *run)
{
	return client_signal() != 0 || clock_now_ms() >= run->until;
}

/* Is there, or may there be, something in the spool that is to be sent before anything else? */
static bool wants_flush(const struct run *run)
{
	const struct run_spool *spool = &run->spool;

	if (run_spool_flushes(spool))
		return true;
	if (run->ready->count > 0)
		return run_spool_waits(spool);
	/* While no line comes, send the events that wait all the same. */
	return spool->used && !run_spool_is_blocked(spool) && run_spool_is_due(spool);
}

/* A flush ended with events that cannot be sent: those that are ready cannot go before them. */
static void give_up_blocked(struct run *run)
{
	struct error reason = run->spool.away, error;

	if (run->ready == NULL || run->ready->count == 0)
		return;
	error_set(&error, reason.status, "%.400s; events wait in the spool before this one",
		reason.text);
	outcome_give_up(&run->outcome, run->ready, 0, &error);
}

/*
 * Send what waits in the spool first, a part at a time.  Return whether the events that are ready
 * may be sent now.
 */
static bool clear_the_way(struct run *run)
{
	struct run_spool *spool = &run->spool;
	enum flush_result result = FLUSH_AWAY;

	if (!wants_flush(run))
		return true;
	if (deliver_busy(&run->deliver) > 0)
		return false;
	if (run_spool_flushes(spool) || clock_now_ms() >= spool->flush_at)
		result = run_spool_send(spool);
	if (result == FLUSH_PART || result == FLUSH_DONE)
		return result == FLUSH_DONE;
	/* Only this attempt counts: an earlier one may have been blocked by what is gone now. */
	if (result == FLUSH_NO || result == FLUSH_FAILED) {
		give_up_blocked(run);
		return false;
	}
	if (run->ready->count == 0)
		return false;
	spool_ready(run);
	/* The other one may have stopped just before: then it is up to us. */
	if (result == FLUSH_BUSY && !run->outcome.failed)
		run_spool_send(spool);
	return false;
}

/* Send what is next, if it may be sent now: a part of the spool, or the events that are ready. */
static void dispatch(struct run *run)
{
	struct slot *slot = deliver_free_slot(&run->deliver);

	if (slot == NULL || clock_now_ms() < run->deliver.pace.start_at)
		return;
	if (run->to.batching == BATCHING_AUTO && deliver_busy(&run->deliver) > 0)
		return;
	if (!clear_the_way(run) || run->ready->count == 0)
		return;
	/* Nothing may come to a topic after what closes it. */
	if (deliver_busy(&run->deliver) > 0 && group_closes(run->ready))
		return;
	pace_start(&run->deliver.pace, run->ready->count, clock_now_ms());
	deliver_start(slot, run->ready, &run->to, false, &run->outcome.listener);
	run->ready = NULL;
}

/* --- the whole ------------------------------------------------------------------------------- */

/* All events that were read go into the spool: they exist nowhere else. */
static void spool_rest(struct run *run, const struct error *reason)
{
	run_spool_because(&run->spool, reason);
	input_hold(&run->input);
	for (;;) {
		fill(run, BODY_EVENTS_MAX);
		if (run->ready->count == 0 || !outcome_spool(&run->outcome, run->ready, 0))
			break;
		group_clear(run->ready);
	}
}

/* A signal, or the time of --timeout: the events that were read go to the spool if there is one. */
static void stop(struct run *run)
{
	struct error error = {0};
	bool saved = run->spool.open && client_signal() == 0, failed = run->outcome.failed;

	deliver_abort(&run->deliver);
	deliver_collect(&run->deliver);
	if (client_signal() != 0)
		client_stopped(&error);
	else
		error_set(&error, EX_TEMPFAIL, "the time of --timeout is up");
	run_spool_stop(&run->spool, &error);
	if (run->spool.open && !failed)
		spool_rest(run, &error);
	else if (run->ready != NULL)
		outcome_give_up(&run->outcome, run->ready, 0, &error);
	/* All was safe before, or is safe though it took too long? */
	if (!run->last && (!saved || !input_done(&run->input)))
		outcome_fail(&run->outcome, &error);
}

static bool is_idle(const struct run *run)
{
	return deliver_busy(&run->deliver) == 0 && !run_spool_flushes(&run->spool) &&
	       (run->ready == NULL || run->ready->count == 0);
}

/* Until something can be done. */
static void wait(struct run *run)
{
	int64_t until = report_progress(&run->outcome.report, &run->input);
	bool fills = run->ready == NULL ||
		     (run->ready->count < group_max(run) && run->ready->text.len < GROUP_BYTES_MAX);
	int fd = run->outcome.failed || !fills || !run->input.waits ? -1 : input_waits(&run->input);

	if (run->deliver.pace.start_at > clock_now_ms())
		until = clock_earlier(until, run->deliver.pace.start_at);
	if (run->spool.used && run->spool.flush_at > clock_now_ms())
		until = clock_earlier(until, run->spool.flush_at);
	until = clock_earlier(until, state_due(&run->outcome.state));
	if (deliver_busy(&run->deliver) == 0 && (run->outcome.failed || (is_idle(run) && fd < 0)))
		return;
	deliver_wait(&run->deliver, fd, until);
}

/* The slots that have finished; with the last of them a flush may end. */
static void collect(struct run *run)
{
	bool flushes = run_spool_flushes(&run->spool);

	deliver_collect(&run->deliver);
	if (flushes && run_spool_is_blocked(&run->spool))
		give_up_blocked(run);
}

/* All of the input is done with: try once more what waits in the spool.  False if nothing does. */
static bool begin_last_flush(struct run *run)
{
	if (run->last)
		return false;
	run->last = true;
	return run_spool_is_due(&run->spool) && run_spool_begin(&run->spool) == FLUSH_PART;
}

/* One turn; false at the end. */
static bool turn(struct run *run)
{
	collect(run);
	outcome_write(&run->outcome);
	if (is_stopped(run)) {
		stop(run);
		return false;
	}
	if (run->outcome.failed && deliver_busy(&run->deliver) == 0)
		return false;
	if (!run->outcome.failed) {
		fill(run, group_max(run));
		save_skipped(run);
		dispatch(run);
	}
	if (deliver_has_finished(&run->deliver))
		return true;
	if (!run->outcome.failed && is_idle(run) && input_done(&run->input))
		return begin_last_flush(run);
	wait(run);
	return true;
}

static void loop(struct run *run)
{
	while (turn(run))
		;
	run_spool_stop(&run->spool, &run->outcome.error);
	report_end(&run->outcome.report);
}

/* --- the runs -------------------------------------------------------------------------------- */

/* Open all, to send to ${target}. */
static int open_all(struct run *run, const char *program, const char *target, struct error *error)
{
	const struct options *options = run->options;
	struct outcome *outcome = &run->outcome;

	run->group_count = (size_t)options->parallel + 1;
	run->groups = calloc(run->group_count, sizeof(*run->groups));
	if (run->groups == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	for (size_t i = 0; i < run->group_count; i++)
		group_init(&run->groups[i]);
	if (destination_open(&run->to, target, options, error) != 0)
		return -1;
	client_target_hide(&run->to.url, options->target);
	if (input_open(&run->input, options, run->until, error) != 0 ||
		deliver_open(&run->deliver, program, options, run->until, error) != 0)
		return -1;
	/* Only --flush reports on events that another run was given. */
	run_spool_open(&run->spool, options, &run->deliver, &run->to,
		options->flush ? &outcome->report : NULL);
	return outcome_open(outcome, options, &run->input, &run->spool, error);
}

static void close_all(struct run *run)
{
	outcome_close(&run->outcome);
	deliver_close(&run->deliver);
	run_spool_close(&run->spool);
	input_close(&run->input);
	destination_close(&run->to);
	for (size_t i = 0; run->groups != NULL && i < run->group_count; i++)
		group_free(&run->groups[i]);
	free(run->groups);
}

/* Success looks the same, whether the server has the events or not: a person is told. */
static void tell_spooled(const struct run *run, const struct client *client)
{
	uint64_t count = run->outcome.report.spooled;
	bool told = isatty(STDERR_FILENO) && count > 0 && run_spool_waits(&run->spool);

	if (told && run->spool.away.text[0] != '\0')
		client_say(client, CLIENT_WARN,
			"%.320s; %" PRIu64
			" event%s in the spool, for the next run or --flush to send",
			run->spool.away.text, count, count == 1 ? " is" : "s are");
	else if (told)
		client_say(client, CLIENT_WARN,
			"%" PRIu64 " event%s in the spool, for the next run or --flush to send",
			count, count == 1 ? " is" : "s are");
}

/* The same of --flush, which is silent elsewhere. */
static void tell_flushed(const struct run *run, const struct client *client)
{
	uint64_t count = run->outcome.report.accepted;

	if (!isatty(STDERR_FILENO) || run->options->client.verbose > 0)
		return;
	if (count > 0)
		client_say(client, CLIENT_WARN, "%" PRIu64 " event%s of the spool sent to %.300s",
			count, count == 1 ? "" : "s", run->to.url.shown);
	else
		client_say(client, CLIENT_WARN, "no event waits in the spool for %.300s",
			run->to.url.shown);
}

static int post(struct run *run, struct error *error)
{
	struct run_spool *spool = &run->spool;
	const struct client *client = &run->deliver.slots[0].request.client;

	if (spool->missing.status != 0)
		client_say(
			client, CLIENT_EXPLAIN, "%s; continuing without it", spool->missing.text);
	loop(run);
	/* The events are safe, but wait for the user. */
	if (spool->used && run_spool_is_denied(spool))
		outcome_fail(&run->outcome, &spool->away);
	else if (run->last && (run_spool_is_denied(spool) ||
				      (run_spool_is_blocked(spool) && run_spool_waits(spool))))
		client_say(client, CLIENT_WARN, "events wait in the spool: %s", spool->away.text);
	else if (spool->used)
		tell_spooled(run, client);
	return outcome_conclude(&run->outcome, run->ready, error);
}

/* The run has no input: what its one flush did is all that it did. */
static int flush(struct run *run, struct error *error)
{
	struct run_spool *spool = &run->spool;
	struct report *report = &run->outcome.report;
	const char *last;
	size_t failed;

	if (!spool->open) {
		*error = spool->missing;
		return -1;
	}
	run->last = true;
	if (run_spool_begin(spool) == FLUSH_PART)
		loop(run);
	if (!report_flush(report)) {
		*error = report->error;
		return -1;
	}
	if (spool->result == FLUSH_BUSY) {
		client_say(&run->deliver.slots[0].request.client, CLIENT_EXPLAIN,
			"another process is sending the events for %s", run->to.url.shown);
	} else if (spool->result != FLUSH_DONE) {
		flush_tell_last(&spool->flush);
		*error = spool->away;
		return -1;
	}
	failed = flush_failed(&spool->flush, &last);
	if (failed > 0)
		return error_set(
			error, EX_DATAERR, "%zu set aside; the last: %.400s", failed, last);
	if (spool->result == FLUSH_DONE)
		tell_flushed(run, &run->deliver.slots[0].request.client);
	return 0;
}

/* Open all, do it, and close all. */
static int run_with(int (*what)(struct run *run, struct error *error), const char *program,
	const struct options *options, const char *target, int64_t until, struct error *error)
{
	struct run *run = calloc(1, sizeof(*run));
	int result;

	if (run == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	run->options = options;
	run->until = until;
	result = open_all(run, program, target, error);
	if (result == 0)
		result = what(run, error);
	close_all(run);
	free(run);
	return result;
}

int run_post(const char *program, const struct options *options, struct error *error)
{
	return run_with(
		post, program, options, options->target, client_after(options->timeout), error);
}

int run_flush_queue(const char *program, const struct options *options, const char *url,
	int64_t until, struct error *error)
{
	return run_with(flush, program, options, url, until, error);
}
