/* SPDX-License-Identifier: MIT */
/*
 * A histogram of fixed size for times in nanoseconds: exact up to 255, beyond that in steps of at
 * most 1/128 of the value.
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_STEPS 128
#define HISTOGRAM_PLACES ((64 - 7) * HISTOGRAM_STEPS + HISTOGRAM_STEPS)

struct histogram {
	uint64_t counts[HISTOGRAM_PLACES];
	uint64_t total, max;
};

/* histogram_add(histogram, value): count one value. */
void histogram_add(struct histogram *histogram, uint64_t value);

/*
 * histogram_at(histogram, share): the value that ${share} of the values (0.99 of them) do not
 * exceed, rounded up to a step; 0 where there is none.
 */
uint64_t histogram_at(const struct histogram *histogram, double share);

#endif
