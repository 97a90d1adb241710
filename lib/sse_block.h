/* SPDX-License-Identifier: MIT */
/*
 * A block of the stream: the fields that come between two blank lines, of which the second
 * dispatches them as an event (WHATWG HTML, section 9.2.6).  It knows lines, not where they come
 * from.
 *
 * What runs once for each line is inline, so that the search for line ends and all that is done
 * with a usual line are one loop.  The texts that it hands over are views of the line: the caller
 * calls sse_block_settle() before the line's bytes become invalid.
 */
#ifndef SSE_BLOCK_H
#define SSE_BLOCK_H

#include "sse_internal.h"
#include "sse_value.h"

/* The longest name with its colon ("event:"): a line of so many bytes shows which field it is. */
#define SSE_BLOCK_NAME 6

struct sse_block {
	struct sse_callbacks callbacks;
	void *context;
	size_t cap;
	bool begun; /* there was a field since the last blank line */
	struct sse_value type;
	struct sse_value data; /* its lines joined by LF */
	struct sse_value *id;

	struct sse_value *last_id; /* of the last block that ended; its data is never NULL */
	struct sse_value ids[2];   /* where these two live: they change places when a block ends */
	struct sse_value comment;  /* is in use only during the callback */
	struct sse_value line;	   /* in which the caller puts torn lines together */
};

/*
 * sse_block_init(block, callbacks, context, cap):
 * Start with an empty block; false without memory.  Either way sse_block_free() releases it.
 */
bool sse_block_init(
	struct sse_block *block, const struct sse_callbacks *callbacks, void *context, size_t cap);
void sse_block_free(struct sse_block *block);

/* sse_block_drop(block): forget the fields since the last blank line.  The last event id stays. */
void sse_block_drop(struct sse_block *block);

/*
 * sse_block_settle(block):
 * Copy what still views lines, and release memory that is not needed.  Without memory for a copy
 * that value is lost: it becomes empty, and the result is SSE_NO_MEMORY.
 */
enum sse_result sse_block_settle(struct sse_block *block);

/*
 * sse_block_wants(block, head, len, fits):
 * Whether there is any use in a line that begins with ${head} and has ${len} bytes by now; ${head}
 * has SSE_BLOCK_NAME bytes or all.  If so *${fits} says whether the cap allows it, by the same
 * measure as for a whole line.
 */
bool sse_block_wants(const struct sse_block *block, const char *head, size_t len, bool *fits);

/*
 * sse_block_take(block, line, len, suspect): take a line that is not empty, without its end.  It is
 * ASCII unless ${suspect}.
 */
SSE_INLINE enum sse_result sse_block_take(
	struct sse_block *block, const char *line, size_t len, bool suspect);

/* sse_block_end(block): a blank line. */
SSE_INLINE enum sse_result sse_block_end(struct sse_block *block);

/* --- what is not inline of sse_block_take() ---------------------------------------------------- */

/* sse_block_append(block, text, len, suspect): add a second or later line to the data. */
enum sse_result sse_block_append(
	struct sse_block *block, const char *text, size_t len, bool suspect);

enum sse_result sse_block_retry(struct sse_block *block, const char *text, size_t len);
enum sse_result sse_block_comment(
	struct sse_block *block, const char *text, size_t len, bool suspect);

/* sse_block_take_short(block, line, len, suspect): a line of a few bytes, which is rare. */
enum sse_result sse_block_take_short(
	struct sse_block *block, const char *line, size_t len, bool suspect);

/* --- the values ------------------------------------------------------------------------------- */

/* The bytes that a value may have without the event becoming larger than the cap. */
SSE_INLINE size_t sse_block_type_room(const struct sse_block *block)
{
	return block->cap - block->data.len - block->id->len;
}

SSE_INLINE size_t sse_block_id_room(const struct sse_block *block)
{
	return block->cap - block->data.len - block->type.len;
}

/* For one more line of data, with the LF that goes before all but the first. */
SSE_INLINE size_t sse_block_data_room(const struct sse_block *block)
{
	return block->cap - block->data.len - block->type.len - block->id->len;
}

SSE_INLINE enum sse_result sse_block_data(
	struct sse_block *block, const char *text, size_t len, bool suspect)
{
	if (block->data.data != NULL)
		return sse_block_append(block, text, len, suspect);
	return sse_value_replace(
		&block->data, text, len, sse_block_data_room(block), block->cap, suspect);
}

