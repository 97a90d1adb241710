/* SPDX-License-Identifier: MIT */
/*
 * A part of the server cannot go on, and another start may help: it asks main to end the server, which
 * then stops as it does for SIGTERM, but with another exit status.
 */
#ifndef ENDING_H
#define ENDING_H

#include "error.h"

/* ending_watch(): the calling thread waits for signals, which all threads block.  Once. */
void ending_watch(void);

/* ending_ask(error): log the reason, and end the server.  Only the first call counts.  Any thread. */
void ending_ask(const struct error *error);

/* ending_status(): the exit status of the error, or 0 if nobody asked. */
int ending_status(void);

#endif
