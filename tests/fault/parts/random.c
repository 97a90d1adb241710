/* SPDX-License-Identifier: MIT */
/* Seeded random numbers (splitmix64); see random.h. */
#include "random.h"

uint64_t random_mix(uint64_t number)
{
	number ^= number >> 30;
	number *= UINT64_C(0xbf58476d1ce4e5b9);
	number ^= number >> 27;
	number *= UINT64_C(0x94d049bb133111eb);
	return number ^ number >> 31;
}

struct random random_new(uint64_t seed, uint64_t which)
{
	return (struct random){random_mix(seed + 1) ^ random_mix(which * 7919 + 1)};
}

uint64_t random_below(struct random *random, uint64_t sides)
{
	random->state += UINT64_C(0x9e3779b97f4a7c15);
	return random_mix(random->state) % sides;
}
