/* SPDX-License-Identifier: MIT */
/* What a Content-Type says.  Pure functions. */
#ifndef MEDIA_TYPE_H
#define MEDIA_TYPE_H

#include <stdbool.h>

/*
 * media_type_is(header, type):
 * Is the header's media type, without its parameters, this one?  A * in ${type} matches one
 * character or more.
 */
bool media_type_is(const char *header, const char *type);

/* media_type_is_utf8(header): is it text in UTF-8, the only charset that an event stream carries? */
bool media_type_is_utf8(const char *header);

#endif
