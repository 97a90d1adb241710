/* SPDX-License-Identifier: MIT */
/*
 * Selects the events of a stream: types by glob, one value of JSON data by pointer, and the data or
 * types that end the stream.  The settings for a service's streams are a preset: one row of
 * filter_presets[].
 */
#ifndef FILTER_H
#define FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "error.h"
#include "option.h"
#include "sse.h"

struct filter_options {
	struct option_list events, not_events; /* globs */
	struct option_list pointers;	       /* [GLOB:]/PLACE */
	struct option_list done;	       /* data that ends it */
	struct option_list done_events;	       /* globs that end it */
	int preset;			       /* index in filter_presets[]; -1: none */
};

/* The value at ${pointer} of events whose type matches ${glob}. */
struct filter_rule {
	const char *glob, *pointer;
};

#define FILTER_PRESET_RULES 4
#define FILTER_PRESETS_MAX 8

struct filter_preset {
	const char *name;			       /* the word for --llm; NULL ends the table */
	struct filter_rule texts[FILTER_PRESET_RULES]; /* the running text */
	struct filter_rule errors[FILTER_PRESET_RULES]; /* present only if the service failed */
	/* What ends it, or NULL: this data, this type, or that this place is true, in the last piece. */
	const char *done, *done_event, *done_place;
};
extern const struct filter_preset filter_presets[];

enum filter_result {
	FILTER_SKIP,
	FILTER_SHOW,
	FILTER_LAST, /* show it, and end */
	FILTER_DONE,
	FILTER_ERROR, /* the stream reports a failure, or memory ran out */
};

struct filter {
	const struct filter_options *options;
	const struct filter_preset *preset; /* NULL: none */
	struct filter_rule *rules;	    /* of the options; owned, and their globs */
	size_t rule_count;
	bool named; /* a rule depends on an event's type */
	struct buf name, value;
};

/*
 * filter_open(filter, options, error): EX_USAGE if a pointer is not valid.  The caller frees with
 * filter_close(), also after a failure; it takes a struct that is all zero.
 */
int filter_open(struct filter *filter, const struct filter_options *options, struct error *error);
void filter_close(struct filter *filter);

/* filter_wants(filter, type): is this a type that -e and --not-event let through? */
bool filter_wants(struct filter *filter, struct sse_text type);

/*
 * filter_event(filter, event, wanted, error):
 * With FILTER_SHOW and FILTER_LAST, ${wanted} is the event to show, valid until the next call.
 * With FILTER_ERROR the error is set: EX_UNAVAILABLE with the service's own words, or EX_OSERR.
 */
enum filter_result filter_event(struct filter *filter, const struct sse_event *event,
	struct sse_event *wanted, struct error *error);

#endif
