/* SPDX-License-Identifier: MIT */
/*
 * Secrets that the server makes: tokens of people and programs, session cookies, tickets.  Anyone
 * who knows the text has the rights, so we keep only its digest, and no file or table contains a
 * secret.  A digest needs no salt, since the texts are random and cannot be guessed.  Digests may
 * be compared with memcmp(): its time tells how many of the first bytes are right, but nobody can
 * choose a text whose digest has the next byte right too.
 */
#ifndef TOKEN_H
#define TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#define TOKEN_DIGEST 32 /* bytes, of SHA-256 */
#define TOKEN_HEX (2 * TOKEN_DIGEST)

/* Each token of ours begins with this, so that scanners for leaked secrets recognise it. */
#define TOKEN_PREFIX "sse_"

/* Room for a token: the prefix, 32 digits of base 32 (160 bits), and a NUL. */
#define TOKEN_TEXT (sizeof(TOKEN_PREFIX) + 32)

/* token_new(text): make a new token, with getrandom().  Return 0, or -1 with errno. */
int token_new(char text[TOKEN_TEXT]);

/* token_find(text): the first place in the text where a token may begin, or NULL. */
const char *token_find(const char *text);

/* token_digest(token, len, digest): the SHA-256 of its bytes. */
void token_digest(const char *token, size_t len, unsigned char digest[TOKEN_DIGEST]);

/* token_hex(digest, hex): write the digest in lower-case hexadecimal digits, with a NUL. */
void token_hex(const unsigned char digest[TOKEN_DIGEST], char hex[TOKEN_HEX + 1]);

/*
 * token_parse_hex(hex, len, digest): read digits of either case.  False if they are not a digest.
 */
bool token_parse_hex(const char *hex, size_t len, unsigned char digest[TOKEN_DIGEST]);

#endif
