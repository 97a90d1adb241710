/* SPDX-License-Identifier: MIT */
/* Why a stream ended: for the log and the figures. */
#ifndef STREAM_END_H
#define STREAM_END_H

enum stream_end {
	STREAM_END_CLIENT,     /* the client closed it, or its connection broke */
	STREAM_END_COMPLETE,   /* it was to end, and had all: until=now, or a request that waited */
	STREAM_END_CLOSED,     /* its topics are closed */
	STREAM_END_DENIED,     /* whoever opened it may no longer read it */
	STREAM_END_STALLED,    /* its reader took nothing for --stall-timeout */
	STREAM_END_UNREADABLE, /* the log could not be read, or lacks the rest of what was sent */
	STREAM_END_MEMORY,     /* no memory to serve it */
	STREAM_END_STOPPED,    /* the server stops */
	STREAM_ENDS
};

/* stream_end_word(end): "client", as the log and the figures call it. */
const char *stream_end_word(enum stream_end end);

#endif
