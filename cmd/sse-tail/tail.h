/* SPDX-License-Identifier: MIT */
/* Handles each event: the sink of the stream. */
#ifndef TAIL_H
#define TAIL_H

#include "client.h"
#include "follow.h"
#include "envelope.h"
#include "filter.h"
#include "options.h"
#include "output.h"
#include "relay.h"
#include "state.h"
#include "summary.h"

struct tail {
	const struct options *options;
	struct client client;
	struct client_url url;
	struct envelope envelope; /* of the event that is being handled */
	struct filter filter;
	struct output output;
	struct state state; /* with --state */
	struct summary summary;
	struct relay relay;  /* with --post */
	struct buf kept;     /* the id that the state has now */
	struct buf shown_id; /* with a state: that of the last event shown in this piece */
	struct buf start_id; /* where to begin, ended by a NUL; empty: from now on */
	int64_t end;	     /* of --timeout; a moment of clock_now_ms() */
	int64_t until;	     /* the same, or that of --until-idle if it is sooner */
	int64_t shown;	     /* events */
	bool piece_shown;    /* there is a ${shown_id} */
	bool time_up;	     /* --timeout came amid a piece of the stream */
	bool stuck;	     /* an event was not handled: the state stays where it is */
	struct error error;  /* why the sink stopped; status 0 if it had enough */
};

/*
 * tail_open(tail, program, options, error):
 * Prepare everything that following needs; nothing is connected yet.  The caller frees with
 * tail_close(), also after a failure; it takes a struct that is all zero.
 */
int tail_open(
	struct tail *tail, const char *program, const struct options *options, struct error *error);
void tail_close(struct tail *tail);

/* tail_run(tail, error): follow the stream until it ends.  Return 0 or -1. */
int tail_run(struct tail *tail, struct error *error);

#endif
