/* SPDX-License-Identifier: MIT */
/* Compressing by zlib; see gzip.h. */
#include <stdbool.h>
#include <stdlib.h>
#include <zlib.h>

#include "gzip.h"

/*
 * The loop compresses, so speed counts; and a list repeats itself within a few kilobytes, so a small
 * window finds as much.  zlib takes (1 << (WINDOW_BITS + 2)) + (1 << (MEMORY_LEVEL + 9)) bytes.
 */
#define LEVEL 2
#define WINDOW_BITS 13
#define MEMORY_LEVEL 6
/* Added to the bits, it asks for the format of gzip. */
#define FORMAT_GZIP 16

struct gzip {
	z_stream stream;
	bool ended; /* all was read */
	bool over;  /* and compressed */
	char in[16384];
};

struct gzip *gzip_new(void)
{
	struct gzip *gzip = calloc(1, sizeof(*gzip));

	if (gzip != NULL &&
		deflateInit2(&gzip->stream, LEVEL, Z_DEFLATED, WINDOW_BITS + FORMAT_GZIP,
			MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK)
		return gzip;
	free(gzip);
	return NULL;
}

void gzip_free(struct gzip *gzip)
{
	if (gzip != NULL)
		deflateEnd(&gzip->stream);
	free(gzip);
}

/* What can be written of what was read. */
static size_t compress_some(struct gzip *gzip, char *out, size_t max)
{
	gzip->stream.next_out = (Bytef *)out;
	gzip->stream.avail_out = (uInt)max;
	gzip->over = deflate(&gzip->stream, gzip->ended ? Z_FINISH : Z_NO_FLUSH) == Z_STREAM_END;
	return max - gzip->stream.avail_out;
}

ssize_t gzip_read(struct gzip *gzip, ssize_t (*read)(void *state, char *out, size_t max),
	void *state, char *out, size_t max)
{
	while (!gzip->over) {
		size_t written = compress_some(gzip, out, max);
		ssize_t got;

		if (written > 0)
			return (ssize_t)written;
		/* Without room in ${out}, zlib would have written: it has taken all there was. */
		got = read(state, gzip->in, sizeof(gzip->in));
		if (got == 0 || got == -2)
			return got;
		gzip->ended = got == -1;
		gzip->stream.next_in = (Bytef *)gzip->in;
		gzip->stream.avail_in = got > 0 ? (uInt)got : 0;
	}
	return -1;
}
