/* SPDX-License-Identifier: MIT */
/*
 * Frames on their way to sockets: of the window or of a chunk of the log, in the pieces of one
 * send.  If a socket takes only the first bytes of them, this tells where in the events it stopped.
 */
#ifndef FRAMES_H
#define FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "log/window.h"
#include "replay.h"

struct frames {
	struct msghdr message; /* the pieces, for sendmsg() */
	uint32_t events;       /* whose frames end in the pieces */
	size_t len;	       /* bytes in all pieces */
	size_t skip; /* bytes of the first frame that were sent before: not in the pieces */

	/* Where they are from: a chunk of the window, or what a replay has for its subscriber. */
	const struct window *window;
	const struct window_chunk *chunk;
	const struct replay *replay; /* NULL: the window */
	struct iovec piece;	     /* of the replay */
};

/* Where a socket stopped: in the frame of an event, or before its first byte. */
struct frames_stop {
	uint32_t events;     /* before it, whose last bytes the socket took */
	uint64_t cursor;     /* the position of the stored event before it */
	uint64_t position;   /* its own */
	uint64_t entry;	     /* its entry of the window; TOPIC_NO_ENTRY: of the log */
	size_t sent;	     /* bytes of its frame that were sent */
	bool ephemeral;	     /* it is in the window only */
	bool once;	     /* it is a present value, which may be gone when it is read again */
	struct iovec unsent; /* the rest of its frame */
};

/*
 * frames_of_window(frames, window, chunk):
 * The frames that window_gather() found.  They are valid as long as the entries are announced, and
 * ${chunk} and its view stay where they are.
 */
void frames_of_window(
	struct frames *frames, const struct window *window, const struct window_chunk *chunk);

/*
 * frames_of_replay(frames, replay, skip):
 * What the replay has for its subscriber, after the prefix and without the first ${skip} bytes.
 * They are valid as long as the replay.
 */
void frames_of_replay(struct frames *frames, const struct replay *replay, size_t skip);

/* frames_find_stop(frames, sent, stop): the socket took the first ${sent} bytes, but not all. */
void frames_find_stop(const struct frames *frames, size_t sent, struct frames_stop *stop);

#endif
