/* SPDX-License-Identifier: MIT */
/* A growing byte buffer with a cap; see buf.h. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

void buf_init(struct buf *buf, size_t cap)
{
	*buf = (struct buf){.cap = cap};
}

char *buf_grow(struct buf *buf, size_t more)
{
	size_t size = buf->size;
	char *data;

	if (buf->drain != NULL && buf->len >= BUF_DRAIN) {
		if (!buf->drain(buf))
			return NULL;
		if (more <= size - buf->len)
			return buf->data + buf->len;
	}
	if (more > buf->cap - buf->len)
		return NULL;
	if (size < 64)
		size = 64;
	while (size < buf->len + more)
		size = size > buf->cap / 2 ? buf->cap : size * 2;
	if (size > buf->cap)
		size = buf->cap;
	/* One byte more than the cap: for the NUL of vsnprintf(), and so that 0 gives a pointer. */
	data = realloc(buf->data, size < SIZE_MAX ? size + 1 : size);
	if (data == NULL)
		return NULL;
	buf->data = data;
	buf->size = size;
	return data + buf->len;
}

bool buf_addf(struct buf *buf, const char *format, ...)
{
	va_list args, again;
	char *space;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	space = len < 0 ? NULL : buf_reserve(buf, (size_t)len);
	if (space != NULL) {
		vsnprintf(space, (size_t)len + 1, format, again);
		buf->len += (size_t)len;
	}
	va_end(again);
	return space != NULL;
}

void buf_drop(struct buf *buf, size_t len)
{
	if (len >= buf->len) {
		buf->len = 0;
		return;
	}
	memmove(buf->data, buf->data + len, buf->len - len);
	buf->len -= len;
}

void buf_free(struct buf *buf)
{
	if (buf == NULL)
		return;
	free(buf->data);
	*buf = (struct buf){.cap = buf->cap, .drain = buf->drain};
}
