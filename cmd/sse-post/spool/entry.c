/* SPDX-License-Identifier: MIT */
/* Files of the spool; see entry.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "entry.h"
#include "json.h"
#include "event/key.h"
#include "timestamp.h"

static const char magic[] = "sse-post spool ";
static const char version[] = "1";

/* --- writing --------------------------------------------------------------------------------- */

static bool add_member(struct buf *out, const char *name, struct sse_text text, bool raw)
{
	return buf_addf(out, "%s\"%s\":", out->data[out->len - 1] == '{' ? "" : ",", name) &&
	       (raw ? buf_add(out, text.data, text.len) : json_quote(text.data, text.len, out));
}

static bool add_optional(
	struct buf *out, const char *name, const struct group *group, struct piece piece)
{
	return piece.len == 0 || add_member(out, name, group_text(group, piece), false);
}

static bool write_event(const struct group *group, const struct event *event, struct buf *out)
{
	struct sse_text data = group_text(group, event->data);
	bool one_line = memchr(data.data, '\n', data.len) == NULL &&
			memchr(data.data, '\r', data.len) == NULL;
	const char *name = event->kind == EVENT_TEXT   ? "text"
			   : event->kind == EVENT_FORM ? "form"
			   : one_line		       ? "json"
						       : "json-text";

	return buf_add_byte(out, '{') && add_optional(out, "topic", group, event->topic) &&
	       add_optional(out, "key", group, event->key) &&
	       add_optional(out, "event", group, event->type) &&
	       add_optional(out, "subject", group, event->subject) &&
	       add_optional(out, "id", group, event->id) &&
	       add_member(out, name, data, event->kind == EVENT_JSON && one_line) &&
	       buf_add_text(out, "}\n");
}

static bool write_head(const struct entry *entry, size_t count, struct buf *out)
{
	char time[TIMESTAMP_TEXT];

	if (!buf_addf(out, "%s%s\nurl: %s\nspooled: %s\nreason: ", magic, version, entry->url,
		    timestamp_format(entry->spooled, time)))
		return false;
	/* It is the server's words in part. */
	for (const char *p = entry->reason; *p != '\0'; p++) {
		if (!buf_add_byte(out, (unsigned char)*p < ' ' || *p == 0x7f ? ' ' : *p))
			return false;
	}
	return buf_addf(out, "\nevents: %zu\n\n", count);
}

bool entry_write(const struct entry *entry, const struct group *group, size_t from, size_t count,
	struct buf *out)
{
	if (!write_head(entry, count, out))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!write_event(group, &group->all[from + i], out))
			return false;
	}
	return true;
}

bool entry_write_damaged(
	const struct entry *entry, const struct buf *damaged, size_t count, struct buf *out)
{
	return write_head(entry, count, out) && buf_add(out, damaged->data, damaged->len);
}

/* --- reading --------------------------------------------------------------------------------- */

struct reader {
	const char *at, *end;
	int64_t spooled;
	size_t events;
	struct error *error;
};

static bool next_line(struct reader *reader, struct sse_text *line)
{
	const char *end;

	if (reader->at == reader->end)
		return false;
	end = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
	/* A line without its end was cut off. */
	if (end == NULL)
		return false;
	*line = (struct sse_text){reader->at, (size_t)(end - reader->at)};
	reader->at = end + 1;
	return true;
}

/* The value after "name: ", or NULL. */
static const char *header_value(struct sse_text line, const char *name)
{
	size_t len = strlen(name);

	return line.len > len + 1 && memcmp(line.data, name, len) == 0 && line.data[len] == ':' &&
			       line.data[len + 1] == ' '
		       ? line.data + len + 2
		       : NULL;
}

static int read_header(struct reader *reader, struct sse_text line)
{
	const char *value = header_value(line, "spooled");
	char text[TIMESTAMP_TEXT];

	if (value != NULL) {
		snprintf(text, sizeof(text), "%.*s", (int)(line.data + line.len - value), value);
		if (timestamp_parse(text, &reader->spooled) != 0)
			return error_set(reader->error, EX_DATAERR,
				"its line 'spooled:' has no time like 2026-11-26T03:00:01Z");
	}
	value = header_value(line, "events");
	for (; value != NULL && value < line.data + line.len; value++) {
		if (*value < '0' || *value > '9' || reader->events > 100000000)
			return error_set(
				reader->error, EX_DATAERR, "its line 'events:' has no number");
		reader->events = reader->events * 10 + (size_t)(*value - '0');
	}
	return 0;
}

static int read_head(struct reader *reader)
{
	size_t len = strlen(magic);
	struct sse_text line;

	if (!next_line(reader, &line) || line.len <= len || memcmp(line.data, magic, len) != 0)
		return error_set(reader->error, EX_DATAERR, "it is not a spool file");
	if (line.len != len + strlen(version) || memcmp(line.data + len, version, 1) != 0)
		return error_set(reader->error, EX_IOERR,
			"its version is %.*s; this sse-post knows version %s",
			(int)(line.len - len < 20 ? line.len - len : 20), line.data + len, version);
	while (next_line(reader, &line)) {
		if (line.len == 0)
			return 0;
		if (read_header(reader, line) != 0)
			return -1;
	}
	return error_set(reader->error, EX_DATAERR, "it is cut off before its events");
}

