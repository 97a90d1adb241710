/* SPDX-License-Identifier: MIT */
/* The event with which sse-serve reports that events were deleted. */
#ifndef DELETED_H
#define DELETED_H

#include <stdbool.h>

#include "buf.h"
#include "sse.h"

/*
 * deleted_read(event, sentence):
 * Is this such an event: type deleted, no id of its own, data an object with an id, or with the id
 * up to which all are deleted?  If so, append a sentence for a person, not yet escaped for a
 * terminal.
 */
bool deleted_read(const struct sse_event *event, struct buf *sentence);

#endif
