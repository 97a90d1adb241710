/* SPDX-License-Identifier: MIT */
/* GET /api/{topic}/event: find where to start, write the head, hand the socket to the fan-out. */
#ifndef STREAM_H
#define STREAM_H

#include "http/request.h"

void stream_check(struct request *request);
void stream_run(struct request *request);

struct opening;

/* stream_new_opening(request): one that asks for nothing yet; NULL without memory. */
struct opening *stream_new_opening(const struct request *request);

/*
 * stream_hand_over(request, opening):
 * Take the request's socket, and hand it to a loop with the opening.  Takes the opening; if a limit
 * is reached, the problem is replied.
 */
void stream_hand_over(struct request *request, struct opening *opening);

#endif
