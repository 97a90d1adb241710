/* SPDX-License-Identifier: MIT */
/* JSON Pointer; see json_pointer.h. */
#include <stdint.h>
#include <string.h>

#include "json_pointer.h"
#include "sse.h"

/*
 * Decode the part that begins at ${at}, after its slash, and return its end: a slash or the NUL.
 * NULL if it is not valid.
 */
static const char *next_part(const char *at, char part[JSON_POINTER_PART], size_t *len)
{
	*len = 0;
	for (; *at != '\0' && *at != '/'; at++) {
		char c = *at;

		if (c == '~') {
			at++;
			if (*at != '0' && *at != '1')
				return NULL;
			c = *at == '1' ? '/' : '~';
		}
		if (*len == JSON_POINTER_PART)
			return NULL;
		part[(*len)++] = c;
	}
	return at;
}

bool json_pointer_valid(const char *pointer)
{
	char part[JSON_POINTER_PART];
	size_t len;

	if (sse_utf8_valid(pointer, strlen(pointer)) < strlen(pointer))
		return false;
	while (*pointer == '/') {
		pointer = next_part(pointer + 1, part, &len);
		if (pointer == NULL)
			return false;
	}
	return *pointer == '\0';
}

static bool find_member(
	struct json_text object, const char *part, size_t len, struct json_text *found)
{
	struct json_text key, value;
	size_t cursor = 0;
	bool any = false;

	while (json_member(object, &cursor, &key, &value)) {
		if (!json_string_is(key, part, len))
			continue;
		*found = value;
		any = true;
	}
	return any;
}

/* Digits without a zero before them; false for anything else, and for what no array has. */
static bool read_index(const char *part, size_t len, size_t *index)
{
	*index = 0;
	if (len == 0 || len > 18 || (part[0] == '0' && len > 1))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (part[i] < '0' || part[i] > '9' || *index > SIZE_MAX / 10 - 1)
			return false;
		*index = *index * 10 + (size_t)(part[i] - '0');
	}
	return true;
}

static bool find_element(
	struct json_text array, const char *part, size_t len, struct json_text *found)
{
	size_t cursor = 0, index;

	if (!read_index(part, len, &index))
		return false;
	while (json_element(array, &cursor, found)) {
		if (index-- == 0)
			return true;
	}
	return false;
}

bool json_pointer(struct json_text value, const char *pointer, struct json_text *found)
{
	char part[JSON_POINTER_PART];
	size_t len;

	while (*pointer == '/') {
		enum json_kind kind = json_kind(value);
		bool there = false;

		pointer = next_part(pointer + 1, part, &len);
		if (pointer == NULL)
			return false;
		if (kind == JSON_OBJECT)
			there = find_member(value, part, len, &value);
		else if (kind == JSON_ARRAY)
			there = find_element(value, part, len, &value);
		if (!there)
			return false;
	}
	*found = value;
	return *pointer == '\0';
}
