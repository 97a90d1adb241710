/* SPDX-License-Identifier: MIT */
/*
 * The two clocks.  Durations, and moments to wait for, are of the monotonic one, which nobody sets;
 * its zero is arbitrary.  The wall clock is for times that are stored or shown: somebody may set it
 * forth or back at any moment.  Any thread may read them.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* clock_now_ms() / clock_now_us(): milliseconds, microseconds of the monotonic clock. */
int64_t clock_now_ms(void);
uint64_t clock_now_us(void);

/* clock_wall_ms(): milliseconds since 1970. */
int64_t clock_wall_ms(void);

/* clock_earlier(a, b): the earlier of two moments of the same clock. */
static inline int64_t clock_earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/*
 * clock_due(due, interval, now):
 * Has the moment *${due} come?  Then the next is ${interval} later; after a pause (a laptop's lid) it
 * is due once, not as often as was missed.  All are milliseconds of the monotonic clock, which may
 * wrap around.
 */
bool clock_due(uint32_t *due, uint32_t interval, uint32_t now);

#endif
