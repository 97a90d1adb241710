/* SPDX-License-Identifier: MIT */
/* A maintenance command that ^C or another signal ends, so that no unfinished file remains. */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include <stdbool.h>

/* interrupt_watch(): from now on SIGINT, SIGTERM and SIGHUP are only noted; a read is cut short. */
void interrupt_watch(void);

/* interrupt_came(): has there been one? */
bool interrupt_came(void);

#endif
