/* SPDX-License-Identifier: MIT */
/* Which of sse-serve's own events is it?  Every event is asked, and almost none is one. */
#ifndef EVENT_TYPE_H
#define EVENT_TYPE_H

#include <stdbool.h>
#include <string.h>

#include "sse.h"

/* event_type_is(event, type) */
static inline bool event_type_is(const struct sse_event *event, const char *type)
{
	size_t len = strlen(type);

	return event->type.len == len && memcmp(event->type.data, type, len) == 0;
}

/* event_type_is_mark(event): is it the mark that a stream has caught up, which has no id? */
static inline bool event_type_is_mark(const struct sse_event *event)
{
	return !event->has_id && event_type_is(event, "uptodate");
}

#endif
