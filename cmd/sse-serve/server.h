/* SPDX-License-Identifier: MIT */
/* The server creates its parts, hands each part what it needs, and ends them in the right order. */
#ifndef SERVER_H
#define SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "http/listen.h"
#include "options.h"

struct server;

/*
 * server_start(options, listeners, error):
 * Open the log and start all threads; ${options} and ${listeners} outlive the server.  NULL with a
 * reason.
 */
struct server *server_start(
	const struct options *options, const struct listeners *listeners, struct error *error);

/*
 * server_reload(server, options, error):
 * Read the files of --access, --jwt-keys, --hook and TLS again, of those that were given, and use the
 * live options of ${options}; its others are those of the start.  Return 0, and ${options}, which
 * options_free() and free() release, is the server's; or -1 with the reason, and nothing has
 * changed.  Not on a loop, one thread at a time.
 */
int server_reload(struct server *server, struct options *options, struct error *error);

/*
 * server_look_at_certificates(server, error):
 * Did the files of TLS change since they were last read?  Call it every few seconds.  1: they did, and
 * are used from now on; 0: they did not; -1: they cannot be used, with the reason, which is given once
 * for each change, and the old ones stay in force.
 */
int server_look_at_certificates(struct server *server, struct error *error);

/* server_loops(server): how many loops it has. */
unsigned server_loops(const struct server *server);

/* server_streams(server): how many streams are open. */
size_t server_streams(const struct server *server);

/*
 * server_ask(server), server_hung(server):
 * Ask all loops whether they turn; later, the number of one that has not answered, or 0.
 */
void server_ask(struct server *server);
unsigned server_hung(const struct server *server);

/* server_leave(server): it will stop: /readyz says so, and all else goes on. */
void server_leave(struct server *server);

/*
 * server_drain(server, span):
 * Accept nothing more, end the streams spread over ${span} ms (0: leave them open), answer what was
 * accepted, and close connections after their answers.
 */
void server_drain(struct server *server, uint32_t span);

/* server_accepts(server): does any loop use the listening sockets still? */
bool server_accepts(const struct server *server);

/* server_drained(server): after server_drain(), is all of that done? */
bool server_drained(const struct server *server);

/*
 * server_stop(server): answer the requests that wait, end all streams and threads, close the log.
 */
void server_stop(struct server *server);

#endif
