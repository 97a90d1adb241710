/* SPDX-License-Identifier: MIT */
/* Keys in JSON: a JWK, or a set of them (RFC 7517).  Pure. */
#ifndef JWT_JWK_H
#define JWT_JWK_H

#include "json.h"
#include "jwt_key.h"

/*
 * jwt_jwk_read(text, keys, error):
 * Append a JWK, or the keys of a set, to ${keys}.  As the RFC says, keys of a set that this server
 * cannot use are left out: those with an unknown kty or curve, with a use other than "sig", or with
 * operations that do not include "verify".  Return 0, or -1 with the reason, which names the key:
 * EX_DATAERR if a key has a mistake, or no key is left; EX_OSERR without memory.  Keys that were
 * appended stay.
 */
int jwt_jwk_read(struct json_text text, struct jwt_keys *keys, struct error *error);

#endif
