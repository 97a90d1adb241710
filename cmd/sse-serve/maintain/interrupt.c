/* SPDX-License-Identifier: MIT */
/* Signals that end a maintenance command; see interrupt.h. */
#include <signal.h>
#include <stddef.h>

#include "interrupt.h"

static volatile sig_atomic_t stopped;

static void stop(int number)
{
	stopped = number;
}

void interrupt_watch(void)
{
	struct sigaction action = {.sa_handler = stop};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

bool interrupt_came(void)
{
	return stopped != 0;
}
