/* SPDX-License-Identifier: MIT */
/*
 * How a client lives in its process: start and end, the clock, signals, and running a transfer
 * or waiting until something is done, a moment is reached, or SIGINT or SIGTERM came.
 * One thread only.
 */
#ifndef CLIENT_RUN_H
#define CLIENT_RUN_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"

/* A moment that is never reached. */
#define CLIENT_NEVER INT64_MAX

/* client_now(): milliseconds of a clock that is never set; its zero means nothing. */
int64_t client_now(void);

/* client_after(ms): the moment ${ms} from now; CLIENT_NEVER if ${ms} is 0. */
int64_t client_after(int64_t ms);

/*
 * client_start(error) / client_end():
 * Prepare the process, before it opens anything: descriptors 0 to 2 that are closed are filled
 * (so that no socket lands there), SIGPIPE and SIGXFSZ are ignored (a write fails instead), SIGINT,
 * SIGTERM and SIGHUP, unless that is ignored, are noted, libcurl is initialised.  The second of a
 * kind kills at once.
 */
int client_start(struct error *error);
void client_end(void);

/* client_signal(): the SIGINT, SIGTERM, SIGHUP or (see below) SIGPIPE that came, or 0. */
int client_signal(void);

/*
 * client_watch_hangup():
 * From now on SIGHUP ends what waits with CLIENT_HANGUP, once, instead of killing.  If the terminal
 * that the program was started from is gone, it counts as a signal that came, like SIGTERM.  Where
 * it is ignored (nohup) it stays so.
 */
void client_watch_hangup(void);

/* client_hangup(): did a SIGHUP come that nothing was told of yet?  Costs next to nothing. */
bool client_hangup(void);

/*
 * client_interrupt_at(moment):
 * From then on, a write() that blocks ends with EINTR within a second, again and again, so that
 * whoever writes can look at the time.
 */
void client_interrupt_at(int64_t moment);

/*
 * client_watch_output(fd):
 * From now on, if ${fd} is a pipe or socket whose reader goes away, that counts as a SIGPIPE that
 * came; it would else be noticed at the next write, which may be far.
 */
void client_watch_output(int fd);

/*
 * client_stopped(error):
 * Put the signal that came into ${error}: exit status 128 + number, no words on SIGPIPE.
 * Return -1.
 */
int client_stopped(struct error *error);

/* Something to be done from time to time while anything waits. */
struct client_chore {
	int64_t (*due)(void *context); /* the moment; CLIENT_NEVER for none */
	void (*run)(void *context);    /* called when it has come */
	void *context;
};

/* client_set_chore(chore): from now on do this; it must outlive the waiting.  NULL: nothing. */
void client_set_chore(const struct client_chore *chore);

enum client_outcome {
	CLIENT_DONE,   /* the transfer ended, or there is something to read */
	CLIENT_TIME,   /* the moment came first */
	CLIENT_SIGNAL, /* a signal came first, see client_signal() */
	CLIENT_HANGUP, /* SIGHUP came first, see client_watch_hangup() */
};

/*
 * client_run(multi, easy, until, code):
 * Run the transfer of ${easy} within ${multi}, which keeps its connections.  *${until} may be
 * moved by the transfer's callbacks, to either side.  With CLIENT_DONE *${code} says how the
 * transfer went; otherwise it was broken off.
 */
enum client_outcome client_run(CURLM *multi, CURL *easy, const int64_t *until, CURLcode *code);

/*
 * client_poll(multi, fd, until):
 * Wait until a transfer of ${multi}, which the caller performs itself, may have something to do, or
 * ${fd} can be read (-1: there is none).
 */
enum client_outcome client_poll(CURLM *multi, int fd, int64_t until);

/* client_wait(until): wait for that moment.  Never CLIENT_DONE. */
enum client_outcome client_wait(int64_t until);

/* client_wait_input(fd, until): wait until ${fd} can be read, or has ended. */
enum client_outcome client_wait_input(int fd, int64_t until);

#endif
