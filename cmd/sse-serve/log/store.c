/* SPDX-License-Identifier: MIT */
/* The table of the stores, and what they share; see store.h. */
#include <string.h>

#include "store.h"

static bool is_memory(const char *db)
{
	return db != NULL && strcmp(db, ":memory:") == 0;
}

/* The first that --db names is used; the last takes all else. */
static const struct store_kind kinds[] = {
	{.is_named = is_memory, .open = store_memory_open, .attach = store_memory_attach},
	{.in_file = true, .open = store_sqlite_open},
};

const struct store_kind *store_kind_of(const char *db)
{
	const struct store_kind *kind = kinds;

	while (kind->is_named != NULL && !kind->is_named(db))
		kind++;
	return kind;
}

void store_query_removed(struct store_query *query, uint64_t removed)
{
	query->removed = removed > query->removed ? removed : query->removed;
	query->removed_sum += removed;
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
