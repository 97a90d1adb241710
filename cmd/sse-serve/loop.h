/* SPDX-License-Identifier: MIT */
/*
 * A loop: one thread with its own epoll, HTTP daemon, subscribers and timers.  Loops share nothing
 * but the window and the listening sockets.
 */
#ifndef LOOP_H
#define LOOP_H

#include <stdbool.h>

#include "error.h"
#include "listen.h"
#include "mailbox.h"
#include "server.h"

struct loop;

/*
 * loop_new(server, number, listeners, error):
 * Make a loop that reads the window as reader ${number}.  It does not run yet.
 */
struct loop *loop_new(struct server *server, unsigned number, const struct listeners *listeners,
	struct error *error);

/* loop_mailbox(loop): where the log thread and the replay thread post to it. */
struct mailbox *loop_mailbox(struct loop *loop);

/* loop_fanout(loop): where streams are placed. */
struct fanout *loop_fanout(struct loop *loop);

/* loop_start(loop, error): start the thread. */
int loop_start(struct loop *loop, struct error *error);

/*
 * loop_stop(loop):
 * Stop accepting, answer the requests that wait for the log, end the streams, end the thread.
 * The log thread and the replay thread still run.  Takes NULL.
 */
void loop_stop(struct loop *loop);

/* loop_free(loop): after loop_stop(), or if it was never started.  Takes NULL. */
void loop_free(struct loop *loop);

#endif
