/* SPDX-License-Identifier: MIT */
/* From the input to the server or the spool; see run.h. */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "body.h"
#include "client_run.h"
#include "deliver.h"
#include "input.h"
#include "outcome.h"
#include "report.h"
#include "run.h"
#include "run_spool.h"
#include "state.h"

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
	return client_signal() != 0 || client_now() >= run->until;
}

/*
 * Events wait in the spool, and no request is under way: send those first.  Return whether the
 * events that are ready may be sent after them.
 */
static bool clear_the_way(struct run *run)
{
	enum flush_result result = FLUSH_AWAY;

	if (client_now() >= run->spool.flush_at)
		result = run_spool_flush(&run->spool, run->spool.used);
	if (result == FLUSH_DONE)
		return true;
	if (result == FLUSH_NO || result == FLUSH_FAILED) {
		struct error reason = run->spool.away, error;

		error_set(&error, reason.status, "%.400s; events wait in the spool before this one",
			reason.text);
		outcome_give_up(&run->outcome, run->ready, 0, &error);
		return false;
	}
	spool_ready(run);
	/* The other one may have stopped just before: then it is up to us. */
	if (result == FLUSH_BUSY && !run->outcome.failed && !is_stopped(run))
		run_spool_flush(&run->spool, true);
	return false;
}

/* Send the events that are ready, if they may be sent now. */
static void dispatch(struct run *run)
{
	struct slot *slot = deliver_free_slot(&run->deliver);

	if (run->ready->count == 0 || slot == NULL || client_now() < run->deliver.pace.start_at)
		return;
	if (run->to.batching == BATCHING_AUTO && deliver_busy(&run->deliver) > 0)
		return;
	if (run_spool_waits(&run->spool)) {
		if (deliver_busy(&run->deliver) > 0 || !clear_the_way(run) ||
			client_now() < run->deliver.pace.start_at)
			return;
	}
	pace_start(&run->deliver.pace, run->ready->count, client_now());
	deliver_start(slot, run->ready, &run->to, false);
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
	struct slot *slot;

	for (size_t i = 0; i < run->deliver.count; i++) {
		if (run->deliver.slots[i].group != NULL)
			deliver_abort(&run->deliver.slots[i]);
	}
	while ((slot = deliver_finished(&run->deliver)) != NULL)
		outcome_collect(&run->outcome, slot);
	if (client_signal() != 0)
		client_stopped(&error);
	else
		error_set(&error, EX_TEMPFAIL, "the time of --timeout is up");
	if (run->spool.open && !failed)
		spool_rest(run, &error);
	else if (run->ready != NULL)
		outcome_give_up(&run->outcome, run->ready, 0, &error);
	/* All is safe though it took too long? */
	if (!saved || !input_done(&run->input))
		outcome_fail(&run->outcome, &error);
}

static bool is_idle(const struct run *run)
{
	return deliver_busy(&run->deliver) == 0 && (run->ready == NULL || run->ready->count == 0);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Until something can be done. */
static void wait(struct run *run)
{
	int64_t until = report_progress(&run->outcome.report, &run->input);
	bool fills = run->ready == NULL ||
		     (run->ready->count < group_max(run) && run->ready->text.len < GROUP_BYTES_MAX);
	int fd = run->outcome.failed || !fills || !run->input.waits ? -1 : input_waits(&run->input);

	if (run->deliver.pace.start_at > client_now())
		until = earlier(until, run->deliver.pace.start_at);
	if (run->spool.used && run->spool.flush_at > client_now())
		until = earlier(until, run->spool.flush_at);
	until = earlier(until, state_due(&run->outcome.state));
	if (deliver_busy(&run->deliver) == 0 && (run->outcome.failed || (is_idle(run) && fd < 0)))
		return;
	deliver_wait(&run->deliver, fd, until);
}

static void keep_up(struct run *run)
{
	outcome_write(&run->outcome);
	/* While no line comes, send the events that wait all the same. */
	if (run->spool.used && !run->outcome.failed && is_idle(run) &&
		run_spool_is_due(&run->spool))
		run_spool_flush(&run->spool, true);
}

/* One turn; false at the end. */
static bool turn(struct run *run)
{
	struct slot *slot;

	while ((slot = deliver_finished(&run->deliver)) != NULL)
		outcome_collect(&run->outcome, slot);
	keep_up(run);
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
	if (deliver_finished(&run->deliver) != NULL)
		return true;
	if (!run->outcome.failed && is_idle(run) && input_done(&run->input))
		return false;
	wait(run);
	return true;
}

static int open_all(struct run *run, const char *program, struct error *error)
{
	const struct options *options = run->options;

	run->group_count = (size_t)options->parallel + 1;
	run->groups = calloc(run->group_count, sizeof(*run->groups));
	if (run->groups == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	for (size_t i = 0; i < run->group_count; i++)
		group_init(&run->groups[i]);
	if (destination_open(&run->to, options->target, options, error) != 0)
		return -1;
	client_url_hide(&run->to.url, options->target);
	if (input_open(&run->input, options, run->until, error) != 0 ||
		deliver_open(&run->deliver, program, options, &run->outcome.listener, run->until,
			error) != 0)
		return -1;
	run_spool_open(&run->spool, options, &run->deliver, &run->to);
	return outcome_open(&run->outcome, options, &run->input, &run->spool, error);
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

int run_post(const char *program, const struct options *options, struct error *error)
{
	struct run *run = calloc(1, sizeof(*run));
	int result;

	if (run == NULL)
		return error_set(error, EX_OSERR, "out of memory");
	run->options = options;
	run->until = client_after(options->timeout);
	result = open_all(run, program, error);
	if (result == 0) {
		while (turn(run))
			;
		if (!run->outcome.failed && !is_stopped(run))
			run_spool_finish(&run->spool);
		report_clear(&run->outcome.report);
		result = outcome_conclude(&run->outcome, run->ready, error);
	}
	close_all(run);
	free(run);
	return result;
}
