/* SPDX-License-Identifier: MIT */
/* POST /api/{topic}: check the events, hand them to the log thread, answer when they are safe. */
#ifndef PUBLISH_H
#define PUBLISH_H

#include "http/http.h"

/* The head: may this page publish, is the type of the body one that we take? */
void publish_check(struct request *request);

/* The body. */
void publish_run(struct request *request);

#endif
