/* SPDX-License-Identifier: MIT */
/* Conditions; see condition.h. */
#include <time.h>

#include "condition.h"

void condition_init(pthread_cond_t *condition)
{
	pthread_condattr_t clock;

	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &clock);
	pthread_condattr_destroy(&clock);
}

bool condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until)
{
	struct timespec time = {.tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000};

	return pthread_cond_timedwait(condition, lock, &time) == 0;
}
