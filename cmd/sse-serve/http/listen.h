/* SPDX-License-Identifier: MIT */
/* The sockets that the server listens on. */
#ifndef LISTEN_H
#define LISTEN_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"
#include "option.h"

#define LISTEN_MAX 16

struct listeners {
	int fds[LISTEN_MAX];
	char *paths[LISTEN_MAX];    /* of local sockets, to be removed at the end; or NULL */
	bool inherited[LISTEN_MAX]; /* another process listens too: see inherited.h */
	size_t count;
	bool check;	/* bind nothing: only say what is wrong */
	char url[300];	/* for a person to open: http://localhost:8000 */
	char all[1000]; /* every address, for the log */
};

/*
 * listen_open(places, open, listeners, error):
 * Bind and listen at ${places}, as --listen gives them, by default on port 8000 of the loopback
 * addresses that exist. EX_USAGE if a place is not valid (or is beyond loopback without ${open}),
 * EX_UNAVAILABLE if a port is in use, EX_NOPERM if the user may not bind it.
 */
int listen_open(const struct option_list *places, bool open, struct listeners *listeners,
	struct error *error);

/*
 * listen_check(places, open, listeners, error): the same, but nothing is bound, so that only
 * EX_USAGE is possible; a port of 0 stays 0.
 */
int listen_check(const struct option_list *places, bool open, struct listeners *listeners,
	struct error *error);

/*
 * listen_add(listeners, fd, url, error):
 * Add a socket that listens at ${url}; takes ${fd}.  -1 if there are too many (EX_USAGE).
 */
int listen_add(struct listeners *listeners, int fd, const char *url, struct error *error);

/* listen_close(listeners): close all, and remove local sockets. */
void listen_close(struct listeners *listeners);

#endif
