/* SPDX-License-Identifier: MIT */
/*
 * POST /api/{topic}: check the events, hand them to the log thread, and answer after they are
 * stored.
 */
#ifndef PUBLISH_H
#define PUBLISH_H

#include "http/request.h"

/* Check the head: may this page publish, and does the server accept this Content-Type? */
void publish_check(struct request *request);

/* The body. */
void publish_run(struct request *request);

#endif
