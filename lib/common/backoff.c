/* SPDX-License-Identifier: MIT */
/* How long to wait before the next attempt; see backoff.h. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "backoff.h"
#include "clock.h"

#if defined(__APPLE__) || defined(__FreeBSD__) || defined(__OpenBSD__) || defined(__NetBSD__) ||   \
	defined(__DragonFly__)
#define HAVE_ARC4RANDOM
#endif

#ifndef HAVE_ARC4RANDOM
/* For a kernel or a sandbox that has no getentropy(). */
static bool read_urandom(uint64_t *seed)
{
	int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return false;
	got = read(fd, seed, sizeof(*seed));
	close(fd);
	return got == (ssize_t)sizeof(*seed);
}
#endif

static uint64_t system_seed(void)
{
	uint64_t seed;

#ifdef HAVE_ARC4RANDOM
	arc4random_buf(&seed, sizeof(seed));
#else
	if (getentropy(&seed, sizeof(seed)) != 0 && !read_urandom(&seed)) {
		/* No secret hangs on it: it need only differ from the neighbour's. */
		seed = (uint64_t)clock_wall_ms() << 20 ^ clock_now_us();
		seed ^= (uint64_t)getpid() << 40;
	}
#endif
	return seed;
}

/* splitmix64: each state, 0 too, is a good one to start from. */
static uint64_t next_random(struct backoff *backoff)
{
	uint64_t z = (backoff->random += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* Uniform in [0, ${top}]: draw as many bits as ${top} has until it fits; a remainder has a bias. */
static uint64_t draw(struct backoff *backoff, uint64_t top)
{
	uint64_t mask = UINT64_MAX, number;

	while (mask >> 1 >= top && mask > 0)
		mask >>= 1;
	do
		number = next_random(backoff) & mask;
	while (number > top);
	return number;
}

/* min(cap, floor * 2^count), but not below the floor. */
static int64_t range_end(const struct backoff *backoff)
{
	int64_t end = backoff->floor > 0 ? backoff->floor : 1;
	unsigned i;

	for (i = 0; i < backoff->count && end < backoff->cap; i++)
		end = end > backoff->cap / 2 ? backoff->cap : end * 2;
	if (end > backoff->cap)
		end = backoff->cap;
	return end > backoff->floor ? end : backoff->floor;
}

void backoff_init(struct backoff *backoff, int64_t floor_ms, int64_t cap_ms)
{
	*backoff = (struct backoff){.floor = floor_ms, .cap = cap_ms, .random = system_seed()};
}

void backoff_seed(struct backoff *backoff, uint64_t seed)
{
	backoff->random = seed;
}

int64_t backoff_next(struct backoff *backoff)
{
	/* 2^64 is beyond every cap: counting further would only overflow one day. */
	if (backoff->count < 64)
		backoff->count++;
	return backoff->floor +
	       (int64_t)draw(backoff, (uint64_t)(range_end(backoff) - backoff->floor));
}

int64_t backoff_within(struct backoff *backoff, int64_t asked, int64_t left)
{
	int64_t delay = backoff_next(backoff);

	if (left <= 0 || asked > left)
		return -1;
	if (delay > left)
		delay = left;
	return delay > asked ? delay : asked;
}

void backoff_reset(struct backoff *backoff)
{
	backoff->count = 0;
}

void backoff_ask_floor(struct backoff *backoff, int64_t ms)
{
	backoff->floor = ms > BACKOFF_ASKED_MIN ? ms : BACKOFF_ASKED_MIN;
}
