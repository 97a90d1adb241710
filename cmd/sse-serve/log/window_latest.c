/* SPDX-License-Identifier: MIT */
/* The newest events of subjects in a window; see window_latest.h. */
#include <search.h>
#include <string.h>

#include "window_latest.h"

/* By topic, then by subject. */
static int compare(const void *a, const void *b)
{
	const struct window_entry *left = a, *right = b;
	struct sse_text one = window_subject(left), other = window_subject(right);

	if (left->topic != right->topic)
		return left->topic < right->topic ? -1 : 1;
	if (one.len != other.len)
		return one.len < other.len ? -1 : 1;
	return memcmp(one.data, other.data, one.len);
}

static void keep(void *entry)
{
	(void)entry;
}

int window_latest(const struct window *window, const struct topic_set *topics, uint64_t from,
	uint64_t after, uint64_t upto, struct positions *positions)
{
	uint64_t erasures = window_erasures(window);
	void *met = NULL; /* a tree of entries, each the newest of its subject */
	bool added = true;

	for (uint64_t number = window_head(window); number > from && added; number--) {
		const struct window_entry *entry = window_entry(window, number - 1);
		struct window_entry *const *first;

		if (entry->position <= after)
			break;
		if (entry->position > upto || !topic_set_has(topics, entry->topic) ||
			window_is_erased(window, number - 1, erasures) ||
			window_subject(entry).len == 0)
			continue;
		first = tsearch(entry, &met, compare);
		added = first != NULL &&
			(*first != entry || positions_add(positions, entry->position));
	}
	tdestroy(met, keep);
	return added ? 0 : -1;
}
