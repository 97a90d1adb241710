/* SPDX-License-Identifier: MIT */
/*
 * How long to wait before the next attempt: exponential backoff with jitter over the whole range,
 * so that clients that lost the same server do not reconnect together.  The functions only count
 * and draw; the caller sleeps.  No locks: one thread at a time for each struct.
 */
#ifndef BACKOFF_H
#define BACKOFF_H

#include <stdint.h>

/*
 * The least floor that a server can set (ms).  Each event resets the range, so a client would
 * reconnect at once, for ever, to a stream that ends after every event and asks for no pause.
 */
#define BACKOFF_ASKED_MIN 100

struct backoff {
	int64_t floor;	 /* ms; no wait is shorter */
	int64_t cap;	 /* ms; no range reaches beyond, unless the floor does */
	unsigned count;	 /* waits since the start or the last reset */
	uint64_t random; /* state of the random numbers */
};

/*
 * backoff_init(backoff, floor_ms, cap_ms):
 * Start with no failed attempt.  Both are >= 0.  The random numbers start from the system's
 * randomness, so that two clients started in the same instant differ.  Cannot fail.
 */
void backoff_init(struct backoff *backoff, int64_t floor_ms, int64_t cap_ms);

/* backoff_seed(backoff, seed): draw the same waits for the same seed from now on; for tests. */
void backoff_seed(struct backoff *backoff, uint64_t seed);

/*
 * backoff_next(backoff):
 * The milliseconds to wait before the next attempt.  The n-th call since the start or the last
 * reset, counted from 1, draws uniformly from [floor, min(cap, floor * 2^n)], both ends included.
 * With a floor of 0 the range is [0, min(cap, 2^n)].  With a floor that is not below the cap each
 * wait is the floor.
 */
int64_t backoff_next(struct backoff *backoff);

/*
 * backoff_within(backoff, asked, left):
 * As backoff_next(), but not before the server allows it, in ${asked} ms (Retry-After; negative if
 * it did not say), and not after ${left} ms: the last attempt is made when the time is up.  -1 if
 * there is no attempt in that time.
 */
int64_t backoff_within(struct backoff *backoff, int64_t asked, int64_t left);

/* backoff_reset(backoff): an attempt succeeded; the next wait is a first one. */
void backoff_reset(struct backoff *backoff);

/*
 * backoff_ask_floor(backoff, ms):
 * The server asked for this floor with `retry`.  It applies from the next wait on; a value below
 * BACKOFF_ASKED_MIN counts as BACKOFF_ASKED_MIN.  The count of waits stays.
 */
void backoff_ask_floor(struct backoff *backoff, int64_t ms);

#endif
