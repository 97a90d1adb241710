/* SPDX-License-Identifier: MIT */
/* The end of the stream; see ending.h. */
#include <inttypes.h>
#include <sysexits.h>

#include "clock.h"
#include "ending.h"

/* --timeout, or --until-idle, is over. */
static int judge_time(const struct ending *ending, struct error *error)
{
	const struct options *options = ending->options;
	struct error reason = *error;

	if (options->count > 0)
		return error_set(error, EX_TEMPFAIL,
			"the time of --%s is up, and %" PRId64 " of %" PRId64 " events came",
			clock_now_ms() < ending->end ? "until-idle" : "timeout", ending->shown,
			options->count);
	/* Nothing came because no stream was open: that is not idle time. */
	if (clock_now_ms() < ending->end && reason.status != 0)
		return error_set(error, EX_TEMPFAIL, "the time of --until-idle is up, but %.400s",
			reason.text);
	return 0;
}

/*
 * The stream is over: if an end of it was asked for, or is known, half of it is not all.  What is
 * closed for good has no stored events after its end.
 */
static int judge_end(const struct ending *ending, enum follow_end end, struct error *error)
{
	const struct filter_options *options = &ending->options->filter;
	bool until = ending->options->until >= 0 && end != FOLLOW_CLOSED;

	const char *missing = options->preset >= 0 || until ? "its end mark"
			      : options->done.count + options->done_events.count > 0 ? "--done"
										     : NULL;

	if (missing == NULL)
		return 0;
	return error_set(error, EX_UNAVAILABLE, "%.200s ended the stream before %s came",
		ending->shown_url, missing);
}

const char *ending_explain(
	const struct options *options, enum follow_end end, const struct error *error)
{
	switch (end) {
	case FOLLOW_ENDED:
		return "the server ended the stream";
	case FOLLOW_CLOSED:
		return "the stream is over for good: there is no more to come";
	case FOLLOW_STOPPED:
		return error->status != 0    ? NULL
		       : options->until >= 0 ? "the end that was asked for has come"
					     : "that is enough, as was asked for";
	case FOLLOW_TIME:
		return "the time is up";
	case FOLLOW_ON:
	case FOLLOW_FAILED:
		break;
	}
	return NULL;
}

int ending_judge(const struct ending *ending, enum follow_end end, struct error *error)
{
	switch (end) {
	case FOLLOW_CLOSED:
	case FOLLOW_ENDED:
		return judge_end(ending, end, error);
	case FOLLOW_STOPPED:
		if (ending->time_up)
			return judge_time(ending, error);
		*error = ending->error;
		return error->status == 0 ? 0 : -1;
	case FOLLOW_TIME:
		return judge_time(ending, error);
	case FOLLOW_ON:
	case FOLLOW_FAILED:
		break;
	}
	return -1;
}
