/* SPDX-License-Identifier: MIT */
/* From the input to the server or the spool; see run.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "body.h"
#include "client_run.h"
#include "clock.h"
#include "deliver.h"
#include "input.h"
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
	struct deliver_listener listener;
	struct destination to;
	struct run_spool spool;
	struct state state;
	struct report report;
	struct group *groups; /* one for each slot, and one that is being filled: */
	size_t group_count;
	struct group *ready;
	int64_t until; /* the moment of --timeout */
	bool failed;
	struct error error;
	uint64_t first; /* line of the first event that was not accepted; 0: none, or not known */
};

/* --- failing --------------------------------------------------------------------------------- */

static void note_line(struct run *run, uint64_t line)
{
	if (line > 0 && (run->first == 0 || line < run->first))
		run->first = line;
}

/* Report only the first reason. */
static void fail(struct run *run, const struct error *error)
{
	if (!run->failed)
		run->error = *error;
	run->failed = true;
}

/* The events from ${from} on will not be sent. */
static void give_up(
	struct run *run, const struct group *group, size_t from, const struct error *error)
{
	if (from < group->count)
		note_line(run, group->all[from].line);
	for (size_t i = from; i < group->count; i++)
		report_failed(&run->report, group, i, error);
	fail(run, error);
}

/* Events that were not taken yet, if any, were not accepted either. */
static void note_rest(struct run *run)
{
	struct input *input = &run->input;
	uint64_t line = input_next_line(input), events = input->events;

	if (input->kind == NULL)
		return;
	if (run->ready != NULL && run->ready->count > 0)
		note_line(run, run->ready->all[0].line);
	input_count_rest(input);
	if (input->events > events || input->split.used < input->split.bytes.len)
		note_line(run, line);
}

/* --- what is done with ----------------------------------------------------------------------- */

/* Save the id to resume the source after, past the first ${count} events of a group. */
static void save_state(struct run *run, const struct group *group, size_t count)
{
	struct sse_text id = group_text(group, group->skipped_id);
	struct error error;

	if (run->state.path == NULL)
		return;
	if (count < group->count || id.len == 0) {
		while (count > 0 && group->all[count - 1].id.len == 0)
			count--;
		if (count == 0)
			return;
		id = group_text(group, group->all[count - 1].id);
	}
	if (state_save(&run->state, id.data, id.len, clock_now_ms(), &error) != 0)
		fail(run, &error);
}

static void on_accepted(void *context, const struct slot *slot, size_t from, size_t count)
{
	struct run *run = context;

	if (run->spool.flushing) {
		flush_accepted(&run->spool.flush, slot, from, count);
		return;
	}
	report_accepted(&run->report, slot, from, count);
	save_state(run, slot->group, from + count);
}

static bool on_refused(void *context, const struct slot *slot, const struct error *error)
{
	struct run *run = context;
	uint64_t line = slot->group->all[slot->at].line;
	struct error wrong;

	if (run->spool.flushing)
		return flush_refused(&run->spool.flush, slot, error);
	report_refused(&run->report, slot->group, slot->at, error);
	/* Where it came from it may be gone. */
	if (run->spool.open && line > 0 &&
		queue_refuse(&run->spool.queue, slot->group, slot->at, error->text, &wrong) != 0)
		fail(run, &wrong);
	if (!run->options->skip_bad)
		return false;
	if (line > 0)
		client_say(&slot->request.client, CLIENT_WARN, "left out: line %" PRIu64 ": %s",
			line, error->text);
	else
		client_say(&slot->request.client, CLIENT_WARN, "left out: %s", error->text);
	save_state(run, slot->group, slot->at + 1);
	return true;
}

/* The events of the group from ${from} to ${end} are in the spool. */
static void note_spooled(struct run *run, const struct group *group, size_t from, size_t end)
{
	struct group part = *group;

	if (from == end)
		return;
	part.count = end;
	report_spooled(&run->report, &part, from);
	save_state(run, group, end);
}

