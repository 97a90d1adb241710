/* SPDX-License-Identifier: MIT */
/* Commands; see command.h. */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "command.h"
#include "topic_name.h"

#define MAGIC "SSE"
#define VERSION 1

/* Bits of an append. */
enum { IS_JSON = 1, IS_EPHEMERAL = 2, IS_CLOSING = 4, HAS_KEY = 8, HAS_SUBJECT = 16 };
#define BITS 31

/* --- writing --- */

static bool add_number(struct buf *buf, uint64_t number)
{
	while (number >= 128) {
		if (!buf_add_byte(buf, (char)(number | 128)))
			return false;
		number >>= 7;
	}
	return buf_add_byte(buf, (char)number);
}

static bool add_text(struct buf *buf, const char *data, size_t len)
{
	return add_number(buf, len) && buf_add(buf, data, len);
}

bool command_begin(struct buf *buf, enum command_kind kind, const char *id)
{
	return buf_add_text(buf, MAGIC) && buf_add_byte(buf, VERSION) &&
	       buf_add_byte(buf, (char)kind) && add_text(buf, id, strlen(id));
}

static bool add_append(struct buf *buf, const struct store_append *append)
{
	const struct event *event = &append->event;
	bool key = append->key.len > 0, subject = event->subject.len > 0;
	int bits = (event->json ? IS_JSON : 0) | (event->ephemeral ? IS_EPHEMERAL : 0) |
		   (append->closes ? IS_CLOSING : 0) | (key ? HAS_KEY : 0) |
		   (subject ? HAS_SUBJECT : 0);

	/* The topic's NUL follows it, so that it can be used in place. */
	return buf_add_byte(buf, (char)bits) &&
	       add_text(buf, append->topic, strlen(append->topic) + 1) &&
	       (!key || (add_text(buf, append->key.data, append->key.len) &&
				add_number(buf, append->fingerprint))) &&
	       (!subject || add_text(buf, event->subject.data, event->subject.len)) &&
	       add_text(buf, event->type.data, event->type.len) &&
	       add_text(buf, event->data.data, event->data.len);
}

bool command_add_group(struct buf *buf, const struct store_group *group)
{
	size_t before = buf->len;
	bool added = add_number(buf, group->condition) && add_number(buf, group->expected) &&
		     add_number(buf, group->count);

	for (size_t i = 0; i < group->count && added; i++)
		added = add_append(buf, &group->appends[i]);
	if (!added)
		buf->len = before;
	return added;
}

bool command_add_range(struct buf *buf, const char *topic, uint64_t after, uint64_t upto)
{
	return add_text(buf, topic, strlen(topic) + 1) && add_number(buf, after) &&
	       add_number(buf, upto);
}

/* --- reading --- */

struct cursor {
	const char *at, *end;
	bool bad;
};

static uint64_t take_number(struct cursor *cursor)
{
	uint64_t number = 0;

	for (unsigned shift = 0; shift < 64 && cursor->at < cursor->end; shift += 7) {
		unsigned char byte = (unsigned char)*cursor->at++;

		number |= (uint64_t)(byte & 127) << shift;
		if (byte < 128)
			return number;
	}
	cursor->bad = true;
	return 0;
}

static struct sse_text take_text(struct cursor *cursor)
{
	uint64_t len = take_number(cursor);
	struct sse_text text = {cursor->at, 0};

	if (cursor->bad || len > (uint64_t)(cursor->end - cursor->at)) {
		cursor->bad = true;
		return text;
	}
	text.len = (size_t)len;
	cursor->at += len;
	return text;
}

/* A topic, whose NUL follows. */
static const char *take_topic(struct cursor *cursor)
{
	struct sse_text text = take_text(cursor);

	if (!cursor->bad && text.len > 1 && text.data[text.len - 1] == '\0' &&
		topic_name_is_accepted(text.data, text.len - 1))
		return text.data;
	cursor->bad = true;
	return "";
}

/* One line of UTF-8, at most ${max} bytes long. */
static struct sse_text take_line(struct cursor *cursor, size_t max)
{
	struct sse_text text = take_text(cursor);

	for (size_t i = 0; i < text.len && !cursor->bad; i++)
		cursor->bad = (unsigned char)text.data[i] < ' ' || text.data[i] == 127;
	if (text.len == 0 || text.len > max || sse_utf8_valid(text.data, text.len) != text.len)
		cursor->bad = true;
	return text;
}

