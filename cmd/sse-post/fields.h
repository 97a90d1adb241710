/* SPDX-License-Identifier: MIT */
/* The operands NAME=TEXT and NAME:=JSON become one JSON object. */
#ifndef FIELDS_H
#define FIELDS_H

#include <stddef.h>

#include "buf.h"
#include "error.h"

/*
 * fields_to_json(fields, count, out, error):
 * Append the object that ${fields} make, on one line, in their order.  NAME=TEXT is a string,
 * NAME:=JSON any value, whose digits and key order are kept.  A dot in a NAME goes into an object
 * (a.b=1 makes {"a":{"b":"1"}}); \. is a dot itself.  The same name twice, or a name that is
 * also an object, is an error (EX_USAGE), and so is a value that is not JSON (EX_DATAERR).
 */
int fields_to_json(char *const *fields, size_t count, struct buf *out, struct error *error);

#endif
