/* SPDX-License-Identifier: MIT */
/*
 * A client's process: start and end, signals, and running a transfer or waiting until it is done, a
 * moment of clock_now_ms() is reached, or SIGINT or SIGTERM arrives.  One thread only.
 */
#ifndef CLIENT_RUN_H
#define CLIENT_RUN_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "error.h"

/*
 * client_start(error) / client_end():
 * Prepare the process, before it opens anything: open descriptors 0 to 2 if they are closed (so
 * that no socket gets one of them), ignore SIGPIPE and SIGXFSZ (a write fails instead), note
 * SIGINT, SIGTERM and, unless it is ignored, SIGHUP, and initialise libcurl.  The second signal of
 * a kind kills at once.
 */
int client_start(struct error *error);
void client_end(void);

/* client_signal(): the SIGINT, SIGTERM, SIGHUP or (see below) SIGPIPE that arrived, or 0. */
int client_signal(void);

/*
 * client_watch_hangup():
 * From now on, SIGHUP ends a wait with CLIENT_HANGUP, once, instead of killing.  If the terminal
 * that started the program is gone, it counts as a signal that arrived, like SIGTERM.  If it is
 * ignored (nohup), it stays ignored.
 */
void client_watch_hangup(void);

/* client_hangup(): did a SIGHUP arrive that was not reported yet?  It costs almost nothing. */
bool client_hangup(void);

/*
 * client_interrupt_at(moment):
 * From ${moment} on, each write() that blocks ends with EINTR within a second, so that the caller
 * can check the time.
 */
void client_interrupt_at(int64_t moment);

/*
 * client_watch_output(fd):
 * From now on, if ${fd} is a pipe or socket and its reader closes it, that counts as a SIGPIPE that
 * arrived.  Otherwise, only the next write would notice, which may be much later.
 */
void client_watch_output(int fd);

/*
 * client_stopped(error):
 * Put the signal that arrived into ${error}: exit status 128 + number, no text for SIGPIPE.  Return
 * -1.
 */
int client_stopped(struct error *error);

/* A task to run from time to time during waits. */
struct client_task {
	int64_t (*due)(void *context); /* the moment; CLIENT_NEVER for none */
	void (*run)(void *context);    /* called when it is due */
	void *context;
};

/* client_set_task(task): run this task from now on; it must outlive the waits.  NULL: no task. */
void client_set_task(const struct client_task *task);

enum client_outcome {
	CLIENT_DONE,   /* the transfer ended, or there is something to read */
	CLIENT_TIME,   /* the moment came first */
	CLIENT_SIGNAL, /* a signal came first, see client_signal() */
	CLIENT_HANGUP, /* SIGHUP came first, see client_watch_hangup() */
};

/*
 * client_run(multi, easy, until, code):
 * Run the transfer of ${easy} within ${multi}, which keeps its connections.  The transfer's
 * callbacks may move *${until} either way.  With CLIENT_DONE, *${code} is the transfer's result;
 * otherwise the transfer was ended early.
 */
enum client_outcome client_run(CURLM *multi, CURL *easy, const int64_t *until, CURLcode *code);

/*
 * client_poll(multi, fd, until):
 * Wait until a transfer of ${multi}, which the caller performs itself, may have something to do, or
 * ${fd} can be read (-1: no descriptor).
 */
enum client_outcome client_poll(CURLM *multi, int fd, int64_t until);

/*
 * client_wait_output(fd):
 * Wait until ${fd}, which another process may have made non-blocking, takes more, or a signal
 * comes; a second at most.  Return whether it takes more.
 */
bool client_wait_output(int fd);

/* client_wait(until): wait for that moment.  Never CLIENT_DONE. */
enum client_outcome client_wait(int64_t until);

/* client_wait_input(fd, until): wait until ${fd} can be read, or has ended. */
enum client_outcome client_wait_input(int fd, int64_t until);

#endif
