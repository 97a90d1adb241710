/* SPDX-License-Identifier: MIT */
/*
 * A text of the parser: the value of a field or of a comment, or the beginning of a line.  It is a
 * view of bytes that belong to the caller, until sse_value_hold() makes it independent of them.
 * The functions that need memory return false, or SSE_NO_MEMORY, without it; then the value is as
 * it was.  ${cap} is the parser's cap: memory that grows stays within it, and SSE_LINE_EXTRA more.
 *
 * Most calls find that there is nothing to do; so that question is inline, and the rest a function
 * of another name.
 */
#ifndef SSE_VALUE_H
#define SSE_VALUE_H

#include "sse_internal.h"

/* Room for a name, colon and space before a value that is as long as the cap. */
#define SSE_LINE_EXTRA 8

/* Memory above this is given back once what it was needed for is gone. */
#define SSE_VALUE_KEEP ((size_t)256 << 10)

/* All zero is a value that is not there and has no memory. */
struct sse_value {
	const char *data; /* NULL: there is none */
	size_t len;
	char *bytes; /* memory of its own, which the data may be in */
	size_t size; /* of that memory */
};

SSE_INLINE void sse_value_view(struct sse_value *value, const char *text, size_t len)
{
	value->data = text;
	value->len = len;
}

/* There is no value; its memory stays. */
SSE_INLINE void sse_value_clear(struct sse_value *value)
{
	sse_value_view(value, NULL, 0);
}

/*
 * sse_value_reserve(value, need, cap): make its memory large enough for ${need} bytes in all.  Data
 * in that memory may move: the caller sets the view again.
 */
bool sse_value_grow(struct sse_value *value, size_t need, size_t cap);
SSE_INLINE bool sse_value_reserve(struct sse_value *value, size_t need, size_t cap)
{
	return need <= value->size || sse_value_grow(value, need, cap);
}

/* sse_value_add(value, text, len, cap): copy ${text} to the end of a value that is held. */
SSE_INLINE bool sse_value_add(struct sse_value *value, const char *text, size_t len, size_t cap)
{
	if (!sse_value_reserve(value, value->len + len, cap))
		return false;
	memcpy(value->bytes + value->len, text, len);
	sse_value_view(value, value->bytes, value->len + len);
	return true;
}

/*
 * sse_value_hold(value, line, cap):
 * Copy the data to the value's own memory.  ${line} is a line that nothing needs any more but the
 * values that view it: the value of one that does takes its memory over.
 */
bool sse_value_copy(struct sse_value *value, struct sse_value *line, size_t cap);
SSE_INLINE bool sse_value_hold(struct sse_value *value, struct sse_value *line, size_t cap)
{
	return value->data == NULL || value->data == value->bytes ||
	       sse_value_copy(value, line, cap);
}

/*
 * sse_value_trim(value):
 * Give back the memory that a huge event needed, if the value, which is held, needs only little of
 * it now.
 */
void sse_value_shrink(struct sse_value *value);
SSE_INLINE void sse_value_trim(struct sse_value *value)
{
	if (value->size > SSE_VALUE_KEEP && value->len <= SSE_VALUE_KEEP)
		sse_value_shrink(value);
}

/* sse_value_free(value): release its memory; then the value may not be used. */
void sse_value_free(struct sse_value *value);

/*
 * sse_value_repair(value, text, len, room, cap):
 * Replace the value by ${text}, of which a part is not valid UTF-8, as sse_utf8_repair() writes it.
 * SSE_TOO_LARGE if that needs more than ${room}.
 */
enum sse_result sse_value_repair(
	struct sse_value *value, const char *text, size_t len, size_t room, size_t cap);

/*
 * sse_value_replace(value, text, len, room, cap, suspect):
 * The same for a text that may be valid: then the value views it.  It is ASCII unless ${suspect}.
 */
SSE_INLINE enum sse_result sse_value_replace(struct sse_value *value, const char *text, size_t len,
	size_t room, size_t cap, bool suspect)
{
	if (suspect && sse_utf8_valid(text, len) < len)
		return sse_value_repair(value, text, len, room, cap);
	if (len > room)
		return SSE_TOO_LARGE;
	sse_value_view(value, text, len);
	return SSE_OK;
}

#endif
