/* SPDX-License-Identifier: MIT */
/* Splitting; see split.h. */
#include <string.h>

#include "split.h"

void split_init(struct split *split, char end, size_t cap)
{
	*split = (struct split){.end = end};
	buf_init(&split->bytes, cap);
}

void split_free(struct split *split)
{
	buf_free(&split->bytes);
}

bool split_is_blank(struct sse_text record)
{
	for (size_t i = 0; i < record.len; i++) {
		if (record.data[i] != ' ' && record.data[i] != '\t')
			return false;
	}
	return true;
}

/* The record that ends before ${next}; false if it is one to skip. */
static bool take(struct split *split, size_t next, struct sse_text *record)
{
	const char *data = split->bytes.data + split->used;
	size_t len = next - split->used;

	split->used = next;
	split->searched = 0;
	split->line++;
	if (len > 0 && data[len - 1] == split->end)
		len--;
	if (split->end == '\n' && len > 0 && data[len - 1] == '\r')
		len--;
	*record = (struct sse_text){data, len};
	return split->blanks || (split->end == '\n' ? !split_is_blank(*record) : len > 0);
}

/* Skip the bytes so far of a record that is dropped. */
static void drop(struct split *split)
{
	const struct buf *bytes = &split->bytes;
	size_t left = bytes->len - split->used;
	const char *from = bytes->data + split->used;
	const char *end = left > 0 ? memchr(from, split->end, left) : NULL;

	split->used = end != NULL ? (size_t)(end + 1 - bytes->data) : bytes->len;
	split->searched = 0;
	split->dropping = end == NULL;
}

bool split_next(struct split *split, bool ended, struct sse_text *record)
{
	const struct buf *bytes = &split->bytes;

	if (split->dropping && split->used < bytes->len)
		drop(split);
	while (split->used < bytes->len) {
		const char *from = bytes->data + split->used + split->searched;
		size_t left = bytes->len - split->used - split->searched;
		const char *end = left > 0 ? memchr(from, split->end, left) : NULL;

		if (end == NULL && !ended) {
			split->searched += left;
			return false;
		}
		if (take(split, end ? (size_t)(end + 1 - bytes->data) : bytes->len, record))
			return true;
	}
	return false;
}

void split_drop(struct split *split)
{
	split->dropping = true;
	split->line++;
}

void split_compact(struct split *split)
{
	buf_drop(&split->bytes, split->used);
	split->used = 0;
}
