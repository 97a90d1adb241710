/* SPDX-License-Identifier: MIT */
/* GET /api/{topic}: the stored events as a list; GET /api/{topic}/{id}: one of them. */
#ifndef HISTORY_H
#define HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "http/request.h"

/*
 * Answers a JSON array of the data, oldest first (or one line each, where NDJSON is accepted);
 * ?envelope=1 gives {"topic","id","time","event","data"}; ?limit=N the newest N, ?before=ID those
 * before it, ?after=ID those after it, ?since= as for streams.  The header Last-Event-ID names the
 * event after which a stream continues without a gap or an overlap.  The replay thread reads the
 * log in chunks, so memory is bounded.
 */
void history_list(struct request *request);

void history_event(struct request *request);

/* Why a list that begins after an event is answered 410, if what follows that event was removed. */
#define HISTORY_GONE                                                                                \
	"events after that id are no longer kept; list the topic without 'after', and continue after " \
	"the Last-Event-ID of that list"

/*
 * history_wants_lines(request): is NDJSON accepted, and preferred?  history_type(lines): its type.
 */
bool history_wants_lines(const struct request *request);
const char *history_type(bool lines);

/*
 * history_read_after(request, head, after, error):
 * Read ?after=, if it is given: an id of this log up to the position ${head}.  Return 0, or -1 with
 * what would be right.
 */
int history_read_after(
	const struct request *request, uint64_t head, uint64_t *after, struct error *error);

#endif
