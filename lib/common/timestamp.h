/* SPDX-License-Identifier: MIT */
/* Points in time as RFC 3339 text, in UTC with milliseconds. */
#ifndef TIMESTAMP_H
#define TIMESTAMP_H

#include <stdint.h>

/* Room for "2026-11-22T19:00:00.000Z" and its NUL, also in far years. */
#define TIMESTAMP_TEXT 40

/* timestamp_format(ms, text): write ${ms} since 1970 as text; return ${text}. */
char *timestamp_format(int64_t ms, char text[TIMESTAMP_TEXT]);

/*
 * timestamp_parse(text, ms):
 * Read "2026-11-22T19:00:00Z", with a fraction of a second or an offset like +01:00, as in RFC 3339
 * (section 5.6; a space may replace the T).  Return 0, or -1 if it is not valid, names a day that
 * does not exist, or is before 1970.
 */
int timestamp_parse(const char *text, int64_t *ms);

#endif
