/* SPDX-License-Identifier: MIT */
/* How the server takes its leave: first it says so, then it stops accepting, then streams end. */
#ifndef DRAIN_H
#define DRAIN_H

#include <stdint.h>

#include "http/listen.h"
#include "watch.h"

/*
 * drain_run(watch, delay, span, listeners):
 * For ${delay} ms only /readyz says that the server is stopping.  Then nothing more is accepted,
 * the ${listeners} are closed, the streams end spread over ${span} ms (0: none ends), and what was
 * accepted is answered; slow clients have until the end of the span, or two seconds.  Return when
 * all is done, or after a second signal; a further one ends the process.  main's thread.
 */
void drain_run(struct watch *watch, int64_t delay, int64_t span, struct listeners *listeners);

#endif
