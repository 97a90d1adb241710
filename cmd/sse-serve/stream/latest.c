/* SPDX-License-Identifier: MIT */
/* The newest events of subjects, for streams; see latest.h. */
#include <string.h>

#include "latest.h"

/* A list stays valid: later events are not in it, and what retention removes is not read. */
static bool serves(const struct latest_list *list, const struct selection *selection,
	uint64_t after, uint64_t upto)
{
	return list->selection != NULL && list->after <= after && list->upto == upto &&
	       strcmp(list->selection->key, selection->key) == 0;
}

static void free_list(struct latest_list *list)
{
	selection_drop(list->selection);
	positions_free(&list->positions);
}

/* Return 0, or -1. */
static int fill(struct latest_list *list, const struct topic_set *topics,
	const struct store_ops *ops, struct store_reader *reader)
{
	for (uint32_t i = 0; i < topics->count; i++) {
		uint64_t closed = topics->topics[i]->closed;

		if (closed > list->after && closed <= list->upto &&
			!positions_add(&list->positions, closed))
			return -1;
	}
	return ops->latest(reader, topics, list->after, list->upto, &list->positions, NULL);
}

const struct positions *latest_find(struct latest_lists *lists, struct selection *selection,
	const struct topic_set *topics, uint64_t after, uint64_t upto, const struct store_ops *ops,
	struct store_reader *reader)
{
	struct latest_list list = {.after = after, .upto = upto};
	size_t i = 0;

	while (i < LATEST_LISTS - 1 && !serves(&lists->lists[i], selection, after, upto))
		i++;
	if (serves(&lists->lists[i], selection, after, upto)) {
		list = lists->lists[i];
	} else {
		list.selection = selection_hold(selection);
		if (fill(&list, topics, ops, reader) != 0) {
			free_list(&list);
			return NULL;
		}
		free_list(&lists->lists[i]);
	}
	memmove(lists->lists + 1, lists->lists, i * sizeof(*lists->lists));
	lists->lists[0] = list;
	return &lists->lists[0].positions;
}

void latest_free(struct latest_lists *lists)
{
	for (size_t i = 0; i < LATEST_LISTS; i++)
		free_list(&lists->lists[i]);
	*lists = (struct latest_lists){0};
}

void latest_forget(struct latest_lists *lists, uint64_t erasures)
{
	if (lists->erasures == erasures)
		return;
	latest_free(lists);
	lists->erasures = erasures;
}
