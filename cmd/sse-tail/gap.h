/* SPDX-License-Identifier: MIT */
/* The event by which sse-serve tells that events are missing from here on. */
#ifndef GAP_H
#define GAP_H

#include <stdbool.h>

#include "buf.h"
#include "sse.h"

/*
 * gap_read(event, sentence):
 * Is this such an event: of type gap, its data an object with a reason?  If so, append what it
 * says as a sentence for a person, not yet fit for a terminal.
 */
bool gap_read(const struct sse_event *event, struct buf *sentence);

#endif
