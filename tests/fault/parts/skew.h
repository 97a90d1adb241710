/* SPDX-License-Identifier: MIT */
/* A wrong clock for a program that asks the kernel itself, as those in Go do: no library to put before it. */
#ifndef SKEW_H
#define SKEW_H

#include <stdbool.h>
#include <sys/types.h>

/* skew_prepare(): in the child, before exec. */
void skew_prepare(void);

/*
 * skew_begin(pid, seconds): in its parent.  Wait for its exec, make its real-time clock wrong by so many
 * seconds, and let it run.  The processes it starts have the right time.  false: this machine cannot do that.
 */
bool skew_begin(pid_t pid, int seconds);

#endif
