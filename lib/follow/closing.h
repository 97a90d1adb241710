/* SPDX-License-Identifier: MIT */
/*
 * The event with which sse-serve closes a topic.  Its type is closed, it has an id, and its data is
 * {}, or the envelope of that.  An event of another server is unlikely to be all of this.
 */
#ifndef CLOSING_H
#define CLOSING_H

#include <stdbool.h>

#include "sse.h"

/* closing_read(event): is this that event? */
bool closing_read(const struct sse_event *event);

#endif
