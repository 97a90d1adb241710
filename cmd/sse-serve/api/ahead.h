/* SPDX-License-Identifier: MIT */
/*
 * Requests that name an event which another node has already and this one has not: they wait until it has
 * come.
 */
#ifndef AHEAD_H
#define AHEAD_H

#include <stdbool.h>

struct request;

/*
 * ahead_wait(request): does the request name an event of the log that is not here yet?  Then it waits for
 * that, at most some seconds, before its handler runs.
 */
bool ahead_wait(struct request *request);

#endif