/* Put the events from ${from} on into the spool.  False if that cannot be done for all. */
static bool put_into_spool(struct run *run, struct group *group, size_t from)
{
	struct error error;
	size_t end = from;
	int result = run_spool_put(&run->spool, group, &end, &error);

	note_spooled(run, group, from, end);
	if (result != 0)
		give_up(run, group, end, &error);
	return result == 0;
}

/* A slot has finished. */
static void collect(struct run *run, struct slot *slot)
{
	struct group *group = slot->group;
	struct error error;

	deliver_explain(slot, &error);
	if (slot->failure == FAILURE_NONE) {
		save_state(run, group, group->count);
	} else if (slot->failure == FAILURE_AWAY && run->spool.open) {
		/* In the spool it is safe, whether it is stored already or not. */
		run_spool_postpone(&run->spool, &slot->error);
		put_into_spool(run, group, slot->at);
	} else {
		if (slot->failure == FAILURE_AWAY && client_signal() == 0)
			run_spool_add_missing(&run->spool, &error);
		if (slot->failure == FAILURE_REFUSED) {
			note_line(run, group->all[slot->at].line);
			give_up(run, group, slot->at + 1, &error);
		} else {
			give_up(run, group, slot->at, &error);
		}
	}
	deliver_release(slot);
	group_clear(group);
}

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
	save_state(run, run->ready, 0);
	group_clear(run->ready);
}

/* With what comes after it, as far as it was read: a sync for each line would hold up a pipe. */
static void spool_ready(struct run *run)
{
	fill(run, BODY_EVENTS_MAX);
	put_into_spool(run, run->ready, 0);
	group_clear(run->ready);
}

static bool is_stopped(const struct run *run)
{
	return client_signal() != 0 || clock_now_ms() >= run->until;
}

/*
 * Events wait in the spool, and no request is under way: send those first.  Return whether the
 * events that are ready may be sent after them.
 */
static bool clear_the_way(struct run *run)
{
	enum flush_result result = FLUSH_AWAY;

	if (clock_now_ms() >= run->spool.flush_at)
		result = run_spool_flush(&run->spool, run->spool.used);
	if (result == FLUSH_DONE)
		return true;
	if (result == FLUSH_NO || result == FLUSH_FAILED) {
		struct error reason = run->spool.away, error;

		error_set(&error, reason.status, "%.400s; events wait in the spool before this one",
			reason.text);
		give_up(run, run->ready, 0, &error);
		return false;
	}
	spool_ready(run);
	/* The other one may have stopped just before: then it is up to us. */
	if (result == FLUSH_BUSY && !run->failed && !is_stopped(run))
		run_spool_flush(&run->spool, true);
	return false;
}

/* Send the events that are ready, if they may be sent now. */
static void dispatch(struct run *run)
{
	struct slot *slot = deliver_free_slot(&run->deliver);

	if (run->ready->count == 0 || slot == NULL || clock_now_ms() < run->deliver.pace.start_at)
		return;
	if (run->to.batching == BATCHING_AUTO && deliver_busy(&run->deliver) > 0)
		return;
	if (run_spool_waits(&run->spool)) {
		if (deliver_busy(&run->deliver) > 0 || !clear_the_way(run) ||
			clock_now_ms() < run->deliver.pace.start_at)
			return;
	}
	pace_start(&run->deliver.pace, run->ready->count, clock_now_ms());
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
		if (run->ready->count == 0 || !put_into_spool(run, run->ready, 0))
			break;
		group_clear(run->ready);
	}
}