SSE_INLINE enum sse_result sse_block_type(
	struct sse_block *block, const char *text, size_t len, bool suspect)
{
	return sse_value_replace(
		&block->type, text, len, sse_block_type_room(block), block->cap, suspect);
}

/* Ids are so short that a call of memchr() would cost more than to look at them. */
SSE_INLINE bool sse_block_has_nul(const char *text, size_t len)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t word;

	for (; len >= sizeof(word); text += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, text, sizeof(word));
		if (((word - ones) & ~word & ones << 7) != 0)
			return true;
	}
	for (; len > 0; text++, len--) {
		if (*text == '\0')
			return true;
	}
	return false;
}

SSE_INLINE enum sse_result sse_block_id(
	struct sse_block *block, const char *text, size_t len, bool suspect)
{
	size_t room = sse_block_id_room(block);

	/* Too long comes before NUL: a torn id is refused before all of it is there. */
	if (len > room)
		return SSE_TOO_LARGE;
	if (sse_block_has_nul(text, len))
		return SSE_OK;
	return sse_value_replace(block->id, text, len, room, block->cap, suspect);
}

/* --- the line --------------------------------------------------------------------------------- */

/* Whether ${name} is what stands before the colon; without a colon, the whole line. */
SSE_INLINE bool sse_block_is_name(const char *line, size_t len, const char *name, size_t name_len)
{
	return len >= name_len && memcmp(line, name, name_len) == 0 &&
	       (len == name_len || line[name_len] == ':');
}

/* Where the value begins: after the name, its colon and one space. */
SSE_INLINE size_t sse_block_value_at(const char *line, size_t len, size_t name_len)
{
	size_t at = name_len + 1;

	if (at < len)
		return line[at] == ' ' ? at + 1 : at;
	return len;
}

/*
 * A whole line that is not empty.  The names are a chain of comparisons of constant length, each
 * with its own end: that is twice as fast as first to find out which and then to switch.
 */
SSE_INLINE enum sse_result sse_block_parse(
	struct sse_block *block, const char *line, size_t len, bool suspect)
{
	size_t at;

	if (line[0] == ':')
		return sse_block_comment(block, line + 1, len - 1, suspect);
	block->begun = true;
	if (sse_block_is_name(line, len, "data", 4)) {
		at = sse_block_value_at(line, len, 4);
		return sse_block_data(block, line + at, len - at, suspect);
	}
	if (sse_block_is_name(line, len, "event", 5)) {
		at = sse_block_value_at(line, len, 5);
		return sse_block_type(block, line + at, len - at, suspect);
	}
	if (sse_block_is_name(line, len, "id", 2)) {
		at = sse_block_value_at(line, len, 2);
		return sse_block_id(block, line + at, len - at, suspect);
	}
	if (sse_block_is_name(line, len, "retry", 5)) {
		at = sse_block_value_at(line, len, 5);
		return sse_block_retry(block, line + at, len - at);
	}
	return SSE_OK;
}

/* In a longer one the name and space cannot reach its end, so all those questions fall away. */
SSE_INLINE enum sse_result sse_block_take(
	struct sse_block *block, const char *line, size_t len, bool suspect)
{
	if (len <= SSE_BLOCK_NAME)
		return sse_block_take_short(block, line, len, suspect);
	return sse_block_parse(block, line, len, suspect);
}

/* --- the blank line --------------------------------------------------------------------------- */

/* The block's id, if it has one, becomes the last event id. */
SSE_INLINE bool sse_block_commit_id(struct sse_block *block)
{
	struct sse_value *id = block->id;

	if (id->data == NULL)
		return false;
	block->id = block->last_id;
	block->last_id = id;
	sse_value_clear(block->id);
	return true;
}

SSE_INLINE enum sse_result sse_block_end(struct sse_block *block)
{
	const struct sse_value *type = &block->type, *data = &block->data;
	struct sse_event event;

	event.has_id = sse_block_commit_id(block);
	event.id = (struct sse_text){block->last_id->data, block->last_id->len};
	event.data = (struct sse_text){data->data, data->len};
	if (type->len > 0)
		event.type = (struct sse_text){type->data, type->len};
	else
		event.type = (struct sse_text){"message", 7};
	sse_value_clear(&block->type);
	sse_value_clear(&block->data);
	block->begun = false;
	if (event.data.data == NULL || block->callbacks.event == NULL)
		return SSE_OK;
	return block->callbacks.event(block->context, &event) ? SSE_OK : SSE_STOP;
}

#endif
