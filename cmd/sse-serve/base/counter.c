/* SPDX-License-Identifier: MIT */
/* Counters; see counter.h. */
#include "counter.h"

const uint64_t counter_bounds[COUNTER_BOUNDS] = {500, 1000, 2500, 5000, 10000, 25000, 50000, 100000,
	250000, 500000, 1000000, 2500000, 5000000, 10000000};

void counter_took(struct counter_times *times, uint64_t us)
{
	unsigned bucket = 0;

	while (bucket < COUNTER_BOUNDS && us > counter_bounds[bucket])
		bucket++;
	counter_add(&times->buckets[bucket], 1);
	counter_add(&times->count, 1);
	counter_add(&times->total, us);
	/* If it is asked for just now, it may count for the next time too. */
	if (us > counter_read(&times->longest))
		atomic_store_explicit(&times->longest, us, memory_order_relaxed);
}

void counter_add_times(struct counter_sum *sum, const struct counter_times *times)
{
	sum->total += counter_read(&times->total);
	for (int i = 0; i <= COUNTER_BOUNDS; i++)
		sum->buckets[i] += counter_read(&times->buckets[i]);
}
