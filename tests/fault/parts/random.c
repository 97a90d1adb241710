/* SPDX-License-Identifier: MIT */
/* Seeded random numbers (splitmix64); see dice.h. */
#include "random.h"

uint64_t dice_mix(uint64_t number)
{
	number ^= number >> 30;
	number *= UINT64_C(0xbf58476d1ce4e5b9);
	number ^= number >> 27;
	number *= UINT64_C(0x94d049bb133111eb);
	return number ^ number >> 31;
}

struct dice dice_new(uint64_t seed, uint64_t which)
{
	return (struct dice){dice_mix(seed + 1) ^ dice_mix(which * 7919 + 1)};
}

uint64_t dice_roll(struct dice *dice, uint64_t sides)
{
	dice->state += UINT64_C(0x9e3779b97f4a7c15);
	return dice_mix(dice->state) % sides;
}
