/* SPDX-License-Identifier: MIT */
/* A sse-serve of one's own, to be killed and started again. */
#ifndef SERVER_H
#define SERVER_H

#include <stdbool.h>
#include <sys/types.h>

struct server {
	const char *program;
	char *const *more;   /* further arguments, ended by NULL */
	const char *preload; /* what LD_PRELOAD names, or NULL */
	char folder[200];    /* it has events.db, and the server's log */
	int port;
	pid_t pid;  /* 0: it does not run */
	int out;    /* its standard output */
	bool asked; /* to end, by SIGTERM */
	bool again; /* it may end with 75 before it listens, when what it needs is not there */
	bool listens;
};

/* server_folder(server): a new folder, in TMPDIR or /tmp. */
void server_folder(struct server *server);

/* server_launch(server): start it, without waiting for anything. */
void server_launch(struct server *server);

/*
 * server_wait(server): until it listens; that it ends or takes 30 s fails the test.  One that may end
 * is started again.
 */
void server_wait(struct server *server);

/* server_ask(server): SIGTERM, without waiting for anything. */
void server_ask(struct server *server);

/* server_kill(server): kill -9, and wait until it is gone; it ended by itself only if asked to. */
void server_kill(struct server *server);

/* server_stop(server): SIGTERM; it must end with 0 within 30 s. */
void server_stop(struct server *server);

/* server_remove(server): the folder and all that is in it. */
void server_remove(struct server *server);

#endif
