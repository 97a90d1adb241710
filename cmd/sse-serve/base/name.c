/* SPDX-License-Identifier: MIT */
/* The names under which people are present; see name.h. */
#include <string.h>

#include "control.h"
#include "name.h"
#include "sse.h"

/* White space and line ends of ECMAScript, which trim() removes. */
static const char *const spaces[] = {" ", "\t", "\n", "\v", "\f", "\r", "\u00a0", "\u1680",
	"\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007", "\u2008",
	"\u2009", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\ufeff"};
#define SPACES (sizeof(spaces) / sizeof(spaces[0]))

const char *name_fault(const char *name, size_t len)
{
	if (len == 0)
		return "is empty";
	if (len > NAME_MAX_BYTES)
		return "is longer than 64 bytes";
	if (sse_utf8_valid(name, len) != len)
		return "is not valid UTF-8";
	if (control_is_in(name, len))
		return "contains a control character";
	return NULL;
}

/* The bytes of the white space that the name begins with, or ends with; 0 without one. */
static size_t space_before(const char *name, size_t len)
{
	for (size_t i = 0; i < SPACES; i++) {
		size_t space = strlen(spaces[i]);

		if (len >= space && memcmp(name, spaces[i], space) == 0)
			return space;
	}
	return 0;
}

static size_t space_after(const char *name, size_t len)
{
	for (size_t i = 0; i < SPACES; i++) {
		size_t space = strlen(spaces[i]);

		if (len >= space && memcmp(name + len - space, spaces[i], space) == 0)
			return space;
	}
	return 0;
}

char *name_trim(char *name)
{
	size_t len = strlen(name), space;

	while ((space = space_before(name, len)) > 0) {
		name += space;
		len -= space;
	}
	while ((space = space_after(name, len)) > 0)
		len -= space;
	name[len] = '\0';
	return name;
}

bool name_is_trimmed(const char *name)
{
	size_t len = strlen(name);

	return space_before(name, len) == 0 && space_after(name, len) == 0;
}
