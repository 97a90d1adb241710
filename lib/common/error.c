/* SPDX-License-Identifier: MIT */
/* Errors as values; see error.h. */
#include <stdarg.h>
#include <stdio.h>

#include "error.h"

int error_set(struct error *error, int status, const char *format, ...)
{
	va_list args;

	if (error == NULL)
		return -1;
	error->status = status;
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return -1;
}
