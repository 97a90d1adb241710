/* SPDX-License-Identifier: MIT */
/* GET /api/{topic}/event: find where to start, write the head, hand the socket to the fan-out. */
#ifndef STREAM_H
#define STREAM_H

#include "http/request.h"

void stream_check(struct request *request);
void stream_run(struct request *request);

/*
 * stream_since(text, since, error):
 * Read the parameter `since` as lib/since.h does, into ms since 1970.  Return 0, or -1 with the
 * reason (EX_DATAERR).
 */
int stream_since(const char *text, int64_t *since, struct error *error);

#endif
