/* SPDX-License-Identifier: MIT */
/*
 * The signatures of webhooks: each is an HMAC-SHA256 over the body as it was sent and, in some
 * schemes, over a time and an id before it.  Pure functions.
 */
#ifndef SIGNATURE_H
#define SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "sse.h"

/* The schemes, and what the HMAC is of. */
enum signature_scheme {
	SIGNATURE_GITHUB,   /* BODY */
	SIGNATURE_STRIPE,   /* TIME.BODY */
	SIGNATURE_STANDARD, /* ID.TIME.BODY (Standard Webhooks 1.0) */
};

/* How many seconds the time of a signature may differ from now, forth or back. */
#define SIGNATURE_TOLERANCE 300

/* The most signatures of one delivery: while a sender changes its key, it signs with both. */
#define SIGNATURES_MAX 16

/* The headers of a delivery; NULL: it has none, or the scheme does not use it. */
struct signature_headers {
	const char *signature, *id, *time;
};

/* What was read from them, and points into them. */
struct signature {
	enum signature_scheme scheme;
	struct sse_text id, time; /* data NULL: not of the scheme */
	struct sse_text texts[SIGNATURES_MAX];
	size_t count; /* of the texts, each of which may be the signature */
};

/*
 * signature_read(scheme, headers, now, signature):
 * Read the headers at ${now} (seconds since 1970).  Return NULL; or, if no delivery with these
 * headers can be accepted, the end of a sentence that says why: "has no signature".
 */
const char *signature_read(enum signature_scheme scheme, const struct signature_headers *headers,
	int64_t now, struct signature *signature);

/*
 * signature_is_by(signature, key, body):
 * Did this key, which is not empty, sign this body?  The time that it takes does not depend on the
 * bytes of the right signature.  False without memory.
 */
bool signature_is_by(const struct signature *signature, struct sse_text key, struct sse_text body);

/*
 * signature_add_key(scheme, secret, out):
 * Append the bytes of the key to ${out}, which has room for as many as ${secret} has, the text that
 * the sender shows to its user.  Return NULL, or the end of a sentence that says why this is not a
 * secret of the scheme: "contains a control character".
 */
const char *signature_add_key(
	enum signature_scheme scheme, struct sse_text secret, struct buf *out);

#endif
