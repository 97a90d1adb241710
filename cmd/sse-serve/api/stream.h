/* SPDX-License-Identifier: MIT */
/* GET /api/{topic}/event: find where to start, write the head, hand the socket to the fan-out. */
#ifndef STREAM_H
#define STREAM_H

#include "http/http.h"

void stream_check(struct request *request);
void stream_run(struct request *request);

/*
 * stream_since(text, since, error):
 * What the parameter `since` means, by lib/since.h; ms since 1970.  Return 0, or -1 with what is
 * wrong (EX_DATAERR).
 */
int stream_since(const char *text, int64_t *since, struct error *error);

#endif
