/* SPDX-License-Identifier: MIT */
/* A limit on what many hold together; see quota.h. */
#include "quota.h"

bool quota_take(struct quota *quota, int64_t own, int64_t more)
{
	int64_t held = atomic_load_explicit(&quota->held, memory_order_relaxed);

	do {
		if (held != own && held + more > quota->limit)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		&quota->held, &held, held + more, memory_order_relaxed, memory_order_relaxed));
	return true;
}

void quota_give(struct quota *quota, int64_t amount)
{
	atomic_fetch_sub_explicit(&quota->held, amount, memory_order_relaxed);
}
