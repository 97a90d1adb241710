/* SPDX-License-Identifier: MIT */
/* The text of a proof in a request's headers.  Pure functions. */
#ifndef PROOF_H
#define PROOF_H

#include <stdbool.h>
#include <stddef.h>

#include "sse.h"

/* What WWW-Authenticate asks for (RFC 6750, section 3); its other parameters follow. */
#define PROOF_CHALLENGE "Bearer realm=\"sse-serve\""

/* The name of the session's cookie. */
#define PROOF_COOKIE "sse-session"

/* The attributes of the cookie, and the header that removes it (RFC 6265, section 5.2). */
#define PROOF_ATTRIBUTES "; Path=/; HttpOnly; SameSite=Strict"
#define PROOF_COOKIE_GONE PROOF_COOKIE "=" PROOF_ATTRIBUTES "; Max-Age=0"

/*
 * proof_bearer(header, token):
 * Find the token of an Authorization header (RFC 6750, section 2.1: Bearer and a b64token).  Return
 * false if the header is anything else.
 */
bool proof_bearer(const char *header, struct sse_text *token);

/*
 * proof_cookie(header, secret):
 * Find the value of our cookie in a Cookie header (RFC 6265, section 4.2.1); if there are several,
 * that of the first.  Return false if there is none, or if its value is empty.
 */
bool proof_cookie(const char *header, struct sse_text *secret);

#endif
