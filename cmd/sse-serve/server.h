/* SPDX-License-Identifier: MIT */
/* What all parts of one server share.  Filled by main() before the loops start, then constant. */
#ifndef SERVER_H
#define SERVER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "commit.h"
#include "fanout.h"
#include "limits.h"
#include "options.h"
#include "quota.h"
#include "roster.h"
#include "store.h"
#include "topic.h"
#include "window.h"
#include "worker.h"

struct server {
	const struct options *options;
	struct quota bodies; /* bytes of POST bodies, and of what was made of them */
	struct topics *topics;
	struct store *store;
	struct window *window;
	struct commit *commit;
	struct worker *worker;
	struct replayer *replayer;
	struct limits *limits;
	struct roster *roster;
	struct fanouts fanouts;
	unsigned loops;
	uint64_t started;	    /* by counter_clock() */
	_Atomic bool draining;	    /* on the way out: publishes are refused */
};

#endif
