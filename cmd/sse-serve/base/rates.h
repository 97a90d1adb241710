/* SPDX-License-Identifier: MIT */
/*
 * Limits how often clients may do something: each client has a token bucket.  (These tokens have
 * nothing to do with those of access/.)  A bucket begins full, with the burst; tokens return at the
 * rate until the bucket is full again.
 *
 * Only buckets that are not full are kept, and at most as many as rates_new() says.  Beyond that,
 * the bucket that is nearest to full is dropped, since its client gains least.  The time of every
 * call grows with the logarithm of the number of buckets, whatever the keys are.
 */
#ifndef RATES_H
#define RATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A rate and a burst.  Each member is 1 to RATES_MOST. */
struct rates_rule {
	int64_t count; /* tokens that return */
	int64_t per;   /* in this many ms */
	int64_t burst; /* tokens of a full bucket */
};

#define RATES_MOST INT64_C(1000000000)

struct rates;

/* rates_new(rule, max): at most ${max} buckets (at least 1).  Return NULL without memory. */
struct rates *rates_new(const struct rates_rule *rule, size_t max);

/*
 * rates_take(rates, key, len, amount, now, wait):
 * Take ${amount} tokens out of the bucket of this key, if it holds at least one.  The bucket may
 * then owe tokens, which must return before more can be taken.  With an amount of 0, only look.
 * Return false if there is no token; *${wait} is then the number of seconds until there is one,
 * rounded up, at least 1.  The key is copied, so the caller must bound ${len}.  ${now} is from
 * clock_now_ms(); if it goes back, no time passes.  Without memory for a new bucket, return true.
 * Any thread.
 */
bool rates_take(struct rates *rates, const void *key, size_t len, uint32_t amount, int64_t now,
	int64_t *wait);

/*
 * rates_change(rates, rule): from now on, this rule applies; if it is another one, all buckets begin
 * anew.  Any thread.
 */
void rates_change(struct rates *rates, const struct rates_rule *rule);

/* rates_count(rates): the number of buckets that are kept.  Any thread. */
size_t rates_count(struct rates *rates);

/* rates_refused(rates): how often there was no token.  Any thread. */
uint64_t rates_refused(struct rates *rates);

/* rates_free(rates): release the buckets.  Takes NULL. */
void rates_free(struct rates *rates);

#endif
