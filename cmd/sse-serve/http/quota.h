/* SPDX-License-Identifier: MIT */
/* A limit on a total that many holders share.  Threads use it without a lock. */
#ifndef QUOTA_H
#define QUOTA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct quota {
	_Atomic int64_t limit;
	_Atomic int64_t held; /* by all together */
};

/*
 * quota_take(quota, own, more):
 * Take ${more} for a holder that has ${own}.  False, and nothing is taken, if that would exceed the
 * limit.  But a holder that is alone may hold any amount, so a request larger than the limit gets
 * its turn.
 */
bool quota_take(struct quota *quota, int64_t own, int64_t more);

/* quota_give(quota, amount): give back what was taken. */
void quota_give(struct quota *quota, int64_t amount);

#endif
