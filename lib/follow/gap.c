/* SPDX-License-Identifier: MIT */
/* Reading the gap event; see gap.h. */
#include <string.h>

#include "event_type.h"
#include "gap.h"
#include "json.h"
#include "json_pointer.h"

/* Append the decoded string at this place; false without one. */
static bool member(struct json_text object, const char *pointer, struct buf *out)
{
	struct json_text value;

	return json_pointer(object, pointer, &value) && json_kind(value) == JSON_STRING &&
	       json_string_decode(value, out);
}

static bool describe(struct json_text object, const struct buf *reason, struct buf *out)
{
	bool added = buf_add_text(out, "events are missing here: those after ");

	if (!member(object, "/after", out))
		added = added && buf_add_text(out, "the last one");
	if (buf_is(reason, "expired", strlen("expired")))
		added = added && buf_add_text(out, " are no longer stored");
	else if (buf_is(reason, "unknown-log", strlen("unknown-log")))
		added = added && buf_add_text(out, " are not known: the id belongs to another log");
	else if (buf_is(reason, "deleted", strlen("deleted")))
		added = added && buf_add_text(out, " were deleted");
	else if (buf_is(reason, "superseded", strlen("superseded")))
		added = added &&
			buf_add_text(out, " were replaced by newer events of their subjects");
	else
		added = added && buf_add_text(out, " are gone (") &&
			buf_add(out, reason->data, reason->len) && buf_add_text(out, ")");
	return added;
}

bool gap_read(const struct sse_event *event, struct buf *sentence)
{
	struct json_error not_json;
	struct json_text object;
	struct buf reason;
	bool result = false;

	if (!event_type_is(event, "gap") ||
		!json_check(event->data.data, event->data.len, &object, &not_json) ||
		json_kind(object) != JSON_OBJECT)
		return false;
	buf_init(&reason, 1024);
	if (member(object, "/reason", &reason))
		result = describe(object, &reason, sentence);
	buf_free(&reason);
	return result;
}
