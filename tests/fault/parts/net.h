/* SPDX-License-Identifier: MIT */
/* As much HTTP as the fault tests need, over blocking sockets to the loopback. */
#ifndef NET_H
#define NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* For this long a server may be silent in the middle of something; then the test fails. */
#define NET_PATIENCE_MS 30000

/* net_pause(ms): sleep. */
void net_pause(uint64_t ms);

/*
 * net_free_port(): a port of the loopback that nobody uses.  It is not one of those that the
 * system gives to clients: a client that knocks at such a port while the server is down can be
 * connected to itself.
 */
int net_free_port(void);

/* net_dial(port): a connection, or -1: nobody listens.  net_dial_at(): likewise, elsewhere. */
int net_dial(int port);
int net_dial_at(const char *address, int port);

/*
 * net_spread(ports, count): from now on, net_dial(NET_ANY) goes to one of these, at random.  Before there
 * are threads; the array stays in use.
 */
#define NET_ANY 0
void net_spread(const int *ports, size_t count);

/* net_send(fd, data, len): all of it; false if the other side is gone. */
bool net_send(int fd, const void *data, size_t len);

/* What is read of one answer at a time. */
struct net_input {
	const char *who; /* waits for it, for the sentence if nothing comes */
	char bytes[65536];
	size_t from, upto;
	bool chunked;
	size_t left; /* of the body, or of its chunk */
	bool silence_ends; /* the connection, instead of the test */
};

/*
 * net_head(fd, input, head, size):
 * Read the head of an answer into ${head}, NUL-terminated.  Return the status, or -1 if the
 * connection ended first.
 */
int net_head(int fd, struct net_input *input, char *head, size_t size);

/* net_header(head, name, value, size): a field of the head; false if it is not there. */
bool net_header(const char *head, const char *name, char *value, size_t size);

/* net_body(fd, input, out, len): read ${len} bytes; false if the connection ended first. */
bool net_body(int fd, struct net_input *input, char *out, size_t len);

/*
 * net_fill(fd, input): read what is there, at least a byte, if nothing is left in ${input}.
 * False at the end of the connection.
 */
bool net_fill(int fd, struct net_input *input);

/*
 * net_next(fd, input):
 * The next byte of the body whose head net_head() has just read, chunked or not, or -1 at its end.
 * A body that ends too early fails the test.
 */
int net_next(int fd, struct net_input *input);

/* net_ask(port, method, target, headers, body): a request by itself; the status, or -1. */
int net_ask(int port, const char *method, const char *target, const char *headers, const char *body,
	char *head, size_t size);

#endif