/* The members of an event, and which data they are. */
static const struct member {
	const char *name;
	enum {
		MEMBER_TOPIC,
		MEMBER_KEY,
		MEMBER_TYPE,
		MEMBER_SUBJECT,
		MEMBER_ID,
		MEMBER_DATA
	} member;
	enum event_kind kind;
	bool raw;
} members[] = {
	{"topic", MEMBER_TOPIC, EVENT_TEXT, false},
	{"key", MEMBER_KEY, EVENT_TEXT, false},
	{"event", MEMBER_TYPE, EVENT_TEXT, false},
	{"subject", MEMBER_SUBJECT, EVENT_TEXT, false},
	{"id", MEMBER_ID, EVENT_TEXT, false},
	{"text", MEMBER_DATA, EVENT_TEXT, false},
	{"form", MEMBER_DATA, EVENT_FORM, false},
	{"json", MEMBER_DATA, EVENT_JSON, true},
	{"json-text", MEMBER_DATA, EVENT_JSON, false},
};

static const struct member *find_member(struct json_text key)
{
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (json_string_is(key, members[i].name, strlen(members[i].name)))
			return &members[i];
	}
	return NULL;
}

static bool put_string(struct group *group, struct json_text string, struct piece *piece)
{
	*piece = (struct piece){group->text.len, 0};
	if (!json_string_decode(string, &group->text))
		return false;
	piece->len = group->text.len - piece->at;
	return true;
}

/* Can the event that was read be sent? */
static bool is_event(const struct group *group, const struct event *event, bool data)
{
	struct sse_text key = group_text(group, event->key), type = group_text(group, event->type);
	struct sse_text content = group_text(group, event->data);
	struct json_text value;
	struct json_error wrong;

	for (size_t i = 0; i < key.len; i++) {
		if (key.data[i] < ' ' || key.data[i] > '~')
			return false;
	}
	return data && key.len <= EVENT_KEY_MAX && memchr(type.data, '\n', type.len) == NULL &&
	       memchr(type.data, '\r', type.len) == NULL &&
	       memchr(type.data, '\0', type.len) == NULL &&
	       (event->kind != EVENT_JSON ||
		       (json_check(content.data, content.len, &value, &wrong) &&
			       value.text == content.data && value.len == content.len));
}

static bool read_event(struct sse_text line, struct group *group)
{
	struct event event = {0};
	struct json_text object, key, value;
	struct json_error wrong;
	size_t cursor = 0;
	bool data = false;

	if (!json_check_wrapper(line.data, line.len, &object, &wrong) ||
		json_kind(object) != JSON_OBJECT)
		return false;
	while (json_member(object, &cursor, &key, &value)) {
		const struct member *member = find_member(key);
		struct piece piece;

		if (member == NULL)
			continue;
		if (!member->raw && json_kind(value) != JSON_STRING)
			return false;
		if (member->raw ? !group_put(group, value.text, value.len, &piece)
				: !put_string(group, value, &piece))
			return false;
		if (member->member == MEMBER_TOPIC)
			event.topic = piece;
		else if (member->member == MEMBER_KEY)
			event.key = piece;
		else if (member->member == MEMBER_TYPE)
			event.type = piece;
		else if (member->member == MEMBER_SUBJECT)
			event.subject = piece;
		else if (member->member == MEMBER_ID)
			event.id = piece;
		else if (data)
			return false;
		else {
			data = true;
			event.data = piece;
			event.kind = member->kind;
		}
	}
	if (!is_event(group, &event, data))
		return false;
	event.alone = event_is_alone(group, &event);
	return group_add(group, &event);
}

/* As entry_read(); with ${damaged} a line that cannot be read is put there. */
static int read_entry(const char *text, size_t len, int64_t *spooled, struct group *group,
	struct buf *damaged, struct error *error)
{
	struct reader reader = {.at = text, .end = text + len, .error = error};
	size_t count = group->count, bytes = group->text.len, events = 0;
	struct sse_text line;

	if (read_head(&reader) != 0)
		return -1;
	*spooled = reader.spooled;
	for (; next_line(&reader, &line); events++) {
		size_t before = group->text.len;

		if (read_event(line, group))
			continue;
		group->text.len = before;
		if (damaged == NULL || !buf_add(damaged, line.data, line.len) ||
			!buf_add_byte(damaged, '\n')) {
			error_set(error, EX_DATAERR, "its event %zu cannot be read", events + 1);
			goto err0;
		}
	}
	if (events == reader.events && reader.at == reader.end)
		return 0;
	error_set(error, EX_DATAERR, "it holds %zu events, but its head says %zu", events,
		reader.events);
err0:
	group->count = count;
	group->text.len = bytes;
	return -1;
}

int entry_read(
	const char *text, size_t len, int64_t *spooled, struct group *group, struct error *error)
{
	return read_entry(text, len, spooled, group, NULL, error);
}

int entry_read_healthy(const char *text, size_t len, int64_t *spooled, struct group *group,
	struct buf *damaged, struct error *error)
{
	return read_entry(text, len, spooled, group, damaged, error);
}

char *entry_url(const char *text, size_t len)
{
	struct reader reader = {.at = text, .end = text + len};
	struct sse_text line;

	while (next_line(&reader, &line) && line.len > 0) {
		const char *value = header_value(line, "url");

		if (value != NULL)
			return strndup(value, (size_t)(line.data + line.len - value));
	}
	return NULL;
}
