/* SPDX-License-Identifier: MIT */
/* What the stores share; see store.h. */
#include "store.h"

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
