/* SPDX-License-Identifier: MIT */
/*
 * Keys and tokens that a test makes by OpenSSL alone, so that it can make false ones.  A failure
 * fails the test.  Texts are the caller's, by free().
 */
#ifndef FORGE_H
#define FORGE_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/evp.h>

/* What signs a token.  ${alg} says how, whatever the token's header says; NULL: not at all. */
struct forge {
	const char *alg; /* "HS256" and so on */
	EVP_PKEY *pkey;	 /* of RS, PS and ES */
	const void *secret;
	size_t secret_len; /* of HS */
};

/* forge_rsa(bits) / forge_ec(curve): a new key pair; the curve is "P-256" and so on. */
EVP_PKEY *forge_rsa(unsigned bits);
EVP_PKEY *forge_ec(const char *curve);

/* forge_base64url(bytes, len) */
char *forge_base64url(const void *bytes, size_t len);

/* forge_part(text): the base64url of a text. */
char *forge_part(const char *text);

/* forge_sign(forge, input): the base64url of the signature of this text. */
char *forge_sign(const struct forge *forge, const char *input);

/* forge_token(forge, header, claims): a token with these two JSON texts. */
char *forge_token(const struct forge *forge, const char *header, const char *claims);

/* forge_jwk(pkey, more): its public half as a JWK; ${more} is put before the last brace. */
char *forge_jwk(EVP_PKEY *pkey, const char *more);

/* forge_secret_jwk(secret, len, more): a JWK of the type oct. */
char *forge_secret_jwk(const void *secret, size_t len, const char *more);

/* forge_pem(pkey, private): its public half in PEM, or all of it. */
char *forge_pem(EVP_PKEY *pkey, bool private);

/* forge_format(format, ...): as asprintf(). */
char *forge_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * forge_write(text, len, mode): write a file, and return its path, which stays the same.  The last
 * one is removed by forge_write(NULL, 0, 0).
 */
const char *forge_write(const char *text, size_t len, unsigned mode);

#endif
