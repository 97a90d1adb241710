/* SPDX-License-Identifier: MIT */
/* One value out of JSON text, by its place: JSON Pointer (RFC 6901).  Pure; allocates nothing. */
#ifndef JSON_POINTER_H
#define JSON_POINTER_H

#include <stdbool.h>

#include "json.h"

/* The most bytes of one part of a pointer, decoded. */
#define JSON_POINTER_PART 1024

/*
 * json_pointer_valid(pointer):
 * Is it empty (the whole value), or a slash before each part, as in "/choices/0/delta"?  In a part
 * ~1 is a slash and ~0 a tilde; any other ~ is wrong, and so is what is not UTF-8 or longer than
 * JSON_POINTER_PART.
 */
bool json_pointer_valid(const char *pointer);

/*
 * json_pointer(value, pointer, found):
 * Store in ${found} the part of ${value} that ${pointer}, which is valid, leads to.  False if it
 * leads nowhere; "-" for an array's end always does.  Of members with the same key the last counts,
 * as it does for most readers of JSON.  ${value} is text that json_check() accepted.
 */
bool json_pointer(struct json_text value, const char *pointer, struct json_text *found);

#endif
