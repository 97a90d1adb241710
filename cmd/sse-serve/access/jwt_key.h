/* SPDX-License-Identifier: MIT */
/*
 * One key that verifies tokens.  The key decides which algorithms it accepts: those that its type
 * permits (RFC 7518, section 3), or only the one that its file names.  A token only chooses among
 * them.  So the public half of an RSA key is never taken for the secret of an HMAC, and "none" is
 * not an algorithm.  A key does not change after it was made, so any thread may verify with it.
 *
 * This is the only module that uses libcjose.  That library takes the algorithm from the token, and
 * accepts an ES256 signature by a key on any curve; so this module decides about both before it
 * calls the library.
 */
#ifndef JWT_KEY_H
#define JWT_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "error.h"
#include "jwt_verdict.h"

/* The most keys in one file: a token without a kid may be tried with each of them. */
#define JWT_KEYS_MAX 64

/* The fewest and most bits of an RSA modulus; the fewest bytes of an HMAC secret. */
#define JWT_RSA_MIN 2048
#define JWT_RSA_MAX 16384
#define JWT_SECRET_MIN 32

enum jwt_algorithm {
	JWT_HS256,
	JWT_HS384,
	JWT_HS512,
	JWT_RS256,
	JWT_RS384,
	JWT_RS512,
	JWT_PS256,
	JWT_PS384,
	JWT_PS512,
	JWT_ES256,
	JWT_ES384,
	JWT_ES512,
};

#define JWT_ALGORITHM_COUNT (JWT_ES512 + 1)

enum jwt_curve { JWT_P256, JWT_P384, JWT_P521 };

#define JWT_CURVE_COUNT (JWT_P521 + 1)

/* All zero: no key. */
struct jwt_key {
	char *kid;	     /* owned; NULL: it has no name */
	unsigned algorithms; /* a bit for each enum jwt_algorithm that it accepts */
	bool secret;	     /* an HMAC secret: anyone who reads its file can make tokens */
	unsigned char thumbprint[JWT_THUMBPRINT]; /* SHA-256 (RFC 7638) */
	size_t signature_len;			  /* in bytes; 0: the length of the hash */
	struct _cjose_jwk_int *jwk;		  /* owned */
};

/* The keys of a file. */
struct jwt_keys {
	struct jwt_key keys[JWT_KEYS_MAX];
	size_t count;
};

/* jwt_algorithm_name(algorithm): "HS256" and so on. */
const char *jwt_algorithm_name(enum jwt_algorithm algorithm);

/* jwt_curve_name(curve): "P-256" and so on, as in a JWK. */
const char *jwt_curve_name(enum jwt_curve curve);

/* jwt_curve_size(curve): the bytes of one coordinate. */
size_t jwt_curve_size(enum jwt_curve curve);

/*
 * jwt_key_rsa(key, modulus, exponent, error):
 * jwt_key_ec(key, curve, x, y, error):
 * jwt_key_oct(key, secret, error):
 * Make the key, which is all zero before, from big-endian numbers or from a secret.  Return 0; or
 * -1, and the key stays all zero: EX_DATAERR if it is too weak, too large or not a key; EX_OSERR
 * without memory.
 */
int jwt_key_rsa(struct jwt_key *key, const struct buf *modulus, const struct buf *exponent,
	struct error *error);
int jwt_key_ec(struct jwt_key *key, enum jwt_curve curve, const struct buf *x, const struct buf *y,
	struct error *error);
int jwt_key_oct(struct jwt_key *key, const struct buf *secret, struct error *error);

/* jwt_key_fits(key, algorithm): does the key accept this algorithm? */
bool jwt_key_fits(const struct jwt_key *key, enum jwt_algorithm algorithm);

enum jwt_signature {
	JWT_SIGNATURE_GOOD,
	JWT_SIGNATURE_BAD,
	JWT_SIGNATURE_OTHER, /* the key does not accept this algorithm; nothing was compared */
	JWT_SIGNATURE_NO_MEMORY,
};

/*
 * jwt_key_verify(key, algorithm, token, len, signature_len):
 * Did this key sign the token with this algorithm?  The token has three parts in strict
 * base64url; its header is strict JSON and names the algorithm; its signature has ${signature_len}
 * bytes when decoded.  Any thread.
 */
enum jwt_signature jwt_key_verify(const struct jwt_key *key, enum jwt_algorithm algorithm,
	const char *token, size_t len, size_t signature_len);

/* jwt_key_free(key): wipe a secret and release all; the key is all zero after that. */
void jwt_key_free(struct jwt_key *key);

#endif
