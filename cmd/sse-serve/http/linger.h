/* SPDX-License-Identifier: MIT */
/*
 * Lingering close: a socket on which an answer was written while the client was still sending.
 * Closing it at once would reset the connection, and the client might never see the answer.  So the
 * server reads and drops what the client still sends, for a while.
 */
#ifndef LINGER_H
#define LINGER_H

#include <stdint.h>

struct lingerers {
	int epoll;
	struct lingering *first;
};

/* linger_add(lingerers, fd, now): take over a non-blocking socket whose answer is written. */
void linger_add(struct lingerers *lingerers, int fd, int64_t now);

/* linger_tick(lingerers, now): close those whose time is over.  ${now} is in ms. */
void linger_tick(struct lingerers *lingerers, int64_t now);

/* linger_close(lingerers): close all. */
void linger_close(struct lingerers *lingerers);

#endif
