/* SPDX-License-Identifier: MIT */
/* Topics that are new with their events; see new_topics.h. */
#include <stdbool.h>
#include <sysexits.h>

#include "new_topics.h"

/* The server's own topic does not count. */
static bool fits(struct topics *topics, const char *name)
{
	return topics_room(topics) > 0 || topic_is_system(name) ||
	       topics_find(topics, name) != NULL;
}

static int refuse(const struct topics *topics, const char *name, struct error *error)
{
	return error_set(error, EX_CANTCREAT,
		"the limit of %u topics is reached (--max-topics), and %s would be a new one; "
		"events for known topics are still accepted",
		topics_limit(topics), name);
}

/* Register the event's topic; it is noted in the event if it is new.  Return -1 without memory. */
static int add(struct topics *topics, struct store_append *append)
{
	bool known = topics_find(topics, append->topic) != NULL;
	struct topic *topic = topics_add(topics, append->topic);

	append->event.topic = known ? NULL : topic;
	return topic != NULL ? 0 : -1;
}

/* The group is refused: forget the topics that are new with its first ${count} events. */
static void forget(struct topics *topics, const struct store_group *group, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct topic *topic = group->appends[i].event.topic;

		if (topic != NULL)
			topics_forget_new(topics, topic);
	}
}

int new_topics_register(struct topics *topics, struct store_group *group, struct error *error)
{
	size_t kept = 0;

	for (size_t i = 0; i < group->count; i++) {
		struct store_append append = group->appends[i];

		if (!fits(topics, append.topic)) {
			if (append.event.ephemeral)
				continue;
			group->conflicted = i;
			forget(topics, group, i);
			return refuse(topics, append.topic, error);
		}
		if (add(topics, &append) != 0)
			return error_set(error, EX_IOERR, "out of memory for a new topic");
		group->appends[kept++] = append;
	}
	if (kept == 0 && group->count > 0)
		return refuse(topics, group->appends[0].topic, error);
	group->count = kept;
	return 0;
}

void new_topics_forget(struct topics *topics, const struct store_group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		struct topic *topic = topics_find(topics, group->appends[i].topic);

		if (topic != NULL)
			topics_forget_new(topics, topic);
	}
}
