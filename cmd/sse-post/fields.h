/* SPDX-License-Identifier: MIT */
/* The operands NAME=TEXT, NAME:=JSON, NAME=@FILE and NAME:=@FILE become one JSON object. */
#ifndef FIELDS_H
#define FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "error.h"

/*
 * fields_to_json(fields, count, until, out, error):
 * Append the object made from ${fields}, on one line, in their order.  NAME=TEXT is a string,
 * NAME:=JSON any value, whose digits and key order are kept; @FILE stands for the content of the
 * file (EX_NOINPUT), without its last line end, and a TEXT that begins with @ is written \@.  A dot
 * in a NAME makes a nested object (a.b=1 makes {"a":{"b":"1"}}); \. is a dot itself.  The same name
 * twice, or a name that is also an object, is an error (EX_USAGE), and so is a value that is not
 * JSON (EX_DATAERR).  A read from a pipe waits until ${until}.
 */
int fields_to_json(
	char *const *fields, size_t count, int64_t until, struct buf *out, struct error *error);

#endif
