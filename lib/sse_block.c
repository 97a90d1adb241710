/* SPDX-License-Identifier: MIT */
/* What is not needed for each line of a block; see sse_block.h. */
#include "sse_block.h"

/* Ids up to this length have memory from the start. */
#define ID_BYTES 64

enum sse_result sse_block_append(
	struct sse_block *block, const char *text, size_t len, bool suspect)
{
	struct sse_value *data = &block->data;
	size_t size = suspect ? sse_utf8_repaired_size(text, len) : len;
	size_t whole = data->len + 1 + size;
	char *out;

	if (size >= sse_block_data_room(block)) /* the LF takes room too */
		return SSE_TOO_LARGE;
	if (!sse_value_hold(data, &block->line, block->cap) ||
		!sse_value_reserve(data, whole, block->cap))
		return SSE_NO_MEMORY;
	out = data->bytes + data->len;
	*out++ = '\n';
	if (suspect)
		sse_utf8_repair(text, len, out);
	else
		memcpy(out, text, len);
	sse_value_view(data, data->bytes, whole);
	return SSE_OK;
}

enum sse_result sse_block_retry(struct sse_block *block, const char *text, size_t len)
{
	uint64_t ms = 0;
	size_t i;

	if (len > block->cap)
		return SSE_TOO_LARGE;
	for (i = 0; i < len && text[i] >= '0' && text[i] <= '9'; i++) {
		unsigned digit = (unsigned)(text[i] - '0');

		ms = ms > (UINT64_MAX - digit) / 10 ? UINT64_MAX : ms * 10 + digit;
	}
	if (i > 0 && i == len && block->callbacks.retry != NULL)
		block->callbacks.retry(block->context, ms);
	return SSE_OK;
}

enum sse_result sse_block_comment(
	struct sse_block *block, const char *text, size_t len, bool suspect)
{
	struct sse_value *comment = &block->comment;
	enum sse_result result;
	bool go_on;

	if (block->callbacks.comment == NULL)
		return SSE_OK;
	result = sse_value_replace(comment, text, len, block->cap, block->cap, suspect);
	if (result != SSE_OK)
		return result;
	go_on = block->callbacks.comment(
		block->context, (struct sse_text){comment->data, comment->len});
	sse_value_clear(comment);
	return go_on ? SSE_OK : SSE_STOP;
}

enum sse_result sse_block_take_short(
	struct sse_block *block, const char *line, size_t len, bool suspect)
{
	return sse_block_parse(block, line, len, suspect);
}

bool sse_block_wants(const struct sse_block *block, const char *head, size_t len, bool *fits)
{
	size_t room = block->cap, at;

	*fits = true;
	if (len < SSE_BLOCK_NAME) /* "data" may become "database" */
		return true;
	if (head[0] == ':') {
		at = 1;
		if (block->callbacks.comment == NULL)
			return false;
	} else if (sse_block_is_name(head, len, "data", 4)) {
		at = sse_block_value_at(head, len, 4);
		if (block->data.data != NULL)
			at--; /* so that the LF before it is counted */
		room = sse_block_data_room(block);
	} else if (sse_block_is_name(head, len, "event", 5)) {
		at = sse_block_value_at(head, len, 5);
		room = sse_block_type_room(block);
	} else if (sse_block_is_name(head, len, "id", 2)) {
		at = sse_block_value_at(head, len, 2);
		room = sse_block_id_room(block);
	} else if (sse_block_is_name(head, len, "retry", 5)) {
		at = sse_block_value_at(head, len, 5);
	} else {
		return false;
	}
	*fits = len - at <= room;
	return true;
}

enum sse_result sse_block_settle(struct sse_block *block)
{
	struct sse_value *values[] = {&block->type, &block->data, block->id, block->last_id};
	enum sse_result result = SSE_OK;
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (!sse_value_hold(values[i], &block->line, block->cap)) {
			sse_value_view(values[i], "", 0);
			result = SSE_NO_MEMORY;
		}
		sse_value_trim(values[i]);
	}
	sse_value_trim(&block->comment);
	sse_value_trim(&block->line);
	return result;
}

void sse_block_drop(struct sse_block *block)
{
	sse_value_clear(&block->type);
	sse_value_clear(&block->data);
	sse_value_clear(block->id);
	block->begun = false;
}

bool sse_block_init(
	struct sse_block *block, const struct sse_callbacks *callbacks, void *context, size_t cap)
{
	*block = (struct sse_block){.callbacks = *callbacks, .context = context, .cap = cap};
	block->id = &block->ids[0];
	block->last_id = &block->ids[1];
	sse_value_view(block->last_id, "", 0);
	/* The place in the stream must not be lost for want of memory: see sse_block_settle(). */
	return sse_value_reserve(&block->ids[0], ID_BYTES, cap) &&
	       sse_value_reserve(&block->ids[1], ID_BYTES, cap);
}

void sse_block_free(struct sse_block *block)
{
	sse_value_free(&block->type);
	sse_value_free(&block->data);
	sse_value_free(&block->ids[0]);
	sse_value_free(&block->ids[1]);
	sse_value_free(&block->comment);
	sse_value_free(&block->line);
}
