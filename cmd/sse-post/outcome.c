/* SPDX-License-Identifier: MIT */
/* What becomes of the input's events; see outcome.h. */
#include <inttypes.h>
#include <sysexits.h>

#include "client_run.h"
#include "clock.h"
#include "outcome.h"
#include "spool/queue.h"

/* --- failing --------------------------------------------------------------------------------- */

static void note_line(struct outcome *outcome, uint64_t line)
{
	if (line > 0 && (outcome->first == 0 || line < outcome->first))
		outcome->first = line;
}

void outcome_fail(struct outcome *outcome, const struct error *error)
{
	if (!outcome->failed)
		outcome->error = *error;
	outcome->failed = true;
}

void outcome_give_up(
	struct outcome *outcome, const struct group *group, size_t from, const struct error *error)
{
	if (from < group->count)
		note_line(outcome, group->all[from].line);
	for (size_t i = from; i < group->count; i++)
		report_failed(&outcome->report, group, i, error);
	outcome_fail(outcome, error);
}

/* Events that were not taken yet, if any, were not accepted either. */
static void note_rest(struct outcome *outcome, const struct group *ready)
{
	struct input *input = outcome->input;
	uint64_t line = input_next_line(input), events = input->events;

	if (input->kind == NULL)
		return;
	if (ready != NULL && ready->count > 0)
		note_line(outcome, ready->all[0].line);
	input_count_rest(input);
	if (input->events > events || input->split.used < input->split.bytes.len)
		note_line(outcome, line);
}

/* --- what is done with ----------------------------------------------------------------------- */

/* Save the id to resume the source after, past the first ${count} events of a group. */
static void save_state(struct outcome *outcome, const struct group *group, size_t count)
{
	struct sse_text id = group_text(group, group->skipped_id);
	struct error error;

	if (outcome->state.path == NULL)
		return;
	if (count < group->count || id.len == 0) {
		while (count > 0 && group->all[count - 1].id.len == 0)
			count--;
		if (count == 0)
			return;
		id = group_text(group, group->all[count - 1].id);
	}
	if (state_save(&outcome->state, id.data, id.len, clock_now_ms(), &error) != 0)
		outcome_fail(outcome, &error);
}

static void on_accepted(void *context, const struct slot *slot, size_t from, size_t count)
{
	struct outcome *outcome = context;

	report_accepted(&outcome->report, slot, from, count);
	save_state(outcome, slot->group, from + count);
}

static bool on_refused(void *context, const struct slot *slot, const struct error *error)
{
	struct outcome *outcome = context;
	uint64_t line = slot->group->all[slot->at].line;
	struct error wrong;

	report_refused(&outcome->report, slot->group, slot->at, error);
	/* Where it came from it may be gone. */
	if (outcome->spool->open && line > 0 &&
		queue_refuse(&outcome->spool->queue, slot->group, slot->at, error->text, &wrong) !=
			0)
		outcome_fail(outcome, &wrong);
	if (!outcome->options->skip_bad)
		return false;
	if (line > 0)
		client_say(&slot->request.client, CLIENT_WARN, "left out: line %" PRIu64 ": %s",
			line, error->text);
	else
		client_say(&slot->request.client, CLIENT_WARN, "left out: %s", error->text);
	save_state(outcome, slot->group, slot->at + 1);
	return true;
}

/* The events of the group from ${from} to ${end} are in the spool. */
static void note_spooled(
	struct outcome *outcome, const struct group *group, size_t from, size_t end)
{
	struct group part = *group;

	if (from == end)
		return;
	part.count = end;
	report_spooled(&outcome->report, &part, from);
	save_state(outcome, group, end);
}

bool outcome_spool(struct outcome *outcome, const struct group *group, size_t from)
{
	struct error error;
	size_t end = from;
	int result = run_spool_put(outcome->spool, group, &end, &error);

	note_spooled(outcome, group, from, end);
	if (result != 0)
		outcome_give_up(outcome, group, end, &error);
	return result == 0;
}

static void on_finished(void *context, const struct slot *slot)
{
	struct outcome *outcome = context;
	struct group *group = slot->group;
	/*
	 * The events are not at fault: another run can send them, or this one with another token.
	 */
	bool kept = slot->failure == FAILURE_AWAY || slot->failure == FAILURE_DENIED;
	struct error error;

	deliver_explain(slot, &error);
	if (slot->failure == FAILURE_NONE) {
		save_state(outcome, group, group->count);
	} else if (kept && outcome->spool->open) {
		/* In the spool it is safe, whether it is stored already or not. */
		run_spool_postpone(outcome->spool, &slot->error);
		outcome_spool(outcome, group, slot->at);
	} else {
		if (kept && client_signal() == 0)
			run_spool_add_missing(outcome->spool, &error);
		if (slot->failure == FAILURE_REFUSED) {
			note_line(outcome, group->all[slot->at].line);
			outcome_give_up(outcome, group, slot->at + 1, &error);
		} else {
			outcome_give_up(outcome, group, slot->at, &error);
		}
	}
	group_clear(group);
}

void outcome_skipped(struct outcome *outcome, const struct group *group)
{
	save_state(outcome, group, 0);
}

void outcome_write(struct outcome *outcome)
{
	struct error error;

	if (clock_now_ms() >= state_due(&outcome->state) &&
		state_sync(&outcome->state, clock_now_ms(), &error) != 0)
		outcome_fail(outcome, &error);
	/* --flush sends all the same, and tells it at its end. */
	if (!report_flush(&outcome->report) && !outcome->options->flush)
		outcome_fail(outcome, &outcome->report.error);
}

/* --- the end --------------------------------------------------------------------------------- */

int outcome_conclude(struct outcome *outcome, const struct group *ready, struct error *error)
{
	struct input *input = outcome->input;
	struct error reason = {0};
	uint64_t left_out = outcome->report.refused + input->skipped;

	if (input->stopped && !outcome->failed) {
		note_line(outcome, input->line);
		outcome_fail(outcome, &input->error);
	}
	if (state_sync(&outcome->state, clock_now_ms(), &reason) != 0)
		outcome_fail(outcome, &reason);
	if (!report_flush(&outcome->report))
		outcome_fail(outcome, &outcome->report.error);
	if (!outcome->failed && left_out == 0)
		return 0;
	if (outcome->failed)
		*error = outcome->error;
	else
		error_set(error, EX_DATAERR, "%" PRIu64 " left out", left_out);
	if (input->events == 0 || error->text[0] == '\0')
		return -1;
	if (outcome->failed && outcome->first == 0)
		note_rest(outcome, ready);
	report_account(&outcome->report, input, outcome->failed ? outcome->first : 0, error);
	return -1;
}

/* --- opening --------------------------------------------------------------------------------- */

int outcome_open(struct outcome *outcome, const struct options *options, struct input *input,
	struct run_spool *spool, struct error *error)
{
	*outcome = (struct outcome){.options = options,
		.input = input,
		.spool = spool,
		.listener = {outcome, on_accepted, on_refused, on_finished}};
	report_open(&outcome->report, options);
	return options->state != NULL ? state_open(&outcome->state, options->state, error) : 0;
}

void outcome_close(struct outcome *outcome)
{
	report_end(&outcome->report);
	report_close(&outcome->report);
	state_close(&outcome->state);
}
