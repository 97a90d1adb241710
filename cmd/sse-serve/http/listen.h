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
	bool secure[LISTEN_MAX];    /* its clients speak TLS */
	size_t count;
	int secure_port; /* of the first that is secure; 0: none; -1: not bound */
	bool check;	 /* bind nothing: only say what is wrong */
	char url[300];	 /* for a person to open: http://localhost:8000 */
	char all[1000];	 /* every address, for the log */
};

/*
 * listen_open(places, open, tls, listeners, error):
 * Bind and listen at ${places}, as --listen gives them, by default on port 8000 of the loopback
 * addresses that exist.  With ${tls}, clients of all but http: and local sockets speak TLS.
 * EX_USAGE if a place is not valid (or is beyond loopback without ${open}),
 * EX_UNAVAILABLE if a port is in use, EX_NOPERM if the user may not bind it.
 */
int listen_open(const struct option_list *places, bool open, bool tls, struct listeners *listeners,
	struct error *error);

/* listen_without_scheme(place): what follows http: or https:, perhaps with //, in --listen. */
const char *listen_without_scheme(const char *place);

/* listen_scheme(secure): "https" or "http". */
const char *listen_scheme(bool secure);

/*
 * listen_check(places, open, tls, listeners, error): the same, but nothing is bound, so that only
 * EX_USAGE is possible; a port of 0 stays 0.
 */
int listen_check(const struct option_list *places, bool open, bool tls, struct listeners *listeners,
	struct error *error);

/*
 * listen_add(listeners, fd, url, secure, error):
 * Add a socket that listens at ${url}, with TLS if it is ${secure}; takes ${fd}.  -1 if there are
 * too many (EX_USAGE).
 */
int listen_add(
	struct listeners *listeners, int fd, const char *url, bool secure, struct error *error);

/*
 * listen_check_tls(listeners, tls, error): after all were added: with ${tls}, does one have it?
 * EX_USAGE if not.
 */
int listen_check_tls(const struct listeners *listeners, bool tls, struct error *error);

/* listen_close(listeners): close all, and remove local sockets. */
void listen_close(struct listeners *listeners);

#endif
