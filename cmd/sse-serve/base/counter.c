/* SPDX-License-Identifier: MIT */
/* Counters; see counter.h. */
#include <time.h>

#include "counter.h"

uint64_t counter_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void counter_took(struct counter_times *times, uint64_t us)
{
	counter_add(&times->count, 1);
	counter_add(&times->total, us);
	/* If it is asked for just now, it may count for the next time too. */
	if (us > counter_read(&times->longest))
		atomic_store_explicit(&times->longest, us, memory_order_relaxed);
}
