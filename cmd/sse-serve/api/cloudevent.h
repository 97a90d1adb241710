/* SPDX-License-Identifier: MIT */
/*
 * The attributes of a CloudEvent (CloudEvents 1.0, JSON event format) that the log needs: its type,
 * its subject, and the pair that makes it unique.  Pure: text in, text out.
 */
#ifndef CLOUDEVENT_H
#define CLOUDEVENT_H

#include "buf.h"
#include "error.h"
#include "json.h"
#include "sse.h"

/* The attributes to use; each must be valid for its use (content.h). */
enum cloudevent_use {
	CLOUDEVENT_TYPE = 1,	/* its type, as the event's type */
	CLOUDEVENT_KEY = 2,	/* its source and id, as the event's key */
	CLOUDEVENT_SUBJECT = 4, /* its subject, as the event's subject, if it is not too long */
};

struct cloudevent {
	struct sse_text type;	 /* len 0: it has no type, or the type is not used */
	struct sse_text key;	 /* "SOURCE ID", or ID without a source; len 0: likewise */
	struct sse_text subject; /* len 0: likewise, or it is too long for an event's subject */
};

/*
 * cloudevent_read(value, uses, event, out, error):
 * Read the attributes of ${value}, which json_check() accepted, into ${event}; ${uses} are of enum
 * cloudevent_use.  ${event} points into ${out}, which this function initialises and the caller
 * frees, also after a failure.  Return 0, or -1 with the reason (EX_DATAERR; EX_OSERR without
 * memory): it is not an object; its id, source, type or subject is repeated, is not a string, or is
 * empty (but a subject may be null, which is none);
 * or an attribute is not valid for its use.
 */
int cloudevent_read(struct json_text value, unsigned uses, struct cloudevent *event,
	struct buf *out, struct error *error);

#endif
