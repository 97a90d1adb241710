/* SPDX-License-Identifier: MIT */
/* Counters; see counter.h. */
#include "counter.h"

void counter_took(struct counter_times *times, uint64_t us)
{
	counter_add(&times->count, 1);
	counter_add(&times->total, us);
	/* If it is asked for just now, it may count for the next time too. */
	if (us > counter_read(&times->longest))
		atomic_store_explicit(&times->longest, us, memory_order_relaxed);
}
