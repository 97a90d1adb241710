/* SPDX-License-Identifier: MIT */
/* Random numbers that a seed determines, so that a failed run can be had again. */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdint.h>

struct random {
	uint64_t state;
};

/* random_new(seed, which): the ${which}th of the independent generators of a seed. */
struct random random_new(uint64_t seed, uint64_t which);

/* random_below(random, sides): a number from 0 up to, not including, ${sides} (which is not 0). */
uint64_t random_below(struct random *random, uint64_t sides);

/* random_mix(number): what looks like a random number, the same for the same ${number}. */
uint64_t random_mix(uint64_t number);

#endif
