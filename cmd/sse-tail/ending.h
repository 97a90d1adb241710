/* SPDX-License-Identifier: MIT */
/* What the end of a stream means for the run: was it what the options ask for? */
#ifndef ENDING_H
#define ENDING_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "follow.h"
#include "follow_run.h"
#include "options.h"

/* A run whose stream is over. */
struct ending {
	const struct options *options;
	const char *shown_url;
	int64_t end;	    /* of --timeout; a moment of clock_now_ms() */
	int64_t shown;	    /* events */
	bool time_up;	    /* --timeout came amid a piece of the stream */
	struct error error; /* why the sink stopped; status 0 if it had enough */
};

/*
 * ending_judge(ending, end, error):
 * Following ended so, with ${error} as follow_run() left it.  Return 0, or -1 with the reason for
 * the exit status.
 */
int ending_judge(const struct ending *ending, enum follow_end end, struct error *error);

/*
 * ending_explain(options, end, error):
 * Why the run ends so, for -v; NULL where something else says it.
 */
const char *ending_explain(
	const struct options *options, enum follow_end end, const struct error *error);

#endif
