/* SPDX-License-Identifier: MIT */
/* Events that close their topics; see closing.h. */
#include <string.h>

#include "closing.h"

bool closing_is_type(struct sse_text type)
{
	return type.len == strlen(CLOSING_TYPE) && memcmp(type.data, CLOSING_TYPE, type.len) == 0;
}

void closing_init(struct store_append *append, const char *topic)
{
	*append = (struct store_append){.topic = topic,
		.closes = true,
		.event = {.json = true,
			.type = {CLOSING_TYPE, strlen(CLOSING_TYPE)},
			.data = {CLOSING_DATA, strlen(CLOSING_DATA)}}};
}

struct sse_text closing_type(void)
{
	return (struct sse_text){CLOSING_TYPE, strlen(CLOSING_TYPE)};
}

void closing_make(struct event *event, struct topic *topic)
{
	struct store_append append;

	closing_init(&append, topic->name);
	*event = append.event;
	event->position = topic->closed;
	event->time = EVENT_NO_TIME;
	event->topic = topic;
}

static uint64_t closed_at(const struct topic *topic)
{
	return topic->closing != 0 ? topic->closing : topic->closed;
}

bool closing_meets(const struct store_append *append)
{
	return !append->own && closed_at(append->event.topic) != 0;
}

bool closing_settle(struct store_append *append)
{
	append->duplicate = append->closes;
	if (append->closes)
		append->event.position = closed_at(append->event.topic);
	return append->closes;
}

void closing_note(const struct store_append *append)
{
	if (append->closes)
		append->event.topic->closing = append->event.position;
}

void closing_undo(const struct store_group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct store_append *append = &group->appends[i];

		/* What came before it in the topic may be under way all the same. */
		if (append->closes && !append->duplicate && append->event.topic != NULL &&
			append->event.topic->closing == append->event.position)
			append->event.topic->closing = 0;
	}
}
