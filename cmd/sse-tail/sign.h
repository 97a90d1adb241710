/* SPDX-License-Identifier: MIT */
/*
 * Signatures of deliveries as Standard Webhooks has them (version 1.0.0, "Signature scheme"):
 * HMAC-SHA256 over ID.TIMESTAMP.BODY.
 */
#ifndef SIGN_H
#define SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "error.h"
#include "sse.h"

/* The most keys: each makes a signature of its own, so that a receiver can change its key. */
#define SIGN_KEYS_MAX 8

/* The length of a key as the standard has it (bytes). */
#define SIGN_KEY_MIN 24
#define SIGN_KEY_MAX 64

/* All zero: no keys. */
struct sign {
	struct sign_key {
		unsigned char bytes[SIGN_KEY_MAX];
		size_t len;
	} keys[SIGN_KEYS_MAX];
	size_t count;
};

/*
 * sign_open(sign, path, until, exposed, error):
 * Read the keys: a line each, whsec_ and the key's base64; empty lines do not count.  A pipe is
 * waited for until the moment ${until} of clock_now_ms().  Store in ${exposed} whether other users
 * can read the file.  Return 0, or -1: EX_NOINPUT if the file cannot be read, EX_DATAERR if it does
 * not hold 1 to SIGN_KEYS_MAX keys, EX_TEMPFAIL when time is up, 128+n on a signal.  No error shows
 * any of the content.  The caller wipes the keys with sign_close(), also after a failure.
 */
int sign_open(
	struct sign *sign, const char *path, int64_t until, bool *exposed, struct error *error);
void sign_close(struct sign *sign);

/*
 * sign_make(sign, id, timestamp, body, out):
 * Append the value of webhook-signature: "v1,BASE64" for each key, in their order, with spaces
 * between them.  ${timestamp} is in decimal digits, of seconds since 1970.  False without memory.
 */
bool sign_make(const struct sign *sign, const char *id, const char *timestamp, struct sse_text body,
	struct buf *out);

#endif
