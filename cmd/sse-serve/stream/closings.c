/* SPDX-License-Identifier: MIT */
/* Closings that are gone from the log; see closings.h. */
#include "closings.h"
#include "log/closing.h"

/* A read that is under way. */
struct closings {
	const struct topic_set *topics;
	struct topic *next; /* whose closing comes next; NULL: none does */
	uint64_t upto;
	uint64_t made; /* the position of the last that was made */
	store_visit visit;
	void *context;
};

struct topic *closings_next(const struct topic_set *topics, uint64_t after, uint64_t upto)
{
	struct topic *next = NULL;

	for (uint32_t i = 0; i < topics->count; i++) {
		struct topic *topic = topics->topics[i];

		if (topic->closed > after && topic->closed <= upto &&
			(next == NULL || topic->closed < next->closed))
			next = topic;
	}
	return next;
}

/*
 * Make and visit the closings before this position that the log lacks.  False if the visitor stops.
 */
static bool make(struct closings *closings, uint64_t before)
{
	while (closings->next != NULL && closings->next->closed < before) {
		struct event event;

		closing_make(&event, closings->next);
		if (!closings->visit(closings->context, &event))
			return false;
		closings->made = event.position;
		closings->next = closings_next(closings->topics, event.position, closings->upto);
	}
	return true;
}

static bool visit_one(void *context, const struct event *event)
{
	struct closings *closings = context;

	if (!make(closings, event->position) || !closings->visit(closings->context, event))
		return false;
	if (closings->next != NULL && closings->next->closed == event->position)
		closings->next = closings_next(closings->topics, event->position, closings->upto);
	return true;
}

int closings_read(const struct store_ops *ops, struct store_reader *reader,
	struct store_query *query, const struct selection *selection, store_visit visit,
	void *context)
{
	struct closings closings = {
		.topics = query->topics, .upto = query->upto, .visit = visit, .context = context};

	if (!selection->wildcards && !form_is_list(selection->form) &&
		event_types_have(&selection->types, closing_type()))
		closings.next = closings_next(query->topics, query->after, query->upto);
	if (ops->read(reader, query, visit_one, &closings, NULL) != 0)
		return -1;
	/* The visitor may have stopped at a closing that was made: the next read makes it again. */
	make(&closings, query->reached + 1);
	if (closings.next != NULL && closings.next->closed <= query->reached)
		query->reached = closings.next->closed - 1;
	if (closings.made > query->reached)
		query->reached = closings.made;
	return 0;
}
