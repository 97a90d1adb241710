/* SPDX-License-Identifier: MIT */
/* Making UUIDs; see uuid.h. */
#include <string.h>
#include <unistd.h>
#if defined(__APPLE__)
#include <sys/random.h>
#endif

#include "uuid.h"

#define COUNT_MAX 0xfffu

static bool draw(struct uuid_source *source, unsigned char *bytes, size_t len)
{
	if (source->left < len) {
		if (getentropy(source->pool, sizeof(source->pool)) != 0)
			return false;
		source->left = sizeof(source->pool);
	}
	memcpy(bytes, source->pool + sizeof(source->pool) - source->left, len);
	source->left -= len;
	return true;
}

static void write_text(const unsigned char bytes[16], char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*text++ = '-';
		*text++ = digits[bytes[i] >> 4];
		*text++ = digits[bytes[i] & 0xf];
	}
	*text = '\0';
}

bool uuid_make(struct uuid_source *source, int64_t now, char text[UUID_TEXT])
{
	uint64_t ms = now > 0 ? (uint64_t)now : 0;
	unsigned char bytes[16];

	if (!draw(source, bytes + 6, 10))
		return false;
	if (ms > source->ms) {
		/* Half of the range is left for those that follow in the same millisecond. */
		source->ms = ms;
		source->count = ((unsigned)bytes[6] << 8 | bytes[7]) & (COUNT_MAX >> 1);
	} else if (++source->count > COUNT_MAX) {
		source->ms++;
		source->count = 0;
	}
	for (size_t i = 0; i < 6; i++)
		bytes[i] = (unsigned char)(source->ms >> (40 - 8 * i));
	bytes[6] = (unsigned char)(0x70 | source->count >> 8);
	bytes[7] = (unsigned char)(source->count & 0xff);
	bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3f));
	write_text(bytes, text);
	return true;
}
