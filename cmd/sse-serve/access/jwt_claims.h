/* SPDX-License-Identifier: MIT */
/* What the claims of a token say (RFC 7519), after its signature was verified.  Pure. */
#ifndef JWT_CLAIMS_H
#define JWT_CLAIMS_H

#include <stdint.h>

#include "grants.h"
#include "json.h"
#include "jwt_verdict.h"

/* How far apart the clocks of issuer and server may be. */
#define JWT_SKEW_MS (60 * INT64_C(1000))

/* The longest subject, in bytes. */
#define JWT_SUBJECT_MAX 255

/* What a token says.  jwt_free() releases it. */
struct jwt {
	char *subject;	 /* owned; "jwt" if the token has none */
	char *as;	 /* owned; the name for presence, or NULL */
	int64_t expires; /* ms since 1970, from which on it is refused: "exp" plus the skew */
	struct grants grants;
	unsigned char key[JWT_THUMBPRINT]; /* the thumbprint of the key that verified it */
};

/*
 * jwt_claims_read(claims, issuer, audience, now_ms, jwt, fault):
 * Judge the claims at the time ${now_ms} (since 1970), with the issuer and audience of struct
 * jwt_rules, and store what they say in ${jwt}, which is all zero before, except for its key.
 * json_check() has accepted the text of ${claims}, and a NUL follows it.  Unless JWT_OK is
 * returned, the caller frees what is in ${jwt}; with JWT_REFUSED *${fault} says why.
 */
enum jwt_verdict jwt_claims_read(struct json_text claims, const char *issuer, const char *audience,
	int64_t now_ms, struct jwt *jwt, const char **fault);

#endif
