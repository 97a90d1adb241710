/* SPDX-License-Identifier: MIT */
/* If-Match and If-None-Match; see condition.h. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "condition.h"
#include "sse.h"

/* How much of a value a sentence repeats. */
#define SHOWN 60

/* The value without the white space around it. */
static struct sse_text trim(const char *value)
{
	static const char space[] = " \t";
	struct sse_text text = {value + strspn(value, space), 0};

	text.len = strlen(text.data);
	while (text.len > 0 && strchr(space, text.data[text.len - 1]) != NULL)
		text.len--;
	return text;
}

static bool is_any(struct sse_text text)
{
	return text.len == 1 && *text.data == '*';
}

/* An id has none of these. */
static bool is_one_tag(struct sse_text text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] <= ' ' || text.data[i] > '~' || text.data[i] == '"')
			return false;
	}
	return text.len > 0;
}

static int read_id(struct sse_text text, const struct identity *identity, uint64_t *position,
	struct error *error)
{
	struct sse_text tag = text;
	char id[IDENTITY_TEXT];

	if (memchr(text.data, ',', text.len) != NULL)
		return error_set(error, EX_DATAERR,
			"If-Match takes one id, because a topic has one newest event");
	if (text.len > 1 && memcmp(text.data, "W/", 2) == 0)
		return error_set(error, EX_DATAERR,
			"If-Match does not take weak entity-tags; send the id as \"ID\" or ID");
	if (text.len > 1 && *text.data == '"' && text.data[text.len - 1] == '"')
		tag = (struct sse_text){text.data + 1, text.len - 2};
	if (!is_one_tag(tag))
		return error_set(error, EX_DATAERR,
			"If-Match takes * or the id of an event, as \"ID\" or ID; '%.*s' is neither",
			(int)(text.len < SHOWN ? text.len : SHOWN), text.data);
	*position = 0;
	snprintf(id, sizeof(id), "%.*s", (int)tag.len, tag.data);
	/* A value that was cut off is too long for an id of this log. */
	if (tag.len >= sizeof(id) || !identity_parse(identity, id, UINT64_MAX, position))
		*position = 0;
	return 0;
}

int condition_read(const struct condition_headers *headers, const struct identity *identity,
	struct store_group *group, struct error *error)
{
	if (headers->match != NULL && headers->none_match != NULL)
		return error_set(error, EX_DATAERR, "send If-Match or If-None-Match, not both");
	if (headers->none_match != NULL) {
		group->condition = STORE_IF_NONE;
		return is_any(trim(headers->none_match))
			       ? 0
			       : error_set(error, EX_DATAERR,
					 "If-None-Match takes * alone: the topic has no event yet");
	}
	group->condition = is_any(trim(headers->match)) ? STORE_IF_ANY : STORE_IF_NEWEST;
	if (group->condition == STORE_IF_ANY)
		return 0;
	return read_id(trim(headers->match), identity, &group->expected, error);
}
