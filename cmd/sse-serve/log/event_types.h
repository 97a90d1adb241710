/* SPDX-License-Identifier: MIT */
/* The event types that a reader wants. */
#ifndef EVENT_TYPES_H
#define EVENT_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "sse.h"

/* Valid types, which belong to the reader's selection; none means all. */
struct event_types {
	const char *const *names;
	size_t count;
};

/* event_types_have(types, type): does the reader want events of this type? */
static inline bool event_types_have(const struct event_types *types, struct sse_text type)
{
	for (size_t i = 0; i < types->count; i++) {
		if (strlen(types->names[i]) == type.len &&
			memcmp(types->names[i], type.data, type.len) == 0)
			return true;
	}
	return types->count == 0;
}

#endif
