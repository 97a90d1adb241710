/* SPDX-License-Identifier: MIT */
/* Random numbers that a seed determines, so that a failed run can be had again. */
#ifndef DICE_H
#define DICE_H

#include <stdint.h>

struct dice {
	uint64_t state;
};

/* dice_new(seed, which): the ${which}th of the independent dice of a seed. */
struct dice dice_new(uint64_t seed, uint64_t which);

/* dice_roll(dice, sides): a number from 0 up to, not including, ${sides} (which is not 0). */
uint64_t dice_roll(struct dice *dice, uint64_t sides);

/* dice_mix(number): what looks like a random number, the same for the same ${number}. */
uint64_t dice_mix(uint64_t number);

#endif
