/* SPDX-License-Identifier: MIT */
/* Where keys come from; see key.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "clock.h"
#include "json.h"
#include "json_pointer.h"
#include "key.h"
#include "percent.h"
#include "timestamp.h"

void key_builder_init(
	struct key_builder *builder, const char *fixed, const char *from, bool at_most_once)
{
	*builder = (struct key_builder){.fixed = fixed, .from = from, .at_most_once = at_most_once};
	buf_init(&builder->text, 4 * EVENT_MAX);
	buf_init(&builder->source, EVENT_MAX);
}

void key_builder_free(struct key_builder *builder)
{
	buf_free(&builder->text);
	buf_free(&builder->source);
}

const char *key_fault(const char *key)
{
	if (*key == '\0')
		return "is empty";
	if (strlen(key) > EVENT_KEY_MAX)
		return "is longer than 255 bytes";
	for (; *key != '\0'; key++) {
		if (*key < ' ' || *key > '~')
			return "contains something other than printable ASCII";
	}
	return NULL;
}

static const char *where(const struct event *event, char text[40])
{
	if (event->line == 0)
		return "the data";
	snprintf(text, 40, "line %" PRIu64, event->line);
	return text;
}

static int take(
	struct key_builder *builder, struct event *event, struct group *group, struct error *error)
{
	char line[40];

	if (builder->text.len > EVENT_KEY_MAX)
		return error_set(error, EX_DATAERR,
			"%s: its idempotency key would have %zu bytes; it can have %d",
			where(event, line), builder->text.len, EVENT_KEY_MAX);
	if (!group_put(group, builder->text.data, builder->text.len, &event->key))
		return error_set(error, EX_OSERR, "out of memory");
	return 0;
}

/* --idempotency-key: of many events each has one of its own, the same in each run. */
static bool make_fixed(struct key_builder *builder, const struct event *event)
{
	if (event->line == 0)
		return buf_add_text(&builder->text, builder->fixed);
	return buf_addf(&builder->text, "%s:%" PRIu64, builder->fixed, event->line);
}

/* The part of the data that is to be the key; an empty pointer is valid and means all of it. */
static const char *part_name(const char *pointer)
{
	return *pointer != '\0' ? pointer : "value";
}

/* --idempotency-key-from: a string's text, or the digits of a number. */
static int make_from_data(struct key_builder *builder, const struct event *event,
	const struct group *group, struct error *error)
{
	const char *pointer = builder->from;
	struct sse_text data = group_text(group, event->data);
	struct json_text value = {data.data, data.len}, found = {0};
	struct buf decoded;
	char line[40];
	bool made = true;

	if (event->kind != EVENT_JSON)
		return error_set(error, EX_DATAERR,
			"%s is not JSON, and so has no %.100s for its idempotency key",
			where(event, line), part_name(pointer));
	if (!json_pointer(value, pointer, &found))
		return error_set(error, EX_DATAERR, "%s has no %.100s for its idempotency key",
			where(event, line), pointer);
	if (json_kind(found) != JSON_STRING && json_kind(found) != JSON_NUMBER)
		return error_set(error, EX_DATAERR,
			"%s: its %.100s cannot be its idempotency key: it must be a string or a "
			"number%s",
			where(event, line), part_name(pointer),
			*pointer == '\0' ? "; a pointer like /order/id names a part of it" : "");
	if (json_kind(found) == JSON_STRING && !json_string_is_unicode(found))
		return error_set(error, EX_DATAERR,
			"%s: its %.100s has half of a surrogate pair, and so cannot be its "
			"idempotency key",
			where(event, line), part_name(pointer));
	buf_init(&decoded, EVENT_MAX);
	if (json_kind(found) == JSON_STRING)
		made = json_string_decode(found, &decoded) &&
		       percent_encode(
			       decoded.data ? decoded.data : "", decoded.len, &builder->text);
	else
		made = buf_add(&builder->text, found.text, found.len);
	buf_free(&decoded);
	if (!made)
		return error_set(error, EX_OSERR, "out of memory");
	if (builder->text.len == 0)
		return error_set(error, EX_DATAERR,
			"%s: its %.100s is empty, and so cannot be its idempotency key",
			where(event, line), part_name(pointer));
	return 0;
}

/*
 * If several events in a row have the same id at their source, the key of each further one ends
 * with a space, which no encoded id contains, and a count.
 */
static bool make_from_id(struct key_builder *builder, struct sse_text id)
{
	struct buf *last = &builder->source;

	if (buf_is(last, id.data, id.len)) {
		builder->repeated++;
		return percent_encode(id.data, id.len, &builder->text) &&
		       buf_addf(&builder->text, " %" PRIu64, builder->repeated);
	}
	builder->repeated = 0;
	last->len = 0;
	return buf_add(last, id.data, id.len) && percent_encode(id.data, id.len, &builder->text);
}

static int make_new(struct key_builder *builder, struct error *error)
{
	char text[UUID_TEXT];

	if (!uuid_make(&builder->uuids, clock_wall_ms(), text))
		return error_set(
			error, EX_OSERR, "the system provides no random numbers for a key");
	if (!buf_add_text(&builder->text, text))
		return error_set(error, EX_OSERR, "out of memory");
	return 0;
}

int key_make(struct key_builder *builder, struct event *event, struct sse_text own,
	struct sse_text id, struct group *group, struct error *error)
{
	int result = 0;
	bool made = true;

	event->key = (struct piece){0};
	builder->text.len = 0;
	if (builder->at_most_once)
		return 0;
	if (builder->fixed != NULL)
		made = make_fixed(builder, event);
	else if (builder->from != NULL && !event_closes(group, event))
		result = make_from_data(builder, event, group, error);
	else if (own.len > 0)
		made = percent_encode(own.data, own.len, &builder->text);
	else if (id.len > 0)
		made = make_from_id(builder, id);
	else
		result = make_new(builder, error);
	if (!made)
		return error_set(error, EX_OSERR, "out of memory");
	return result != 0 ? -1 : take(builder, event, group, error);
}
