/* SPDX-License-Identifier: MIT */
/* GET /healthz: the server runs; GET /readyz: it can store events, or 503 with what is wrong. */
#ifndef HEALTH_H
#define HEALTH_H

#include "http/request.h"

void health_live(struct request *request);
void health_ready(struct request *request);

#endif
