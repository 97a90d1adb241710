/* SPDX-License-Identifier: MIT */
/* The verdict on a token. */
#ifndef JWT_VERDICT_H
#define JWT_VERDICT_H

#include "json.h"

/* The length of a key's thumbprint, in bytes. */
#define JWT_THUMBPRINT 32

enum jwt_verdict { JWT_OK, JWT_REFUSED, JWT_NO_MEMORY };

/*
 * jwt_refuse(fault, phrase):
 * Store the phrase, a constant that contains nothing of the token, and return JWT_REFUSED, so that
 * a caller can `return jwt_refuse(...)`.
 */
static inline enum jwt_verdict jwt_refuse(const char **fault, const char *phrase)
{
	*fault = phrase;
	return JWT_REFUSED;
}

/*
 * jwt_object(value, phrase, fault):
 * Is this part of a token an object with each member once, as members_check() says?  Any other kind
 * of value is refused with the phrase.
 */
enum jwt_verdict jwt_object(struct json_text value, const char *phrase, const char **fault);

#endif
