/* SPDX-License-Identifier: MIT */
/* Reading the denied event; see denied.h. */
#include <string.h>
#include <sysexits.h>

#include "buf.h"
#include "denied.h"
#include "event_type.h"
#include "json.h"

/* The most bytes of the server's reason that go into the message. */
#define REASON_MAX 200

static bool is_only_member(struct json_text object, const char *name, struct json_text *value)
{
	struct json_text key, more;
	size_t cursor = 0;

	return json_member(object, &cursor, &key, value) &&
	       json_string_is(key, name, strlen(name)) &&
	       !json_member(object, &cursor, &key, &more);
}

/* If the data of the event is that of a denied event, append the reason. */
static bool read_reason(const struct sse_event *event, struct buf *reason)
{
	struct json_text object, value;
	struct json_error not_json;

	return json_check(event->data.data, event->data.len, &object, &not_json) &&
	       json_kind(object) == JSON_OBJECT && is_only_member(object, "reason", &value) &&
	       json_kind(value) == JSON_STRING && json_string_decode(value, reason);
}

bool denied_read(const struct sse_event *event, const struct client *client, const char *shown,
	struct error *error)
{
	static const char *const help[] = {
		[CLIENT_LOGIN_NONE] = "",
		[CLIENT_LOGIN_PLAIN] = "",
		[CLIENT_LOGIN_TOKEN] =
			"; give another token; one in a --token-file can be replaced at any time",
		[CLIENT_LOGIN_FILE] = "; put another token into the file of --token-file",
		[CLIENT_LOGIN_OTHER] = "",
		[CLIENT_LOGIN_WITHHELD] = "",
	};
	struct buf reason;
	bool is;

	if (event->has_id || !event_type_is(event, "denied"))
		return false;
	buf_init(&reason, SSE_EVENT_MAX);
	is = read_reason(event, &reason);
	if (is) {
		const char *words = reason.len > 0 ? reason.data : "";
		size_t len = reason.len < REASON_MAX ? reason.len : REASON_MAX;

		error_set(error, EX_NOPERM, "%.120s: the server ended the stream: %.*s%s", shown,
			(int)sse_utf8_valid(words, len), words, help[client_login(client)]);
	}
	buf_free(&reason);
	return is;
}
