/* SPDX-License-Identifier: MIT */
/* The names under which people are present. */
#ifndef NAME_H
#define NAME_H

#include <stdbool.h>
#include <stddef.h>

/* The longest name, in bytes. */
#define NAME_MAX_BYTES 64

/*
 * name_fault(name, len):
 * A name is 1 to NAME_MAX_BYTES bytes of UTF-8 without control characters.  Return NULL if this is
 * a name, or why it is not, the end of a sentence: "is empty".
 */
const char *name_fault(const char *name, size_t len);

/*
 * name_trim(name):
 * Cut the white space off both ends, as pages do before they show a name: names that differ only
 * there look the same.  Return the new beginning of the name.
 */
char *name_trim(char *name);

/* name_is_trimmed(name): does it neither begin nor end with white space? */
bool name_is_trimmed(const char *name);

#endif
