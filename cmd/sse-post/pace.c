/* SPDX-License-Identifier: MIT */
/* Events at a steady rate; see pace.h. */
#include "pace.h"

/* A pause of up to this is made up for, so that the rate is right on average (ms). */
#define LATE_MAX 1000

size_t pace_at_once(const struct pace *pace, size_t max)
{
	double rate = pace->rate;

	/* About what may go in a tenth of a second. */
	if (rate > 0 && rate / 10 < (double)max)
		return rate > 20 ? (size_t)(rate / 10) : 1;
	return max;
}

void pace_start(struct pace *pace, size_t count, int64_t now)
{
	int64_t from = pace->start_at;

	if (pace->rate > 0)
		pace->start_at = (now > from + LATE_MAX ? now : from) +
				 (int64_t)(1000 * (double)count / pace->rate);
}
