/* SPDX-License-Identifier: MIT */
/* One line of an exported log; see import_line.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "import_line.h"
#include "log/subject.h"
#include "number.h"

static const char *const names[MEMBERS] = {
	[MEMBER_SSE_LOG] = "sse-log",
	[MEMBER_HEAD] = "head",
	[MEMBER_INCARNATION] = "incarnation",
	[MEMBER_OPENED] = "opened",
	[MEMBER_TOPIC] = "topic",
	[MEMBER_REMOVED] = "removed",
	[MEMBER_DELETED] = "deleted",
	[MEMBER_SUPERSEDED] = "superseded",
	[MEMBER_CLOSED] = "closed",
	[MEMBER_ERASED] = "erased",
	[MEMBER_ID] = "id",
	[MEMBER_TIME] = "time",
	[MEMBER_EVENT] = "event",
	[MEMBER_SUBJECT] = "subject",
	[MEMBER_DATA] = "data",
	[MEMBER_TEXT] = "text",
	[MEMBER_RAW] = "raw",
	[MEMBER_KEY] = "key",
	[MEMBER_FINGERPRINT] = "fingerprint",
	[MEMBER_END] = "end",
	[MEMBER_EVENTS] = "events",
	[MEMBER_KEYS] = "keys",
};

#define BIT(member) (1u << (member))

/* The members of each kind: those that it must have, and those that it may. */
static const struct kind {
	unsigned must, may;
} kinds[] = {
	[IMPORT_HEAD] = {BIT(MEMBER_SSE_LOG) | BIT(MEMBER_HEAD), 0},
	[IMPORT_INCARNATION] = {BIT(MEMBER_INCARNATION) | BIT(MEMBER_OPENED), 0},
	[IMPORT_TOPIC] = {BIT(MEMBER_TOPIC) | BIT(MEMBER_REMOVED),
		BIT(MEMBER_DELETED) | BIT(MEMBER_SUPERSEDED) | BIT(MEMBER_CLOSED) |
			BIT(MEMBER_ERASED)},
	[IMPORT_EVENT] = {BIT(MEMBER_TOPIC) | BIT(MEMBER_ID) | BIT(MEMBER_TIME) |
				  BIT(MEMBER_EVENT) | BIT(MEMBER_DATA),
		BIT(MEMBER_SUBJECT) | BIT(MEMBER_TEXT) | BIT(MEMBER_RAW)},
	[IMPORT_KEY] = {BIT(MEMBER_KEY) | BIT(MEMBER_TOPIC) | BIT(MEMBER_ID) | BIT(MEMBER_TIME) |
				BIT(MEMBER_FINGERPRINT),
		0},
	[IMPORT_END] = {BIT(MEMBER_END) | BIT(MEMBER_EVENTS) | BIT(MEMBER_KEYS), 0},
};

static int member_of(struct json_text key)
{
	for (int i = 0; i < MEMBERS; i++) {
		if (json_string_is(key, names[i], strlen(names[i])))
			return i;
	}
	return -1;
}

int import_line_read(const char *text, size_t len, struct import_line *line, struct error *error)
{
	struct json_text object, key, value;
	struct json_error wrong;
	unsigned has = 0;
	size_t cursor = 0;

	*line = (struct import_line){0};
	if (!json_check(text, len, &object, &wrong))
		return error_set(error, EX_DATAERR, "%s at byte %zu", wrong.what, wrong.offset + 1);
	if (json_kind(object) != JSON_OBJECT)
		return error_set(error, EX_DATAERR, "it is not a JSON object");
	while (json_member(object, &cursor, &key, &value)) {
		int member = member_of(key);

		if (member < 0)
			return error_set(error, EX_DATAERR, "the member %.*s is not known",
				(int)(key.len < 60 ? key.len : 60), key.text);
		if (has & BIT(member))
			return error_set(
				error, EX_DATAERR, "the member %s appears twice", names[member]);
		has |= BIT(member);
		line->members[member] = value;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		line->kind = (enum import_kind)i;
		if ((has & kinds[i].must) == kinds[i].must &&
			(has & ~(kinds[i].must | kinds[i].may)) == 0)
			return 0;
	}
	return error_set(error, EX_DATAERR, "no line of a log has these members together");
}

int import_line_number(const struct import_line *line, enum import_member member, uint64_t *number,
	struct error *error)
{
	struct json_text value = line->members[member];
	char digits[24];
	int64_t read;

	if (value.len < sizeof(digits)) {
		memcpy(digits, value.text, value.len);
		digits[value.len] = '\0';
		if (number_count(digits, 0, INT64_MAX, &read, NULL) == 0) {
			*number = (uint64_t)read;
			return 0;
		}
	}
	return error_set(error, EX_DATAERR, "%s is not a number from 0", names[member]);
}

int import_line_text(const struct import_line *line, enum import_member member, struct buf *out,
	struct error *error)
{
	struct json_text value = line->members[member];

	out->len = 0;
	if (json_kind(value) != JSON_STRING)
		return error_set(error, EX_DATAERR, "%s is not a string", names[member]);
	if (!json_string_decode(value, out) || !buf_add_byte(out, '\0'))
		return error_set(error, EX_OSERR, "out of memory");
	out->len--;
	return 0;
}

int import_line_subject(const struct import_line *line, struct buf *out, struct sse_text *subject,
	struct error *error)
{
	const char *fault;

	if (line->members[MEMBER_SUBJECT].text == NULL)
		return 0;
	if (import_line_text(line, MEMBER_SUBJECT, out, error) != 0)
		return -1;
	*subject = (struct sse_text){out->data, out->len};
	fault = subject_fault(*subject);
	return fault != NULL ? error_set(error, EX_DATAERR, "the subject %s", fault) : 0;
}

int import_line_data(
	const struct import_line *line, struct buf *out, struct event *event, struct error *error)
{
	struct json_text text = line->members[MEMBER_TEXT], data = line->members[MEMBER_DATA];
	bool raw = line->members[MEMBER_RAW].text != NULL;

	if (text.text != NULL && (raw || json_kind(text) != JSON_TRUE))
		return error_set(error, EX_DATAERR, "text can only be true, without raw");
	event->json = text.text == NULL;
	event->data = (struct sse_text){data.text, data.len};
	if (event->json && !raw)
		return 0;
	if (import_line_text(line, raw ? MEMBER_RAW : MEMBER_DATA, out, error) != 0)
		return -1;
	event->data = (struct sse_text){out->data, out->len};
	if (memchr(event->data.data, '\r', event->data.len) != NULL)
		return error_set(error, EX_DATAERR, "the data contains a CR");
	if (raw && !json_check(event->data.data, event->data.len, NULL, NULL))
		return error_set(error, EX_DATAERR, "raw is not JSON");
	return 0;
}

int import_line_fingerprint(
	const struct import_line *line, struct buf *out, uint64_t *value, struct error *error)
{
	if (import_line_text(line, MEMBER_FINGERPRINT, out, error) != 0)
		return -1;
	if (out->len != 16 || strspn(out->data, "0123456789abcdef") != 16)
		return error_set(error, EX_DATAERR, "a fingerprint has 16 hexadecimal digits");
	*value = strtoull(out->data, NULL, 16);
	return 0;
}
