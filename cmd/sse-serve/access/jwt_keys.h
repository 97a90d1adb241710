/* SPDX-License-Identifier: MIT */
/* The keys of --jwt-keys, which verify tokens.  They do not change after they are loaded. */
#ifndef JWT_KEYS_H
#define JWT_KEYS_H

#include <stdbool.h>

#include "error.h"
#include "jwt_verdict.h"

struct jwt_keys;

/*
 * jwt_keys_load(path, exposed, error):
 * Read a file with a JWK, a set of them (RFC 7517), or public keys or certificates in PEM.  Store
 * in ${exposed} whether it contains an HMAC secret and other users can read it.  Return the keys,
 * at least one, or NULL: EX_NOINPUT if the file cannot be read or trusted (see
 * private_file_read()); EX_DATAERR if it has a mistake, with the key; EX_OSERR without memory.
 */
struct jwt_keys *jwt_keys_load(const char *path, bool *exposed, struct error *error);

/*
 * jwt_keys_has(keys, thumbprint):
 * Is the key with this thumbprint (SHA-256, RFC 7638) among them?  After a reload, this tells
 * whether a key that has verified a token is still there.
 */
bool jwt_keys_has(const struct jwt_keys *keys, const unsigned char thumbprint[JWT_THUMBPRINT]);

/* jwt_keys_free(keys): wipe and release them.  Takes NULL. */
void jwt_keys_free(struct jwt_keys *keys);

#endif
