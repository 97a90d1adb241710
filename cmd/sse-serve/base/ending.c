/* SPDX-License-Identifier: MIT */
/* Ending the server from within; see ending.h. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "ending.h"
#include "logger.h"

static pthread_t waiter;
static _Atomic bool watched;
static _Atomic int status;

void ending_watch(void)
{
	waiter = pthread_self();
	watched = true;
}

void ending_ask(const struct error *error)
{
	int none = 0;

	if (!atomic_compare_exchange_strong(&status, &none, error->status))
		return;
	logger_write(LOGGER_ERROR, "%s", error->text);
	if (watched)
		pthread_kill(waiter, SIGTERM);
}

int ending_status(void)
{
	return status;
}
