/* SPDX-License-Identifier: MIT */
/*
 * A growing byte buffer with a cap.  It never holds more than its cap: an addition that would
 * exceed it, or that gets no memory, fails and leaves the content unchanged.
 *
 * Where the content can be passed on before it is complete, set ->drain after buf_init().  An
 * addition that finds no room calls it if the buffer holds BUF_DRAIN bytes or more.  It removes the
 * bytes that it passes on from the front, and returns false if passing on fails; then the addition
 * fails.
 */
#ifndef BUF_H
#define BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define BUF_DRAIN ((size_t)1 << 20)

struct buf {
	char *data;			/* not NUL-terminated; NULL until something is added */
	size_t len;			/* bytes in use */
	size_t size;			/* bytes allocated */
	size_t cap;			/* the most that it may hold */
	bool (*drain)(struct buf *buf); /* NULL: it grows */
};

/* buf_init(buf, cap): an empty buffer for at most ${cap} bytes; allocates nothing. */
void buf_init(struct buf *buf, size_t cap);

/*
 * buf_reserve(buf, more):
 * Make room for ${more} bytes after the content and return a pointer to that room, or NULL if the
 * cap or memory does not allow it.  The caller writes there and adds to buf->len.
 */
static inline char *buf_reserve(struct buf *buf, size_t more);

/*
 * buf_add(buf, data, len): append; false if the cap or memory does not allow it.  ${data} is not
 * a part of this buffer.
 */
static inline bool buf_add(struct buf *buf, const void *data, size_t len);

/* buf_add_text(buf, text): append a NUL-terminated string without its NUL. */
static inline bool buf_add_text(struct buf *buf, const char *text);

/* buf_add_byte(buf, byte): append one byte. */
static inline bool buf_add_byte(struct buf *buf, char byte);

/* buf_addf(buf, format, ...): append formatted text. */
bool buf_addf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* buf_is(buf, data, len): does it hold exactly these bytes? */
static inline bool buf_is(const struct buf *buf, const void *data, size_t len);

/* buf_drop(buf, len): remove the first ${len} bytes, at most all. */
void buf_drop(struct buf *buf, size_t len);

/* buf_free(buf): release the memory; the buffer is empty and may be used again.  Takes NULL. */
void buf_free(struct buf *buf);

/* --- inlined, since callers add a few bytes at a time ---------------------------------------- */

/* buf_grow(buf, more): as buf_reserve(), if there is not enough room yet. */
char *buf_grow(struct buf *buf, size_t more);

static inline char *buf_reserve(struct buf *buf, size_t more)
{
	if (buf->data != NULL && more <= buf->size - buf->len)
		return buf->data + buf->len;
	return buf_grow(buf, more);
}

static inline bool buf_add(struct buf *buf, const void *data, size_t len)
{
	char *space = buf_reserve(buf, len);

	if (space == NULL)
		return false;
	if (len > 0)
		memcpy(space, data, len);
	buf->len += len;
	return true;
}

static inline bool buf_is(const struct buf *buf, const void *data, size_t len)
{
	return buf->len == len && (len == 0 || memcmp(buf->data, data, len) == 0);
}

static inline bool buf_add_text(struct buf *buf, const char *text)
{
	return buf_add(buf, text, strlen(text));
}

static inline bool buf_add_byte(struct buf *buf, char byte)
{
	return buf_add(buf, &byte, 1);
}

#endif
