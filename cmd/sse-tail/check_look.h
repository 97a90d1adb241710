/* SPDX-License-Identifier: MIT */
/* For --check: one connection to a stream, and the observations on it. */
#ifndef CHECK_LOOK_H
#define CHECK_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "check_lines.h"
#include "client.h"
#include "follow.h"
#include "client_url.h"

/* A head that takes longer is late (ms). */
#define CHECK_LOOK_LATE_MS 2000

/* The URL to check, and its request: the id and the body. */
struct check_target {
	struct client *client;
	const struct client_url *url;
	const struct follow_options *follow;
};

/* When to end; the caller knows what it looks for. */
struct check_plan {
	const char *last_id; /* to resume after; NULL: from now */
	int64_t until;	     /* at the latest, a moment of clock_now_ms() */
	uint64_t events;     /* enough, ... */
	int64_t least;	     /* ... after watching the stream for this long (ms) */
	/* The head of a stream came.  May be NULL. */
	void (*opened)(void *context);
	void *context;
};

struct check_look {
	/* Moments; CLIENT_NEVER for what did not come. */
	int64_t begun, opened, first_byte, first_event, ended;
	enum follow_end end;
	struct error error; /* with FOLLOW_FAILED and FOLLOW_TIME */

	uint64_t events, comments;
	size_t largest; /* bytes of data */
	struct check_lines lines;

	int64_t silence;       /* the longest without a byte (ms) */
	int64_t comment_after; /* the silence before the last comment that came alone; or 0 */
	uint64_t bursts;       /* times that several events came at once after a silence */
	uint64_t held_bursts;  /* those that a buffer certainly caused: see burst_over() */

	uint64_t with_id;     /* events that had an id of their own */
	struct buf first_id;  /* of the first of them */
	struct buf last_id;   /* of the last of them */
	struct buf before_id; /* the id to resume after to get that last event; may be empty */
	struct buf gap;	      /* the server's gap event, in place of a first event */

	/* The current state. */
	struct buf position; /* the last id, also of a block without data */
	int64_t last_byte;
	uint64_t piece_events, piece_comments; /* in this piece of the stream */
	struct check_group {
		int64_t before; /* the silence before it (ms) */
		uint64_t events, comments;
		bool torn; /* it ended within an event */
	} group;	   /* of pieces that came at once */
	const struct check_plan *plan;
	int64_t until;
};

/*
 * check_look_run(look, target, plan):
 * Connect once, as ${target} says except for the id, and watch until the plan is done.
 * check_look_free() releases what it holds; it takes a struct that is all zero.
 */
void check_look_run(
	struct check_look *look, const struct check_target *target, const struct check_plan *plan);
void check_look_free(struct check_look *look);

/* check_look_is(id, other): are these two ids, of which neither is empty, the same? */
bool check_look_is(const struct buf *id, const struct buf *other);

#endif
