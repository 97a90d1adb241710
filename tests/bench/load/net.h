/* SPDX-License-Identifier: MIT */
/*
 * Connections to the server, which is on this machine, plain or by TLS, and what epoll tells about.
 */
#ifndef NET_H
#define NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"

enum source_kind { SOURCE_STREAM, SOURCE_PUBLISHER, SOURCE_TIMER };

struct ssl_st;

/* The first member of whatever epoll watches. */
struct source {
	enum source_kind kind;
	int fd;		    /* -1: none */
	struct ssl_st *ssl; /* NULL: plain */
};

/*
 * net_dial(source, port, tls, number, error):
 * Make ${source} the ${number}th connection to 127.0.0.1: after 12,000
 * of them the next ones come from 127.0.0.2, and so on.  Of TLS, the handshake is still to be made.  0, or -1.
 */
int net_dial(struct source *source, uint16_t port, bool tls, size_t number, struct error *error);

/*
 * net_shake(source):
 * Continue the handshake.  1: it is done, or there is none to make.  0: it waits for the server.
 * -1: it failed, and standard error says why.
 */
int net_shake(struct source *source);

/* net_send(source, data, len): as send(), but waits until the socket took all. */
ssize_t net_send(struct source *source, const void *data, size_t len);

/*
 * net_recv(source, data, max):
 * As recv(), but does not wait.  Of TLS it is one record at most, so ${max} must have room for a
 * record: epoll does not tell of what is left of one.
 */
ssize_t net_recv(struct source *source, void *data, size_t max);

/*
 * net_stamp(source): from now on the kernel notes when it received what comes.  0, or -1.
 *
 * net_recv_stamped(source, data, max, when):
 * As net_recv(), of a source without TLS that net_stamp() was called for; ${when} is when the last of
 * these bytes were received, by now_ns()'s clock, however long ago that was.
 */
int net_stamp(struct source *source);
ssize_t net_recv_stamped(struct source *source, void *data, size_t max, uint64_t *when);

/* net_close(source): close it, after close_notify. */
void net_close(struct source *source);

/* net_session(): the version, cipher and group of the last handshake, in words. */
const char *net_session(void);

#endif
