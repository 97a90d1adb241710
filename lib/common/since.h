/* SPDX-License-Identifier: MIT */
/*
 * The point in time that `since` names, in a query (?since=) and on a command line (--since): one
 * parser for both, so that the client refuses the same values as the server.
 */
#ifndef SINCE_H
#define SINCE_H

#include <stdint.h>

#include "error.h"

/* The longest text that is read, without its NUL. */
#define SINCE_MAX 40

/*
 * since_parse(text, now, since, error):
 * Read one of
 *   all                      0, the beginning
 *   10m, 1.5h, 90            so long before ${now}; seconds without a unit, up to 9 digits, unless
 *                            they are a date without its dashes
 *   1764000000, 1764000000.5 Unix time in seconds: 10 digits, with or without a fraction
 *   1764000000123            Unix time in milliseconds: 13 digits
 *   2026-11-27               midnight UTC
 *   2026-11-27T10:00:00Z     RFC 3339; without Z or an offset it is refused, since nobody can tell
 *                            whose time was meant
 * ${now} and *${since} are milliseconds since 1970; an earlier time counts as 0.  Return 0, or -1
 * with what is wrong and what would be right (EX_DATAERR).
 */
int since_parse(const char *text, int64_t now, int64_t *since, struct error *error);

#endif
