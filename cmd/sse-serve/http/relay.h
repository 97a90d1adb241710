/* SPDX-License-Identifier: MIT */
/*
 * Relays: the clients that speak TLS, as long as they send requests.  A relay makes the handshake,
 * then gives libmicrohttpd one end of a socketpair, as it would give it a client's socket, and
 * passes plain bytes between that pair and the TLS session.  What the library does to its end, a
 * relay does to its client: it passes on the end of what either side sends.  When a request becomes
 * a stream, the relay gives the socket and the session away, and ends.
 *
 * All on the thread of one loop.
 */
#ifndef RELAY_H
#define RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct MHD_Daemon;
struct certificates;
struct lingerers;
struct relay;
struct tls;
struct tls_client;

/* Those of a loop.  The first members are set by its owner; any thread may read the counters. */
struct relays {
	int epoll;
	struct certificates *certificates;
	struct lingerers *lingerers;
	int64_t timeout; /* ms for a handshake */
	bool *wants_run; /* set when the library has something to do */
	bool verbose;	 /* log handshakes that fail */
	struct MHD_Daemon *daemon;

	_Atomic uint64_t handshakes, failures; /* of those that are over */

	int steps; /* of handshakes that are still made in this turn */
	struct relay *first, *arriving, *ended;
};

/*
 * relay_new(relays, fd, address, len):
 * Begin with a client that has just connected.  Takes ${fd}, which is non-blocking.
 */
void relay_new(struct relays *relays, int fd, const struct sockaddr *address, socklen_t len);

/*
 * relay_claim(relays, end, holder):
 * The library has begun with a socket.  If it is the ${end} of a relay, store the relay in
 * *${holder}, which becomes NULL when the relay ends.
 */
void relay_claim(struct relays *relays, int end, struct relay **holder);

/* relay_release(relay): the holder is gone.  Takes NULL. */
void relay_release(struct relay *relay);

/* relay_socket(relay): the client's socket, which stays the relay's. */
int relay_socket(const struct relay *relay);

/* relay_client(relay): who the client is, or NULL: tls_client(). */
const struct tls_client *relay_client(const struct relay *relay);

/*
 * relay_take(relay, tls):
 * End the relay, but not its connection: store the session in *${tls}, and return the socket.  Both
 * belong to the caller.  -1 with errno, and the relay goes on, if the client has not yet taken all
 * that the library sent.
 */
int relay_take(struct relay *relay, struct tls **tls);

/* relays_settle(relays): the library has run.  End relays whose sockets it did not take. */
void relays_settle(struct relays *relays);

/* relays_turn(relays): a turn of the loop begins. */
void relays_turn(struct relays *relays);

/* relays_tick(relays, now): end those that take too long, and free what has ended. */
void relays_tick(struct relays *relays, int64_t now);

/*
 * relays_pending(relays, since):
 * Is a handshake in progress, or is there a client that has not yet taken all that the library
 * sent?  A client that connected at ${since}, by clock_now_ms(), or later, and has not begun its
 * handshake yet, counts too.
 */
bool relays_pending(const struct relays *relays, int64_t since);

/* relays_close(relays): the library has ended: send what it sent last, and end all. */
void relays_close(struct relays *relays);

#endif
