/* SPDX-License-Identifier: MIT */
/* Reading the event deleted; see deleted.h. */
#include "deleted.h"
#include "event_type.h"
#include "json.h"
#include "json_pointer.h"

/* Append what stands before the string at this place, the string, and what follows it. */
static bool describe(struct json_text object, const char *pointer, const char *before,
	const char *after, struct buf *out)
{
	struct json_text value;

	return json_pointer(object, pointer, &value) && json_kind(value) == JSON_STRING &&
	       buf_add_text(out, before) && json_string_decode(value, out) &&
	       buf_add_text(out, after);
}

bool deleted_read(const struct sse_event *event, struct buf *sentence)
{
	struct json_error not_json;
	struct json_text object;

	if (event->has_id || !event_type_is(event, "deleted") ||
		!json_check(event->data.data, event->data.len, &object, &not_json) ||
		json_kind(object) != JSON_OBJECT)
		return false;
	return describe(object, "/id", "the event ", " was deleted", sentence) ||
	       describe(object, "/upto", "all events up to ", " were deleted", sentence);
}
