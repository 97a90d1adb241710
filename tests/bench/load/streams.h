/* SPDX-License-Identifier: MIT */
/*
 * Many streams of one server, each of which is checked: every event of every publisher once, in
 * the publisher's order, whole.  Nothing is kept of what was read but the first bytes of an event
 * whose rest has not come yet.
 */
#ifndef STREAMS_H
#define STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "histogram.h"
#include "marker.h"
#include "net.h"
#include "options.h"

enum stream_state { STREAM_ASKING, STREAM_HEAD, STREAM_READING, STREAM_STALLED, STREAM_CLOSED };

/* What a stream has had of a publisher. */
struct seen {
	uint32_t next; /* the number that must come next */
	uint32_t bits; /* bit i: next - 1 - i came */
};

struct stream {
	struct source source;
	enum stream_state state;
	unsigned blank;	   /* bytes of the CR LF CR LF that ends the head */
	unsigned tail_len; /* of what is kept for the next read */
	unsigned skip;	   /* bytes of filling that are still to come */
	char tail[MARKER_SIZE];
	struct seen *seen; /* [publisher] */
	uint64_t received;
};

struct streams {
	const struct options *options;
	int epoll;
	struct stream *all;
	size_t count, reading;
	bool unchecked; /* start anywhere: measure only */
	bool stamped;	/* latency ends when the kernel received an event, not when it was read */
	struct seen *seen;
	char *buffer;
	uint64_t received; /* by the streams that are reading: different events */
	uint64_t bytes;	   /* by all, with the heads of the answers */
	uint64_t lost, repeated, disordered, torn, closed;
	uint64_t first; /* when the first event came; 0 if none did */
	uint64_t last;	/* when the last one did */
	uint64_t sent;	/* when the first was sent */
	struct histogram latency;
};

/* streams_init(streams, options, epoll, max, error): room for ${max} streams, none open. */
int streams_init(struct streams *streams, const struct options *options, int epoll, size_t max,
	struct error *error);

/*
 * streams_open(streams, count, error):
 * Open more, until there are ${count}; returns when the head of each answer is there.
 */
int streams_open(struct streams *streams, size_t count, struct error *error);

/* stream_read(streams, stream): read once, and check. */
void stream_read(struct streams *streams, struct stream *stream);

/* streams_stamp(streams, error): make those that are open ${stamped}.  0, or -1. */
int streams_stamp(struct streams *streams, struct error *error);

/* streams_stall(streams, count): the last ${count} stop reading; count 0: all read again. */
void streams_stall(struct streams *streams, size_t count);

/* streams_settle(streams, published): count as lost what of published[publisher] never came. */
void streams_settle(struct streams *streams, const uint32_t *published);

/* streams_wrong(streams): how much was wrong, of any kind. */
uint64_t streams_wrong(const struct streams *streams);

/* streams_free(streams): close all. */
void streams_free(struct streams *streams);

#endif
