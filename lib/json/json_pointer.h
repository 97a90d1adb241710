/* SPDX-License-Identifier: MIT */
/* One value of a JSON text, found by a JSON Pointer (RFC 6901).  Pure; allocates nothing. */
#ifndef JSON_POINTER_H
#define JSON_POINTER_H

#include <stdbool.h>

#include "json.h"

/* The most bytes of one part of a pointer, decoded. */
#define JSON_POINTER_PART 1024

/*
 * json_pointer_valid(pointer):
 * Is it empty (the whole value), or a slash before each part, as in "/choices/0/delta"?  In a part
 * ~1 is a slash and ~0 a tilde; any other ~ is not valid, nor is a part that is not UTF-8 or is
 * longer than JSON_POINTER_PART.
 */
bool json_pointer_valid(const char *pointer);

/*
 * json_pointer(value, pointer, found):
 * Store in ${found} the part of ${value} at ${pointer}, which is valid.  False if there is no such
 * part; "-", an array's end, never names one.  Of members with the same key the last counts, as in
 * most JSON parsers.  ${value} is text that json_check() accepted.
 */
bool json_pointer(struct json_text value, const char *pointer, struct json_text *found);

#endif
