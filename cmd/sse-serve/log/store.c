/* SPDX-License-Identifier: MIT */
/* What the stores share; see store.h. */
#include <time.h>

#include "store.h"

int64_t store_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void store_deliver(const struct store *store, struct store_group *const *groups, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < groups[i]->count && !groups[i]->conflict; j++) {
			const struct store_append *append = &groups[i]->appends[j];

			if (!append->duplicate)
				store->deliver(store->deliver_context, &append->event);
		}
	}
}
