/* SPDX-License-Identifier: MIT */
/*
 * UUIDs of version 7 (RFC 9562): they begin with the time, so an index of them grows at its end.
 * Those of one source ascend, even if the clock is set back.
 */
#ifndef UUID_H
#define UUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for "019ab2c4-7c1e-7cc3-98c4-dc0c0c07398f" and its NUL. */
#define UUID_TEXT 37

/* All zero: no UUID made yet.  One thread. */
struct uuid_source {
	uint64_t ms;	/* the time in the last one */
	unsigned count; /* distinguishes those of one millisecond, 12 bits */
	size_t left;	/* unused random bytes at the end of the pool */
	unsigned char pool[256];
};

/*
 * uuid_make(source, now, text):
 * Write the next UUID; ${now} is the time in milliseconds since 1970.  False if the system cannot
 * provide randomness.
 */
bool uuid_make(struct uuid_source *source, int64_t now, char text[UUID_TEXT]);

#endif
