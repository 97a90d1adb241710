/* SPDX-License-Identifier: MIT */
/* An event, in the form that the server's parts pass to each other. */
#ifndef EVENT_H
#define EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "sse.h"

struct topic;

/* The longest event type, subject, and idempotency key, in bytes. */
#define EVENT_TYPE_MAX 200
#define EVENT_SUBJECT_MAX 200
#define EVENT_KEY_MAX 255

/* The time of an event that the server makes in place of one that is gone. */
#define EVENT_NO_TIME INT64_MIN

struct event {
	uint64_t position; /* in the log, from 1; an ephemeral event has the previous one's */
	int64_t time;	   /* of publishing, ms since 1970 */
	struct topic *topic;
	bool json;	/* the data is JSON text; otherwise plain text */
	bool ephemeral; /* not stored, and without an id */
	bool deletion;	/* ephemeral, and tells of events that were deleted: it has a position */
	struct sse_text type;	 /* never empty */
	struct sse_text data;	 /* valid UTF-8, lines ended by LF */
	struct sse_text subject; /* what the event gives the present value of; len 0: nothing */
};

#endif
