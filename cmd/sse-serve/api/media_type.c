/* SPDX-License-Identifier: MIT */
/* What a Content-Type says; see media_type.h. */
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "media_type.h"

bool media_type_is(const char *header, const char *type)
{
	size_t len = strcspn(header, " \t;,"), before = strcspn(type, "*");
	size_t after = type[before] == '*' ? strlen(type + before + 1) : 0;

	if (type[before] == '\0')
		return len == before && strncasecmp(header, type, len) == 0;
	return len > before + after && strncasecmp(header, type, before) == 0 &&
	       strncasecmp(header + len - after, type + before + 1, after) == 0;
}

bool media_type_is_utf8(const char *header)
{
	const char *charset = strcasestr(header, "charset=");

	if (charset == NULL)
		return true;
	charset += strlen("charset=");
	charset += *charset == '"';
	return strncasecmp(charset, "utf-8", 5) == 0 || strncasecmp(charset, "us-ascii", 8) == 0;
}
