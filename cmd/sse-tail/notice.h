/* SPDX-License-Identifier: MIT */
/*
 * What sse-serve tells a reader beside the events: that some are missing (gap.h), or were deleted
 * (deleted.h), or that the topic is closed (lib/follow/closing.h).
 */
#ifndef NOTICE_H
#define NOTICE_H

#include <stdbool.h>

#include "client.h"
#include "error.h"
#include "filter.h"
#include "options.h"
#include "output.h"

struct notice {
	struct output *output;
	struct filter *filter;
	const struct options *options;
	const struct client *client;
};

/*
 * notice_take(notice, event, error):
 * A user must not lose events silently: if the format does not show such an event, report it on the
 * standard error.  Return whether it was one that is handled; with --strict a gap sets ${error}.
 */
bool notice_take(const struct notice *notice, const struct sse_event *event, struct error *error);

#endif
