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

/* How long something took, in microseconds. */
struct counter_times {
	_Atomic uint64_t count, total;
	_Atomic uint64_t longest; /* since it was last asked for */
};

/* counter_took(times, us): count one duration of ${us}; by the thread that writes it. */
void counter_took(struct counter_times *times, uint64_t us);

#endif
