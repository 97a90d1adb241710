/* SPDX-License-Identifier: MIT */
/*
 * What becomes of the events of the input: each is accepted, refused, put into the spool, or given
 * up.  The report and the state file are told.  A run that fails keeps the first reason for it.
 */
#ifndef OUTCOME_H
#define OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deliver.h"
#include "error.h"
#include "event/group.h"
#include "input.h"
#include "options.h"
#include "report.h"
#include "run_spool.h"
#include "state.h"

/* Read the fields, do not write them. */
struct outcome {
	const struct options *options;
	struct input *input;
	struct run_spool *spool;
	struct report report;
	struct state state;
	struct deliver_listener listener; /* for the groups of the input */
	bool failed;
	struct error error; /* the first reason */
	uint64_t first; /* line of the first event that was not accepted; 0: none, or not known */
};

/*
 * outcome_open(outcome, options, input, spool, error):
 * Open the state file, if the options name one.  ${input} and ${spool} outlive the outcome, which
 * does not move, and may still be closed.  0, or -1 as state_open().  outcome_close() frees, also
 * after a failure; it takes a struct of zeros.
 */
int outcome_open(struct outcome *outcome, const struct options *options, struct input *input,
	struct run_spool *spool, struct error *error);
void outcome_close(struct outcome *outcome);

/* outcome_fail(outcome, error): the run fails; ${error} is the reason, unless there is one. */
void outcome_fail(struct outcome *outcome, const struct error *error);

/* outcome_give_up(outcome, group, from, error): fail; the events from ${from} on are not sent. */
void outcome_give_up(
	struct outcome *outcome, const struct group *group, size_t from, const struct error *error);

/*
 * outcome_spool(outcome, group, from):
 * Put the events from ${from} on into the spool, which is open.  Those for which that fails are
 * given up; then false.
 */
bool outcome_spool(struct outcome *outcome, const struct group *group, size_t from);

/* outcome_skipped(outcome, group): the source goes on after what had no event, group->skipped_id. */
void outcome_skipped(struct outcome *outcome, const struct group *group);

/* outcome_write(outcome): write the report's lines, and the state when that is due. */
void outcome_write(struct outcome *outcome);

/*
 * outcome_conclude(outcome, ready, error):
 * The end of the run; ${ready} are events that were read and not sent, or NULL.  0 if the server or
 * the spool has all events of the input; otherwise -1, and ${error} says what was not sent, and why.
 */
int outcome_conclude(struct outcome *outcome, const struct group *ready, struct error *error);

#endif
