/* SPDX-License-Identifier: MIT */
/*
 * What a topic requires of its events.  The tutorial's topic `users` takes an object with the
 * strings firstname and lastname; the event leaves out any other member.
 */
#ifndef SCHEMA_H
#define SCHEMA_H

#include <stdbool.h>

#include "buf.h"
#include "error.h"
#include "json.h"

/* schema_requires(topic): does this topic require anything? */
bool schema_requires(const char *topic);

/*
 * schema_apply(topic, value, out, error):
 * Append the event's data, made of the required fields as they were sent, to ${out}.  Return 0, or
 * -1 with a sentence that names the field (EX_DATAERR).  ${value} was accepted by json_check().
 */
int schema_apply(const char *topic, struct json_text value, struct buf *out, struct error *error);

#endif
