/* SPDX-License-Identifier: MIT */
/*
 * The base64url of JOSE (RFC 7515, section 2), and base64 (RFC 4648, section 4), strictly: only one
 * text stands for the same bytes.
 */
#ifndef BASE64URL_H
#define BASE64URL_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/*
 * base64url_decode(text, len, out):
 * Append the bytes that ${text} stands for.  Return false, with ${out} unchanged, if the text has
 * padding, white space or another character outside the alphabet, a length that is not possible, or
 * set bits that belong to no byte; or if ${out} is full.
 */
bool base64url_decode(const char *text, size_t len, struct buf *out);

/* base64_decode(text, len, out): the same for base64, with its padding. */
bool base64_decode(const char *text, size_t len, struct buf *out);

/*
 * base64url_encode(bytes, len, out):
 * Append the text of these bytes, without padding.  Return false if ${out} has no room for the text
 * and four more bytes.
 */
bool base64url_encode(const unsigned char *bytes, size_t len, struct buf *out);

#endif
