/* SPDX-License-Identifier: MIT */
/* The histogram; see histogram.h. */
#include <stddef.h>

#include "histogram.h"

#define STEP_BITS 7

static unsigned shift_of(uint64_t value)
{
	unsigned top = 63 - (unsigned)__builtin_clzll(value | 1);

	return top > STEP_BITS ? top - STEP_BITS : 0;
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
	unsigned shift = shift_of(value);

	histogram->counts[((uint64_t)shift << STEP_BITS) + (value >> shift)]++;
	histogram->total++;
	if (value > histogram->max)
		histogram->max = value;
}

/* The greatest value that is counted at the place. */
static uint64_t value_at(size_t place)
{
	unsigned shift = place < 2 * HISTOGRAM_STEPS ? 0 : (unsigned)(place >> STEP_BITS) - 1;

	return ((place - ((uint64_t)shift << STEP_BITS) + 1) << shift) - 1;
}

uint64_t histogram_at(const struct histogram *histogram, double share)
{
	uint64_t wanted = (uint64_t)(share * (double)histogram->total), seen = 0;

	for (size_t place = 0; place < HISTOGRAM_PLACES; place++) {
		seen += histogram->counts[place];
		if (seen > 0 && seen >= wanted)
			return value_at(place) < histogram->max ? value_at(place) : histogram->max;
	}
	return 0;
}
