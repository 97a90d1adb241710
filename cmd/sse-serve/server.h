/* SPDX-License-Identifier: MIT */
/* The server creates its parts, hands each part what it needs, and ends them in the right order. */
#ifndef SERVER_H
#define SERVER_H

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
 * server_check(options, error):
 * Read the files of --access, --jwt-keys and --hook, as a start would.  Return 0, or -1 with the
 * reason.
 */
int server_check(const struct options *options, struct error *error);

/*
 * server_look_at_certificates(server, error):
 * Did the files of TLS change since they were last read?  Call it every few seconds.  1: they did, and
 * are used from now on; 0: they did not; -1: they cannot be used, with the reason, which is given once
 * for each change, and the old ones stay in force.
 */
int server_look_at_certificates(struct server *server, struct error *error);

/* server_loops(server): how many loops it has. */
unsigned server_loops(const struct server *server);

/*
 * server_stop(server): answer the requests that wait, end all streams and threads, close the log.
 */
void server_stop(struct server *server);

#endif
