/* SPDX-License-Identifier: MIT */
/* Members of an object, each once; see members.h. */
#include "members.h"

/* Is the name also that of a member after ${cursor}?  ${name} is decoded. */
static bool comes_again(struct json_text object, size_t cursor, const struct buf *name)
{
	struct json_text key, value;

	while (json_member(object, &cursor, &key, &value)) {
		if (json_string_is(key, name->len > 0 ? name->data : "", name->len))
			return true;
	}
	return false;
}

static enum members check_names(struct json_text object, struct buf *name)
{
	struct json_text key, value;
	size_t cursor = 0;

	for (unsigned count = 0; json_member(object, &cursor, &key, &value); count++) {
		if (count == MEMBERS_MAX)
			return MEMBERS_TOO_MANY;
		name->len = 0;
		if (!json_string_decode(key, name))
			return MEMBERS_NO_MEMORY;
		if (comes_again(object, cursor, name))
			return MEMBERS_TWICE;
	}
	return MEMBERS_OK;
}

enum members members_check(struct json_text value)
{
	enum members result;
	struct buf name;

	if (json_kind(value) != JSON_OBJECT)
		return MEMBERS_NO_OBJECT;
	buf_init(&name, value.len);
	result = check_names(value, &name);
	buf_free(&name);
	return result;
}

bool members_find(struct json_text object, const char *name, struct json_text *value)
{
	struct json_text key, member;
	size_t cursor = 0;

	while (json_member(object, &cursor, &key, &member)) {
		if (json_string_is(key, name, strlen(name))) {
			*value = member;
			return true;
		}
	}
	return false;
}

bool members_has(struct json_text object, const char *name)
{
	struct json_text value;

	return members_find(object, name, &value);
}
