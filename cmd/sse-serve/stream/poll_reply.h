/* SPDX-License-Identifier: MIT */
/* How a poll for a list is answered in HTTP, which this room does not speak. */
#ifndef POLL_REPLY_H
#define POLL_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

enum poll_answer {
	POLL_EVENTS,  /* the head of a list of ${len} bytes */
	POLL_NOTHING, /* the whole answer: nothing came */
	POLL_GONE,    /* the whole answer: what came next is no longer kept */
};

struct poll_reply {
	/*
	 * Append the answer, which was good up to the position ${id}.  False if ${out} is full, or
	 * without memory.
	 */
	bool (*write)(const struct poll_reply *reply, enum poll_answer answer, const char *id,
		size_t len, struct buf *out);
	void (*free)(struct poll_reply *reply);
};

/* poll_reply_free(reply): takes NULL. */
static inline void poll_reply_free(struct poll_reply *reply)
{
	if (reply != NULL)
		reply->free(reply);
}

#endif
