/* SPDX-License-Identifier: MIT */
/*
 * The report on each event, for programs (-o json, on the standard output) and for people (-v, and
 * a line of progress on a terminal); and the counts at the end of an error.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "deliver.h"
#include "error.h"
#include "event/group.h"
#include "input.h"
#include "options.h"

struct report {
	const struct options *options;
	struct buf lines;   /* for the standard output */
	struct error error; /* why lines cannot be written; or status 0 */
	uint64_t accepted, spooled, refused;
	int64_t start, shown_at; /* moments of clock_now_ms() */
	bool shows, shown;	 /* progress */
};

/* report_open(report, options) / report_close(report). */
void report_open(struct report *report, const struct options *options);
void report_close(struct report *report);

/* The server has ${count} events of the slot's group, from ${from} on. */
void report_accepted(struct report *report, const struct slot *slot, size_t from, size_t count);

/* One event was refused, or will not be sent; ${error} says why. */
void report_refused(
	struct report *report, const struct group *group, size_t index, const struct error *error);
void report_failed(
	struct report *report, const struct group *group, size_t index, const struct error *error);

/* The events from ${from} on are in the spool. */
void report_spooled(struct report *report, const struct group *group, size_t from);

/* report_flush(report): write the lines; false if that fails, see the error. */
bool report_flush(struct report *report);

/*
 * report_progress(report, input):
 * Show the progress, if this is a terminal, there are many events, and it has taken a second.
 * Return the moment by which to call again.  report_end() puts a summary in its place.
 */
int64_t report_progress(struct report *report, const struct input *input);
void report_end(struct report *report);

/*
 * report_account(report, input, line, error):
 * Append to the reason in ${error} how many of how many events were accepted, and that the event of
 * ${line} is the first that was not (0: no such event).  For a single event, append that it is
 * stored or in the spool all the same.
 */
void report_account(
	const struct report *report, struct input *input, uint64_t line, struct error *error);

#endif
