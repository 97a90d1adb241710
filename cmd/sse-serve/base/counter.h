/* SPDX-License-Identifier: MIT */
/*
 * Counters.  Each is written by one thread and may be read by any: no lock, and no instruction more
 * than an addition takes.  Each part owns the counters that it adds to; metrics.c shows them.
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

/* How long something took, in microseconds. */
struct counter_times {
	_Atomic uint64_t count, total;
	_Atomic uint64_t longest; /* since it was last asked for */
};

/* counter_clock(): microseconds of a clock that nobody sets. */
uint64_t counter_clock(void);

/* counter_took(times, us): it took ${us}, once; by the thread that writes it. */
void counter_took(struct counter_times *times, uint64_t us);

#endif
