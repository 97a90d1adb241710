/* SPDX-License-Identifier: MIT */
/* --tick: the tutorial's "Hello, world!" to the topic users, as an ephemeral event. */
#ifndef TICKER_H
#define TICKER_H

#include <stdbool.h>
#include <stdint.h>

#include "log/log_thread.h"

struct ticker {
	struct publish publish; /* first */
	struct store_append append;
	struct log_thread *log_thread;
	uint32_t interval; /* ms; 0: never */
	uint32_t due;
	bool busy; /* the event is with the log thread */
};

/*
 * ticker_init(ticker, log_thread, mailbox, interval, now): the first tick is one interval from now.
 */
void ticker_init(struct ticker *ticker, struct log_thread *log_thread, struct mailbox *mailbox,
	uint32_t interval, uint32_t now);

/* ticker_run(ticker, now): tick if it is due.  Return the ms until the next, -1 for never. */
int ticker_run(struct ticker *ticker, uint32_t now);

/* ticker_busy(ticker): is an event under way? */
bool ticker_busy(const struct ticker *ticker);

#endif
