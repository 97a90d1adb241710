/* SPDX-License-Identifier: MIT */
/* The names in chat messages; see author.h. */
#include <stdbool.h>
#include <string.h>
#include <sysexits.h>

#include "access/access.h"
#include "author.h"
#include "base/name.h"
#include "json.h"

/* More than the longest name takes, each byte of it escaped. */
#define TEXT_MAX 512

bool author_may_be(struct access *access, const struct principal *principal, const char *name)
{
	if (principal->as != NULL)
		return strcmp(principal->as, name) == 0;
	return principal->any_name && name_fault(name, strlen(name)) == NULL &&
	       name_is_trimmed(name) && !access_proves_name(access, name);
}

static bool type_is(const struct event *event, const char *type)
{
	return event->type.len == strlen(type) &&
	       memcmp(event->type.data, type, event->type.len) == 0;
}

static bool is_member(struct json_text key, struct json_text value, const char *name)
{
	return json_kind(value) == JSON_STRING && json_string_is(key, name, strlen(name));
}

/* Does the data have the form of a message, whose name the chat shows? */
static bool has_author(const struct event *event, struct json_text data)
{
	struct json_text key, value;
	size_t cursor = 0;

	if (type_is(event, "typing"))
		return true;
	while (json_member(data, &cursor, &key, &value)) {
		if (is_member(key, value, "text"))
			return true;
	}
	return false;
}

/* Decode the name, with a NUL.  Return 0, or -1 with the reason. */
static int read_name(struct json_text value, struct buf *name, struct error *error)
{
	buf_init(name, TEXT_MAX);
	/* What is longer cannot be a name, whatever it decodes to. */
	if (value.len >= TEXT_MAX)
		return error_set(error, EX_NOPERM, "the name in the data is longer than %d bytes",
			NAME_MAX_BYTES);
	if (!json_string_decode(value, name) || !buf_add_byte(name, '\0'))
		return error_set(error, EX_OSERR, "out of memory; try again later");
	if (strlen(name->data) + 1 != name->len)
		return error_set(error, EX_NOPERM, "the name in the data contains a NUL");
	return 0;
}

static int refuse_name(const struct principal *principal, const char *name, struct error *error)
{
	if (principal->as != NULL)
		return error_set(error, EX_NOPERM, "the name in the data is %.*s, but yours is %s",
			NAME_MAX_BYTES, name, principal->as);
	return error_set(error, EX_NOPERM,
		"nothing proves that the name in the data, %.*s, is yours: as= in the access file "
		"gives a name to a token",
		NAME_MAX_BYTES, name);
}

/* The name is as it was decoded; white space around it may be cut off. */
static int judge_name(
	struct access *access, const struct principal *principal, char *text, struct error *error)
{
	/* A proven name is compared exactly; any other name as the chat shows it. */
	const char *name = principal->as != NULL ? text : name_trim(text);

	/* An empty name is not the name of anybody. */
	if (name[0] == '\0' || author_may_be(access, principal, name))
		return 0;
	return refuse_name(principal, name, error);
}

static int check_name(struct access *access, const struct principal *principal,
	struct json_text value, struct error *error)
{
	struct buf text;
	int result = read_name(value, &text, error);

	if (result == 0)
		result = judge_name(access, principal, text.data, error);
	buf_free(&text);
	return result;
}

/* A name that is the whole data of an event of the type typing. */
static int check_text(struct access *access, const struct principal *principal,
	struct sse_text data, struct error *error)
{
	char name[NAME_MAX_BYTES + 1];

	if (data.len > NAME_MAX_BYTES)
		return error_set(error, EX_NOPERM, "the name in the data is longer than %d bytes",
			NAME_MAX_BYTES);
	memcpy(name, data.data, data.len);
	name[data.len] = '\0';
	return judge_name(access, principal, name, error);
}

enum found { FOUND, FOUND_NONE, FOUND_TOO_DEEP };

/*
 * Find the object in the data.  A stream shows text as it shows JSON, so text may be an object too.
 */
static enum found find_object(const struct event *event, struct json_text *object)
{
	struct json_error reason;

	*object = (struct json_text){event->data.data, event->data.len};
	if (!event->json && !json_check(event->data.data, event->data.len, object, &reason))
		return strcmp(reason.what, JSON_TOO_DEEP) == 0 ? FOUND_TOO_DEEP : FOUND_NONE;
	return json_kind(*object) == JSON_OBJECT ? FOUND : FOUND_NONE;
}

int author_check(struct access *access, const struct principal *principal,
	const struct event *event, struct error *error)
{
	struct json_text data, key, value;
	size_t cursor = 0;

	if (principal == NULL)
		return 0;
	switch (find_object(event, &data)) {
	case FOUND_NONE:
		return type_is(event, "typing") && !event->json
			       ? check_text(access, principal, event->data, error)
			       : 0;
	case FOUND_TOO_DEEP:
		return error_set(error, EX_NOPERM,
			"the data is text that may be JSON, but is nested too deeply to see "
			"whether the name in the data is yours");
	case FOUND:
		break;
	}
	if (!has_author(event, data))
		return 0;
	while (json_member(data, &cursor, &key, &value)) {
		if (is_member(key, value, "name") &&
			check_name(access, principal, value, error) != 0)
			return -1;
	}
	return 0;
}

static bool is_name(struct json_text value, const char *name)
{
	struct error ignored;
	struct buf text;
	bool is = read_name(value, &text, &ignored) == 0 && strcmp(text.data, name) == 0;

	buf_free(&text);
	return is;
}

bool author_is(const struct principal *principal, const struct event *event)
{
	struct json_text data, key, value;
	size_t cursor = 0;
	bool named = false;

	if (principal->as == NULL || find_object(event, &data) != FOUND || !has_author(event, data))
		return false;
	while (json_member(data, &cursor, &key, &value)) {
		if (!is_member(key, value, "name"))
			continue;
		named = is_name(value, principal->as);
		if (!named)
			return false;
	}
	return named;
}
