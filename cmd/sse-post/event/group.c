/* SPDX-License-Identifier: MIT */
/* Groups of events; see group.h. */
#include <stdlib.h>
#include <string.h>

#include "group.h"

/* An emptied group keeps no more memory than this. */
#define KEEP_MAX ((size_t)4 << 20)

void group_init(struct group *group)
{
	*group = (struct group){0};
	/* An event of the largest size, beside its neighbours. */
	buf_init(&group->text, 4 * EVENT_MAX);
}

void group_free(struct group *group)
{
	free(group->all);
	buf_free(&group->text);
	group_init(group);
}

void group_clear(struct group *group)
{
	group->count = 0;
	group->text.len = 0;
	group->skipped_id = (struct piece){0};
	if (group->text.size > KEEP_MAX)
		buf_free(&group->text);
}

bool group_put(struct group *group, const char *text, size_t len, struct piece *piece)
{
	*piece = (struct piece){group->text.len, len};
	return buf_add(&group->text, text, len);
}

bool group_add(struct group *group, const struct event *event)
{
	if (group->count == group->capacity) {
		size_t capacity = group->capacity > 0 ? 2 * group->capacity : 16;
		struct event *all = realloc(group->all, capacity * sizeof(*all));

		if (all == NULL)
			return false;
		group->all = all;
		group->capacity = capacity;
	}
	group->all[group->count++] = *event;
	return true;
}

static bool is(struct sse_text text, const char *other)
{
	return text.len == strlen(other) && memcmp(text.data, other, text.len) == 0;
}

bool event_closes(const struct group *group, const struct event *event)
{
	return is(group_text(group, event->type), EVENT_CLOSING_TYPE) &&
	       is(group_text(group, event->data), EVENT_CLOSING_DATA);
}

bool group_closes(const struct group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		if (event_closes(group, &group->all[i]))
			return true;
	}
	return false;
}

bool event_is_alone(const struct group *group, const struct event *event)
{
	struct sse_text data = group_text(group, event->data);

	if (event->topic.len > 0)
		return false;
	return event->kind == EVENT_FORM ||
	       (event->kind == EVENT_JSON &&
		       (*data.data == '"' || memchr(data.data, '\n', data.len) != NULL ||
			       memchr(data.data, '\r', data.len) != NULL));
}

struct sse_text group_text(const struct group *group, struct piece piece)
{
	if (group->text.data == NULL || piece.len == 0)
		return (struct sse_text){"", 0};
	return (struct sse_text){group->text.data + piece.at, piece.len};
}