/* A signal, or the time of --timeout: the events that were read go to the spool if there is one. */
static void stop(struct run *run)
{
	struct error error = {0};
	bool saved = run->spool.open && client_signal() == 0, failed = run->failed;
	struct slot *slot;

	for (size_t i = 0; i < run->deliver.count; i++) {
		if (run->deliver.slots[i].group != NULL)
			deliver_abort(&run->deliver.slots[i]);
	}
	while ((slot = deliver_finished(&run->deliver)) != NULL)
		collect(run, slot);
	if (client_signal() != 0)
		client_stopped(&error);
	else
		error_set(&error, EX_TEMPFAIL, "the time of --timeout is up");
	if (run->spool.open && !failed)
		spool_rest(run, &error);
	else if (run->ready != NULL)
		give_up(run, run->ready, 0, &error);
	/* All is safe though it took too long? */
	if (!saved || !input_done(&run->input))
		fail(run, &error);
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
	int64_t until = report_progress(&run->report, &run->input);
	bool fills = run->ready == NULL ||
		     (run->ready->count < group_max(run) && run->ready->text.len < GROUP_BYTES_MAX);
	int fd = run->failed || !fills || !run->input.waits ? -1 : input_waits(&run->input);

	if (run->deliver.pace.start_at > clock_now_ms())
		until = earlier(until, run->deliver.pace.start_at);
	if (run->spool.used && run->spool.flush_at > clock_now_ms())
		until = earlier(until, run->spool.flush_at);
	until = earlier(until, state_due(&run->state));
	if (deliver_busy(&run->deliver) == 0 && (run->failed || (is_idle(run) && fd < 0)))
		return;
	deliver_wait(&run->deliver, fd, until);
}

static void keep_up(struct run *run)
{
	struct error error;

	if (clock_now_ms() >= state_due(&run->state) &&
		state_sync(&run->state, clock_now_ms(), &error) != 0)
		fail(run, &error);
	if (!report_flush(&run->report))
		fail(run, &run->report.error);
	/* While no line comes, send the events that wait all the same. */
	if (run->spool.used && !run->failed && is_idle(run) && run_spool_is_due(&run->spool))
		run_spool_flush(&run->spool, true);
}

/* One turn; false at the end. */
static bool turn(struct run *run)
{
	struct slot *slot;

	while ((slot = deliver_finished(&run->deliver)) != NULL)
		collect(run, slot);
	keep_up(run);
	if (is_stopped(run)) {
		stop(run);
		return false;
	}
	if (run->failed && deliver_busy(&run->deliver) == 0)
		return false;
	if (!run->failed) {
		fill(run, group_max(run));
		save_skipped(run);
		dispatch(run);
	}
	if (deliver_finished(&run->deliver) != NULL)
		return true;
	if (!run->failed && is_idle(run) && input_done(&run->input))
		return false;
	wait(run);
	return true;
}

static int conclude(struct run *run, struct error *error)
{
	struct input *input = &run->input;
	struct error reason = {0};
	uint64_t left_out = run->report.refused + input->skipped;

	if (input->stopped && !run->failed) {
		note_line(run, input->line);
		fail(run, &input->error);
	}
	if (state_sync(&run->state, clock_now_ms(), &reason) != 0)
		fail(run, &reason);
	if (!report_flush(&run->report))
		fail(run, &run->report.error);
	if (!run->failed && left_out == 0)
		return 0;
	if (run->failed)
		*error = run->error;
	else
		error_set(error, EX_DATAERR, "%" PRIu64 " left out", left_out);
	if (input->events == 0 || error->text[0] == '\0')
		return -1;
	if (run->failed && run->first == 0)
		note_rest(run);
	report_account(&run->report, input, run->failed ? run->first : 0, error);
	return -1;
}

static int open_all(struct run *run, const char *program, struct error *error)
{
	const struct options *options = run->options;

	run->listener = (struct deliver_listener){run, on_accepted, on_refused};
	report_open(&run->report, options);
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
		deliver_open(&run->deliver, program, options, &run->listener, run->until, error) !=
			0)
		return -1;
	run_spool_open(&run->spool, options, &run->deliver, &run->to);
	return options->state != NULL ? state_open(&run->state, options->state, error) : 0;
}

static void close_all(struct run *run)
{
	report_clear(&run->report);
	report_close(&run->report);
	deliver_close(&run->deliver);
	run_spool_close(&run->spool);
	state_close(&run->state);
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
		if (!run->failed && !is_stopped(run))
			run_spool_finish(&run->spool);
		report_clear(&run->report);
		result = conclude(run, error);
	}
	close_all(run);
	free(run);
	return result;
}
