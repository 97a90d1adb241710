/* SPDX-License-Identifier: MIT */
/*
 * Counters.  One thread writes each, and any thread may read it: there is no lock, and it costs no
 * more than an addition.  Each part owns the counters that it adds to; metrics.c shows them.
 */
#ifndef COUNTER_H
#define COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

/* counter_read(counter): any thread. */
static inline uint64_t counter_read(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/* counter_add(counter, more): by the thread that writes it. */
static inline void counter_add(_Atomic uint64_t *counter, uint64_t more)
{
	atomic_store_explicit(counter, counter_read(counter) + more, memory_order_relaxed);
}

/* The bounds of the buckets that durations are counted in, from half a millisecond to ten seconds. */
#define COUNTER_BOUNDS 14
extern const uint64_t counter_bounds[COUNTER_BOUNDS]; /* in microseconds */

/* How long something took, in microseconds. */
struct counter_times {
	_Atomic uint64_t count, total;
	_Atomic uint64_t longest; /* since it was last asked for */
	_Atomic uint64_t
		buckets[COUNTER_BOUNDS + 1]; /* those up to each bound, and beyond the last;
							 each is counted once */
};

/* The same of several threads, added up. */
struct counter_sum {
	uint64_t total;
	uint64_t buckets[COUNTER_BOUNDS + 1];
};

/* counter_took(times, us): count one duration of ${us}; by the thread that writes it. */
void counter_took(struct counter_times *times, uint64_t us);

/* counter_add_times(sum, times): add them to ${sum}.  Any thread. */
void counter_add_times(struct counter_sum *sum, const struct counter_times *times);

#endif
