/* SPDX-License-Identifier: MIT */
/* How long a request says that its body is; see body_length.h. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "body_length.h"

void body_length_look(struct body_length *length, const char *name, const char *value)
{
	if (strcasecmp(name, "Transfer-Encoding") == 0) {
		length->doubtful |= value == NULL || strcasecmp(value, "chunked") != 0;
		length->chunked = true;
	} else if (strcasecmp(name, "Content-Length") == 0) {
		length->doubtful |= value == NULL ||
				    (length->value != NULL && strcmp(length->value, value) != 0);
		length->value = value;
	} else if (strpbrk(name, " \t") != NULL) {
		/* Some servers read "Content-Length :" as that header, but the library does not. */
		length->doubtful = true;
	}
}

bool body_length_read(const struct body_length *length, uint64_t *bytes)
{
	*bytes = length->value != NULL ? strtoull(length->value, NULL, 10) : 0;
	return !length->doubtful && !(length->chunked && length->value != NULL);
}