static void take_append(struct cursor *cursor, struct store_append *append)
{
	unsigned bits = cursor->at < cursor->end ? (unsigned char)*cursor->at++ : BITS + 1;
	struct event *event = &append->event;

	*append = (struct store_append){.topic = take_topic(cursor), .closes = bits & IS_CLOSING};
	event->json = bits & IS_JSON;
	event->ephemeral = bits & IS_EPHEMERAL;
	if (bits & HAS_KEY) {
		append->key = take_text(cursor);
		append->fingerprint = take_number(cursor);
	}
	if (bits & HAS_SUBJECT)
		event->subject = take_line(cursor, EVENT_SUBJECT_MAX);
	event->type = take_line(cursor, EVENT_TYPE_MAX);
	event->data = take_text(cursor);
	if (bits > BITS || append->key.len > EVENT_KEY_MAX ||
		sse_utf8_valid(append->key.data, append->key.len) != append->key.len ||
		memchr(event->data.data, '\r', event->data.len) != NULL ||
		sse_utf8_valid(event->data.data, event->data.len) != event->data.len)
		cursor->bad = true;
}

/* Room for one more in an array of ${count}, which grows in powers of two.  NULL without memory. */
static void *grow(void *array, size_t count, size_t size)
{
	if ((count & (count - 1)) != 0)
		return array;
	return realloc(array, (count > 0 ? 2 * count : 1) * size);
}

/* Its appends are found by their number until the array is complete. */
static int take_group(struct command *command, struct cursor *cursor)
{
	struct store_group *groups =
		grow(command->groups, command->count, sizeof(*command->groups));
	struct store_group *group;
	uint64_t count;

	if (groups == NULL)
		return -1;
	command->groups = groups;
	group = &groups[command->count++];
	*group = (struct store_group){.condition = (enum store_condition)take_number(cursor)};
	group->expected = take_number(cursor);
	count = take_number(cursor);
	cursor->bad |= (unsigned)group->condition > STORE_IF_NONE || count == 0;
	for (; group->count < count && !cursor->bad; group->count++) {
		struct store_append *appends =
			grow(command->appends, command->total, sizeof(*command->appends));

		if (appends == NULL)
			return -1;
		command->appends = appends;
		take_append(cursor, &appends[command->total++]);
	}
	return 0;
}

static int take_groups(struct command *command, struct cursor *cursor)
{
	struct store_append *next;

	while (cursor->at < cursor->end && !cursor->bad) {
		if (take_group(command, cursor) != 0)
			return -1;
	}
	if (cursor->bad)
		return 0;
	next = command->appends;
	for (size_t i = 0; i < command->count; next += command->groups[i++].count)
		command->groups[i].appends = next;
	return 0;
}

int command_read(struct command *command, const char *data, size_t len, struct error *error)
{
	struct cursor cursor = {data, data + len, false};
	size_t magic = strlen(MAGIC);

	*command = (struct command){.topic = ""};
	if (len < magic + 2 || memcmp(data, MAGIC, magic) != 0)
		return error_set(error, EX_DATAERR, "this is not a command of sse-serve");
	if (data[magic] != VERSION)
		return error_set(error, EX_CONFIG,
			"a newer sse-serve writes to this log: upgrade sse-serve on this node");
	command->kind = (enum command_kind)data[magic + 1];
	cursor.at += magic + 2;
	command->id = take_text(&cursor);
	if (command->kind == COMMAND_APPEND) {
		if (take_groups(command, &cursor) != 0)
			return error_set(error, EX_OSERR, "out of memory for a command");
	} else if (command->kind == COMMAND_ERASE) {
		command->topic = take_topic(&cursor);
		command->after = take_number(&cursor);
		command->upto = take_number(&cursor);
		cursor.bad |= cursor.at != cursor.end || command->after >= command->upto ||
			      command->upto > INT64_MAX;
	} else if (command->kind == COMMAND_IMPORT) {
		cursor.bad |= cursor.at != cursor.end;
	} else {
		cursor.bad = true;
	}
	if (cursor.bad)
		return error_set(error, EX_DATAERR, "this command of sse-serve is damaged");
	return 0;
}

void command_free(struct command *command)
{
	free(command->groups);
	free(command->appends);
	*command = (struct command){.topic = ""};
}
