/* SPDX-License-Identifier: MIT */
/* What all parts of one server share.  Filled by main() before the loops start, then constant. */
#ifndef SERVER_H
#define SERVER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "commit.h"
#include "options.h"
#include "store.h"
#include "topic.h"
#include "window.h"
#include "worker.h"

struct server {
	const struct options *options;
	struct topics *topics;
	struct store *store;
	struct window *window;
	struct commit *commit;
	struct worker *worker;
	_Atomic bool draining; /* on the way out: publishes are refused */
};

#endif
