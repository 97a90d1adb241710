/* SPDX-License-Identifier: MIT */
/*
 * The clients' connections of one loop, each with the deadline of its present step.  The library's
 * own timeout would not do, because it starts again at each byte.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "tls/tls.h"

#define CONNECTION_NEVER INT64_MAX

struct relay;
struct request;

struct connection {
	int fd;			  /* the library's */
	int64_t began;		  /* by clock_now_ms() */
	int64_t deadline;	  /* likewise; or CONNECTION_NEVER */
	struct request *request;  /* that has not ended, or NULL */
	struct relay *relay;	  /* that passes on what a TLS client sends; or NULL */
	bool secure;		  /* the client speaks TLS with us */
	struct tls_client client; /* whose certificate it has shown; owned.  No subject: nobody's */
	bool used;		  /* it has brought a request */
	struct connection *next, **back;
	union {
		struct sockaddr any; /* of a local socket only the family is right */
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} local; /* for connection_local() */
};

/*
 * connection_new(list, fd, ms):
 * Add a connection to the list, NULL when empty; it has ${ms} for its first step.  NULL without
 * memory.  ${fd} stays the caller's.
 */
struct connection *connection_new(struct connection **list, int fd, int64_t ms);

/* connection_set_deadline(connection, ms): what it does now must be done within ${ms}, or
 * CONNECTION_NEVER. */
void connection_set_deadline(struct connection *connection, int64_t ms);

/*
 * connection_tick(list, now):
 * Shut down, once, each connection whose deadline has passed.  The library notices, and closes it.
 */
void connection_tick(struct connection *list, int64_t now);

/*
 * connection_local(connection):
 * The address that it came in on, which the system is asked for once.  It is the connection's.
 */
const struct sockaddr *connection_local(struct connection *connection);

/*
 * connection_set_relay(connection):
 * Its relay was set: it is secure, and it came in on the address of the relay's socket.
 */
void connection_set_relay(struct connection *connection);

/*
 * connection_pending(list, since):
 * Does one of the connections have a request that has not ended?  A connection that began at
 * ${since}, by clock_now_ms(), or later, and has had no request yet, counts too: the request may be
 * on its way.
 */
bool connection_pending(const struct connection *list, int64_t since);

/* connection_free(connection): remove it from its list.  Takes NULL. */
void connection_free(struct connection *connection);

#endif
