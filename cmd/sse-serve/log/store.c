/* SPDX-License-Identifier: MIT */
/* The table of the stores, and what they share; see store.h. */
#include <string.h>
#include <sysexits.h>

#include "store.h"

static bool is_memory(const char *servers, const char *db)
{
	return servers == NULL && db != NULL && strcmp(db, ":memory:") == 0;
}

static bool is_shared(const char *servers, const char *db)
{
	(void)db;
	return servers != NULL;
}

#ifndef HAVE_NATS
struct store *store_nats_open(const struct store_config *config, struct error *error)
{
	(void)config;
	error_set(error, EX_UNAVAILABLE,
		"--store: this sse-serve was built without the C client of NATS; install libnats "
		"(libnats-dev on Debian), and build it again");
	return NULL;
}

const char *store_nats_path(const struct store *store)
{
	(void)store;
	return NULL;
}

int store_nats_begin_import(const struct store_config *config, struct error *error)
{
	store_nats_open(config, error);
	return -1;
}

int store_nats_import(const struct store_config *config, const char *path, struct error *error)
{
	(void)path;
	return store_nats_begin_import(config, error);
}
#endif

/* The first that is named is used; the last takes all else. */
static const struct store_kind kinds[] = {
	{.is_named = is_memory, .open = store_memory_open, .attach = store_memory_attach},
	{.is_named = is_shared, .shared = true, .open = store_nats_open},
	{.in_file = true, .open = store_sqlite_open},
};

const struct store_kind *store_kind_of(const char *servers, const char *db)
{
	const struct store_kind *kind = kinds;

	while (kind->is_named != NULL && !kind->is_named(servers, db))
		kind++;
	return kind;
}

void store_query_removed(struct store_query *query, enum removal removal, uint64_t removed)
{
	if (removed > query->removed) {
		query->removed = removed;
		query->removal = removal;
	}
	query->removed_sum += removed;
}

void store_query_deleted(struct store_query *query, uint64_t deleted, uint64_t erased)
{
	store_query_removed(query, REMOVAL_DELETED, query->latest ? erased : deleted);
	/* Also where an event before the newest is deleted. */
	if (!query->latest)
		query->removed_sum += erased;
}

bool store_condition_met(const struct store_group *group)
{
	switch (group->condition) {
	case STORE_IF_NEWEST:
		return group->newest != 0 && group->newest == group->expected;
	case STORE_IF_ANY:
		return group->newest != 0;
	case STORE_IF_NONE:
		return group->newest == 0;
	case STORE_ALWAYS:
		break;
	}
	return true;
}

bool store_needs_event(const struct store_group *group)
{
	return group->condition == STORE_IF_NEWEST || group->condition == STORE_IF_ANY;
}

/* Before the event can be seen. */
static void close_topic(const struct store_append *append)
{
	struct topic *topic = append->event.topic;

	if (!append->closes)
		return;
	topic->closed = append->event.position;
	topic->closing = 0;
}

void store_deliver(const struct store *store, struct store_group *const *groups, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < groups[i]->count && !store_group_refused(groups[i]); j++) {
			const struct store_append *append = &groups[i]->appends[j];

			if (append->duplicate)
				continue;
			close_topic(append);
			store->deliver(store->deliver_context, &append->event);
		}
	}
}
