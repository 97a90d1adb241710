/* SPDX-License-Identifier: MIT */
/*
 * A loop: one thread with its own epoll, HTTP daemon, subscribers and timers.  Loops share nothing
 * but the window and the listening sockets.
 */
#ifndef LOOP_H
#define LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mailbox.h"
#include "error.h"
#include "http/listen.h"

struct log_thread;
struct fanout;
struct fanouts;
struct http;
struct leaving;
struct loop;
struct metrics_sources;
struct presence;
struct settings;
struct topics;

/* The parts that all loops use; they outlive the loops. */
struct loop_config {
	struct topics *topics;
	struct log_thread *log_thread;
	struct presence *presence;
	struct fanouts *fanouts;
	const struct metrics_sources *metrics;
	struct settings *settings; /* those of the start; each loop holds them */
	const struct listeners *listeners;
	const struct leaving *leaving;
	uint32_t tick; /* ms between events of the demo; 0: none */
};

/*
 * loop_new(config, number, error):
 * Make a loop that reads the window as reader ${number}.  It does not run yet.
 */
struct loop *loop_new(const struct loop_config *config, unsigned number, struct error *error);

/* loop_mailbox(loop): where the log thread and the replay thread post to it. */
struct mailbox *loop_mailbox(struct loop *loop);

/* loop_fanout(loop): where streams are placed. */
struct fanout *loop_fanout(struct loop *loop);

/* loop_http(loop): the HTTP part, which counts its requests. */
struct http *loop_http(struct loop *loop);

/*
 * loop_use(loop, settings): from the next turn on, use these, which the loop holds.  Any thread, one
 * at a time.
 */
void loop_use(struct loop *loop, struct settings *settings);

/* loop_start(loop, error): start the thread. */
int loop_start(struct loop *loop, struct error *error);

/* loop_wake(loop): something that it looks at has changed.  Any thread. */
void loop_wake(struct loop *loop);

/*
 * loop_ask(loop):
 * Ask whether it turns; it has answered when loop_turns() is true.  main's thread, as what follows.
 */
void loop_ask(struct loop *loop);
bool loop_turns(const struct loop *loop);

/* loop_accepts(loop): does it still use the listening sockets? */
bool loop_accepts(const struct loop *loop);

/*
 * loop_drained(loop):
 * While the server drains (leaving.h): is all answered that it has accepted, and all ended that
 * ends before the server does?
 */
bool loop_drained(const struct loop *loop);

/*
 * loop_stop(loop):
 * Stop accepting, answer the requests that wait for the log, end the streams, end the thread.  Call
 * it while the log thread and the replay thread still run.  Takes NULL.
 */
void loop_stop(struct loop *loop);

/* loop_free(loop): after loop_stop(), or if it was never started.  Takes NULL. */
void loop_free(struct loop *loop);

#endif
