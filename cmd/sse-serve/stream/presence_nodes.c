/* SPDX-License-Identifier: MIT */
/* Names over several nodes; see presence_nodes.h. */
#include <string.h>

#include "presence.h"
#include "presence_internal.h"
#include "presence_nodes.h"

/* --- to others --- */

void presence_nodes_share(struct presence *presence, void (*wake)(void *context), void *context)
{
	presence->wake = wake;
	presence->context = context;
}

static struct member *next_outgoing(struct presence *presence)
{
	struct member *member = presence->outgoing;

	if (member == NULL)
		return NULL;
	presence->outgoing = member->next_outgoing;
	if (presence->outgoing == NULL)
		presence->last_outgoing = &presence->outgoing;
	member->outgoing = false;
	return member;
}

bool presence_nodes_next(struct presence *presence, struct presence_change *change)
{
	struct member *member;
	bool found = false;

	pthread_mutex_lock(&presence->lock);
	while (!found && (member = next_outgoing(presence)) != NULL) {
		bool here = member->streams > 0;

		found = here != member->passed;
		member->passed = here;
		if (found) {
			*change = (struct presence_change){.joined = here};
			strcpy(change->topic, member->topic->topic.name);
			strcpy(change->name, member->named.name);
		}
		presence_release(presence, member);
	}
	pthread_mutex_unlock(&presence->lock);
	return found;
}

bool presence_nodes_visit(struct presence *presence,
	bool (*visit)(void *context, const char *topic, const char *name), void *context)
{
	bool more = true;

	pthread_mutex_lock(&presence->lock);
	for (size_t i = 0; i < presence->topics.count && more; i++) {
		const struct topic_presence *entry =
			(const struct topic_presence *)presence->topics.items[i];

		for (size_t j = 0; j < entry->members.count && more; j++) {
			const struct member *member =
				(const struct member *)entry->members.items[j];

			if (member->passed)
				more = visit(context, entry->topic.name, member->named.name);
		}
	}
	pthread_mutex_unlock(&presence->lock);
	return more;
}

/* --- from others --- */

static void set_node(struct presence *presence, struct member *member, uint64_t nodes, uint32_t now)
{
	bool was = presence_is_somewhere(member);

	member->nodes = nodes;
	if (!was && presence_is_somewhere(member))
		presence_arrive(presence, member);
	else if (was && !presence_is_somewhere(member))
		presence_depart(presence, member, now);
}

enum presence_noted presence_nodes_note(struct presence *presence, unsigned node,
	const struct presence_change *change, uint32_t now, bool *changed)
{
	uint64_t bit = UINT64_C(1) << node;
	enum presence_noted result = PRESENCE_NOTED;
	struct member *member;
	bool full;

	pthread_mutex_lock(&presence->lock);
	member = presence_member(presence, change->topic, change->name, &full);
	if (member == NULL) {
		/* What there is no place for cannot leave either. */
		result = change->joined ? PRESENCE_FULL : PRESENCE_NOTED;
	} else {
		member->listed = change->joined ? member->listed | bit : member->listed & ~bit;
		set_node(presence, member,
			change->joined ? member->nodes | bit : member->nodes & ~bit, now);
		presence_release(presence, member);
	}
	*changed = presence_finish(presence) || *changed;
	return result;
}

/* The node has no names any more; or, with ${listed}, none but those in its list. */
static bool keep(struct presence *presence, unsigned node, bool listed, uint32_t now)
{
	uint64_t bit = UINT64_C(1) << node;

	pthread_mutex_lock(&presence->lock);
	/* Backwards, since a member that nothing refers to is taken out, and perhaps its topic. */
	for (size_t i = presence->topics.count; i-- > 0;) {
		struct topic_presence *entry = (struct topic_presence *)presence->topics.items[i];

		for (size_t j = entry->members.count; j-- > 0;) {
			struct member *member = (struct member *)entry->members.items[j];

			if (!listed || (member->listed & bit) == 0)
				set_node(presence, member, member->nodes & ~bit, now);
			presence_release(presence, member);
		}
	}
	return presence_finish(presence);
}

void presence_nodes_begin_list(struct presence *presence, unsigned node)
{
	uint64_t bit = UINT64_C(1) << node;

	pthread_mutex_lock(&presence->lock);
	for (size_t i = 0; i < presence->topics.count; i++) {
		const struct topic_presence *entry =
			(const struct topic_presence *)presence->topics.items[i];

		for (size_t j = 0; j < entry->members.count; j++)
			((struct member *)entry->members.items[j])->listed &= ~bit;
	}
	pthread_mutex_unlock(&presence->lock);
}

bool presence_nodes_end_list(struct presence *presence, unsigned node, uint32_t now)
{
	return keep(presence, node, true, now);
}

bool presence_nodes_drop(struct presence *presence, unsigned node, uint32_t now)
{
	return keep(presence, node, false, now);
}
