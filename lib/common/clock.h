/* SPDX-License-Identifier: MIT */
/*
 * The two clocks.  Durations, and moments to wait for, are of the monotonic one, which nobody sets;
 * its zero is arbitrary.  The wall clock is for times that are stored or shown: somebody may set it
 * forth or back at any moment.  Any thread may read them.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

/* clock_now_ms() / clock_now_us(): milliseconds, microseconds of the monotonic clock. */
int64_t clock_now_ms(void);
uint64_t clock_now_us(void);

/* clock_wall_ms(): milliseconds since 1970. */
int64_t clock_wall_ms(void);

#endif
