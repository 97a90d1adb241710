/* SPDX-License-Identifier: MIT */
/*
 * What a CloudEvent says of itself (CloudEvents 1.0, JSON event format), as far as it matters to a
 * log: its type, and what makes it unique.  Pure: text in, text out.
 */
#ifndef CLOUDEVENT_H
#define CLOUDEVENT_H

#include "buf.h"
#include "error.h"
#include "json.h"
#include "sse.h"

/* What is to be used of a CloudEvent, and so has to be fit for it (content.h). */
enum cloudevent_use {
	CLOUDEVENT_TYPE = 1, /* its type, as the event's type */
	CLOUDEVENT_KEY = 2,  /* its source and id, as the event's key */
};

struct cloudevent {
	struct sse_text type; /* len 0: it has none, or it is not to be used */
	struct sse_text key;  /* "SOURCE ID", or ID without a source; len 0: likewise */
};

/*
 * cloudevent_read(value, uses, event, out, error):
 * Read the attributes of ${value}, which json_check() accepted, into ${event}; ${uses} are of enum
 * cloudevent_use.  What ${event} points to is in ${out}, which is initialised here and is the
 * caller's to free in any case.  Return 0, or -1 with what is wrong (EX_DATAERR; EX_OSERR without
 * memory): it is not an object; its id, source or type is there twice, or is not a string, or is
 * empty; or it is not fit for its use.
 */
int cloudevent_read(struct json_text value, unsigned uses, struct cloudevent *event,
	struct buf *out, struct error *error);

#endif
