/* SPDX-License-Identifier: MIT */
/* An answer compressed while it is sent (RFC 1952). */
#ifndef GZIP_H
#define GZIP_H

#include <stddef.h>
#include <sys/types.h>

struct gzip;

/* How much memory one takes, about. */
#define GZIP_MEMORY ((size_t)96 << 10)

/* gzip_new(): NULL without memory.  gzip_free(gzip): takes NULL. */
struct gzip *gzip_new(void);
void gzip_free(struct gzip *gzip);

/*
 * gzip_read(gzip, read, state, out, max):
 * Read by ${read}, and write what becomes of it.  Both return what the reader of
 * request_reply_stream() does; ${read} is not called again until what it gave is in ${out}, or is
 * held to be compressed with what follows.
 */
ssize_t gzip_read(struct gzip *gzip, ssize_t (*read)(void *state, char *out, size_t max),
	void *state, char *out, size_t max);

#endif
