/* SPDX-License-Identifier: MIT */
/*
 * What main's thread does while the server serves: it waits for signals, and meanwhile tells the
 * service manager how many streams there are, and that the loops turn.  If one does not, the
 * service manager hears nothing more, and starts the server anew.
 */
#ifndef WATCH_H
#define WATCH_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "notify.h"

struct server;

struct watch {
	struct server *server;
	const struct notify *notify;
	sigset_t signals;	      /* that are waited for; all threads block them */
	int64_t status_due, beat_due; /* by clock_now_ms(); INT64_MAX: never */
	size_t said;		      /* the number of streams */
	bool said_hung;
};

/*
 * watch_begin(watch, server, notify, signals):
 * The server serves: tell so.  All that is handed over outlives ${watch}.
 */
void watch_begin(struct watch *watch, struct server *server, const struct notify *notify,
	const sigset_t *signals);

/* watch_wait(watch, ms): the next signal; or 0 if none comes for ${ms}.  -1 ms: for ever. */
int watch_wait(struct watch *watch, int64_t ms);

/*
 * watch_reloading(watch), watch_ready(watch):
 * The server begins to read its files again; it has done so.
 */
void watch_reloading(const struct watch *watch);
void watch_ready(const struct watch *watch);

#endif
