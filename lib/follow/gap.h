/* SPDX-License-Identifier: MIT */
/* The event with which sse-serve reports that events are missing from here on. */
#ifndef GAP_H
#define GAP_H

#include <stdbool.h>

#include "buf.h"
#include "sse.h"

/*
 * gap_read(event, sentence):
 * Is this a gap event: type gap, data an object with a reason?  If so, append a sentence for a
 * person, not yet escaped for a terminal.
 */
bool gap_read(const struct sse_event *event, struct buf *sentence);

#endif
