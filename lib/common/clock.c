/* SPDX-License-Identifier: MIT */
/* The two clocks; see clock.h. */
#include <time.h>

#include "clock.h"

static int64_t read_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_now_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

uint64_t clock_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

int64_t clock_wall_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

bool clock_due(uint32_t *due, uint32_t interval, uint32_t now)
{
	if ((int32_t)(now - *due) < 0)
		return false;
	*due += interval;
	if ((int32_t)(now - *due) >= 0)
		*due = now + interval;
	return true;
}
