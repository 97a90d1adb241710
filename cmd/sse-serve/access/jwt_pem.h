/* SPDX-License-Identifier: MIT */
/* Keys in PEM (RFC 7468): public keys, and the keys in certificates. */
#ifndef JWT_PEM_H
#define JWT_PEM_H

#include "jwt_key.h"

/*
 * jwt_pem_read(text, len, keys, error):
 * Append the keys of all blocks to ${keys}: RSA, and EC on P-256, P-384 and P-521.  In a
 * certificate only the key counts, not its dates or issuer.  Return 0, or -1 with the reason, which
 * names the block: EX_DATAERR if a block is something else or a private key, or if there is no
 * block; EX_OSERR without memory.  Keys that were appended stay.
 */
int jwt_pem_read(const char *text, size_t len, struct jwt_keys *keys, struct error *error);

#endif
