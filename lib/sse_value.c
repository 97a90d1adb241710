/* SPDX-License-Identifier: MIT */
/* The memory of the parser's texts; see sse_value.h. */
#include <stdlib.h>

#include "sse_value.h"

/* The least memory that a value gets. */
#define LEAST 64

/* Memory doubles, so that a long line in small pieces costs linear time. */
bool sse_value_grow(struct sse_value *value, size_t need, size_t cap)
{
	size_t most = cap + SSE_LINE_EXTRA;
	size_t size = value->size < most / 2 ? value->size * 2 : most;
	char *bytes;

	if (size < LEAST)
		size = LEAST;
	if (size < need)
		size = need;
	bytes = realloc(value->bytes, size);
	if (bytes == NULL)
		return false;
	value->bytes = bytes;
	value->size = size;
	return true;
}

static bool is_in(const char *byte, const struct sse_value *value)
{
	return (uintptr_t)byte - (uintptr_t)value->bytes < value->size;
}

/* The line's memory becomes the value's, and the other way round. */
static void take_over(struct sse_value *value, struct sse_value *line)
{
	struct sse_value before = *value;

	value->bytes = line->bytes;
	value->size = line->size;
	*line = (struct sse_value){.bytes = before.bytes, .size = before.size};
	memmove(value->bytes, value->data, value->len);
}

bool sse_value_copy(struct sse_value *value, struct sse_value *line, size_t cap)
{
	if (value->len == 0) {
		value->data = "";
		return true;
	}
	if (is_in(value->data, line)) {
		take_over(value, line);
	} else {
		if (!sse_value_reserve(value, value->len, cap))
			return false;
		memcpy(value->bytes, value->data, value->len);
	}
	value->data = value->bytes;
	return true;
}

void sse_value_free(struct sse_value *value)
{
	free(value->bytes);
}

void sse_value_shrink(struct sse_value *value)
{
	char *bytes;

	if (value->len == 0) {
		free(value->bytes);
		value->bytes = NULL;
		value->size = 0;
		return;
	}
	bytes = realloc(value->bytes, SSE_VALUE_KEEP);
	if (bytes == NULL)
		return;
	value->data = value->bytes = bytes;
	value->size = SSE_VALUE_KEEP;
}

enum sse_result sse_value_repair(
	struct sse_value *value, const char *text, size_t len, size_t room, size_t cap)
{
	size_t size = sse_utf8_repaired_size(text, len);

	if (size > room)
		return SSE_TOO_LARGE;
	if (!sse_value_reserve(value, size, cap))
		return SSE_NO_MEMORY;
	sse_utf8_repair(text, len, value->bytes);
	sse_value_view(value, value->bytes, size);
	return SSE_OK;
}
