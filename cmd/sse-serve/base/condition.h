/* SPDX-License-Identifier: MIT */
/* Conditions whose waits end by the monotonic clock, which nobody sets. */
#ifndef CONDITION_H
#define CONDITION_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* condition_init(condition): pthread_cond_destroy() it. */
void condition_init(pthread_cond_t *condition);

/*
 * condition_wait(condition, lock, until):
 * As pthread_cond_wait(), but not longer than until that time by clock_now_ms().  False if it has passed.
 */
bool condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until);

#endif
