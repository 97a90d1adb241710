/* SPDX-License-Identifier: MIT */
/* GET /api/{topic}?wait=: a list that waits until there is something to list. */
#ifndef API_POLL_H
#define API_POLL_H

#include "http/request.h"

/*
 * poll_list(request):
 * Answer as history_list() does; but with ?wait=, answer what is stored after ?after= (without it,
 * after now): at once if there is something, otherwise as soon as there is, or with 204 when that
 * time is over.
 */
void poll_list(struct request *request);

#endif
