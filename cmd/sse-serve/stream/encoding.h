/* SPDX-License-Identifier: MIT */
/* An event of the log in one of the forms that are sent (log/form.h).  Pure functions. */
#ifndef ENCODING_H
#define ENCODING_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "log/event.h"
#include "log/form.h"

/* What comes before each element of a JSON array, also before the first. */
#define ENCODING_SEPARATOR ",\n"
#define ENCODING_SEPARATOR_LEN ((size_t)2)

struct encoding {
	enum form form;
	struct sse_frame frame;
	size_t len; /* the bytes of it */
};

/*
 * encoding_make(encoding, form, event, id, scratch):
 * Find out how the event with this id is written.  All forms but the plain one are made in
 * ${scratch}, which is emptied first; the encoding points into it, into the event and the id.  False
 * without memory.
 */
bool encoding_make(struct encoding *encoding, enum form form, const struct event *event,
	const char *id, struct buf *scratch);

/* encoding_write(encoding, out): write encoding->len bytes. */
void encoding_write(const struct encoding *encoding, char *out);

#endif
