/* SPDX-License-Identifier: MIT */
/* Connections to the server, which is on this machine, and what epoll tells about. */
#ifndef NET_H
#define NET_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

enum source_kind { SOURCE_STREAM, SOURCE_PUBLISHER, SOURCE_TIMER };

/* The first member of whatever epoll watches. */
struct source {
	enum source_kind kind;
	int fd;
};

/*
 * net_dial(port, number, error):
 * The ${number}th connection to 127.0.0.1: an address of ours has 28,000 ports, so the next ones
 * come from 127.0.0.2 and so on.  Return the socket, or -1.
 */
int net_dial(uint16_t port, size_t number, struct error *error);

#endif
