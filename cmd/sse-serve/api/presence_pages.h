/* SPDX-License-Identifier: MIT */
/* GET /api/{topic}/presence: the names that are present, and how many streams read the topic. */
#ifndef PRESENCE_PAGES_H
#define PRESENCE_PAGES_H

#include "http/request.h"

/* Answers {"count":2,"names":["Ada","Bob"],"streams":5}. */
void presence_pages_run(struct request *request);

#endif
