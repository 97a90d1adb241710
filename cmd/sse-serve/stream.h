/* SPDX-License-Identifier: MIT */
/* GET /api/{topic}/event: find where to start, write the head, hand the socket to the fan-out. */
#ifndef STREAM_H
#define STREAM_H

#include "http.h"

void stream_check(struct request *request);
void stream_run(struct request *request);

#endif
