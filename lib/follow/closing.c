/* SPDX-License-Identifier: MIT */
/* Reading the event that closes a topic; see closing.h. */
#include "closing.h"
#include "event_type.h"
#include "json.h"
#include "json_pointer.h"

static const char type[] = "closed";

static bool is_empty(struct json_text object)
{
	struct json_text key, value;
	size_t cursor = 0;

	return json_kind(object) == JSON_OBJECT && !json_member(object, &cursor, &key, &value);
}

static bool is_envelope(struct json_text object)
{
	struct json_text value;

	return json_pointer(object, "/event", &value) &&
	       json_string_is(value, type, sizeof(type) - 1) &&
	       json_pointer(object, "/data", &value) && is_empty(value);
}

bool closing_read(const struct sse_event *event)
{
	struct json_error not_json;
	struct json_text object;

	return event->has_id && event_type_is(event, type) &&
	       json_check(event->data.data, event->data.len, &object, &not_json) &&
	       (is_empty(object) || is_envelope(object));
}
