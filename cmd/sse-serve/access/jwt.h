/* SPDX-License-Identifier: MIT */
/* Is this token valid, and what does it grant?  Pure. */
#ifndef JWT_H
#define JWT_H

#include "jwt_claims.h"
#include "jwt_keys.h"

/* How many keys verify a token at most: a stranger's costs no more time than that. */
#define JWT_TRIES 8

/* The longest token, in bytes. */
#define JWT_MAX 8192

struct jwt_rules {
	const struct jwt_keys *keys;
	const char *issuer;   /* what "iss" must be; NULL: "iss" is ignored */
	const char *audience; /* what "aud" must be or include; NULL: no token may have one */
};

/*
 * jwt_verify(rules, token, len, now_ms, jwt, fault):
 * Judge a token, a signed JWT of three parts, at the time ${now_ms} (since 1970).  JWT_OK: one of
 * the keys signed it with an algorithm that this key has, its claims satisfy the rules, and ${jwt}
 * holds what they say, until jwt_free().  JWT_REFUSED: *${fault} is a constant phrase that says
 * why; it contains nothing of the token.  JWT_NO_MEMORY: the token was not judged.  Any thread.
 *
 * In the header only "alg" and "kid" count.  With a "kid", only those of our keys are tried that
 * have the same one or none.  Keys that the header contains or refers to ("jwk", "jku", "x5c",
 * "x5u") are never used; a token with "crit" is refused.
 */
enum jwt_verdict jwt_verify(const struct jwt_rules *rules, const char *token, size_t len,
	int64_t now_ms, struct jwt *jwt, const char **fault);

/* jwt_free(jwt): release its memory; it is all zero after that. */
void jwt_free(struct jwt *jwt);

#endif
