/* SPDX-License-Identifier: MIT */
/*
 * A NATS server of the test's own, on a free port of loopback, with a folder of its own: for logs that
 * several nodes share.
 */
#ifndef PARTS_NATS_H
#define PARTS_NATS_H

#include <stddef.h>

#include "nats/servers.h"

/*
 * nats_needed():
 * Start it, unless it runs.  Skips the test, and says why, where there is no nats-server, or where
 * sse-serve is built without the C client of NATS.
 */
void nats_needed(void);

/*
 * nats_kill(): end it by kill -9; its folder stays.
 * nats_start(): start it again, at the same port.
 * nats_tear_down(state): end it, and remove its folder; for cmocka_run_group_tests_name().
 */
void nats_kill(void);
void nats_start(void);
int nats_tear_down(void **state);

/* nats_new_log(): from now on nats_servers() name another log, that does not exist yet. */
void nats_new_log(void);
const struct servers *nats_servers(void);

/*
 * nats_ask(subject, body, answer, size):
 * Send a request to the server, as `nats request` does, and wait for the answer.  In ${subject} and
 * ${body} each @ stands for the name of the log.
 */
void nats_ask(const char *subject, const char *body, char *answer, size_t size);

#endif
