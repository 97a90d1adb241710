/* SPDX-License-Identifier: MIT */
/* GET /api/{topic}: the stored events as a list; GET /api/{topic}/{id}: one of them. */
#ifndef HISTORY_H
#define HISTORY_H

#include "http/request.h"

/*
 * Answers a JSON array of the data, oldest first (or one line each, where NDJSON is accepted);
 * ?envelope=1 gives {"topic","id","time","event","data"}; ?limit=N the newest N, ?before=ID those
 * before it, ?since= as for streams.  The header Last-Event-ID names the event after which a stream
 * continues without a gap or an overlap.  The replay thread reads the log in chunks, so memory is
 * bounded.
 */
void history_list(struct request *request);

void history_event(struct request *request);

#endif
