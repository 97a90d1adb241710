/* SPDX-License-Identifier: MIT */
/* This server as a node of a cluster: its name, and what it says of itself. */
#ifndef NODE_H
#define NODE_H

#include "api/metrics.h"
#include "base/mailbox.h"
#include "http/listen.h"

/*
 * node_join(given, listeners, metrics, teller, error):
 * If the store has other nodes, become one of them: metrics->cluster is what it makes, to be
 * stopped and freed as cluster.h says, and metrics->node its name: the given one, or without one
 * (NULL) the host's, with the port of the first listening socket.  ${teller} is of the loop that
 * calls presence_events_run().  Return 0, or -1.
 */
int node_join(const char *given, const struct listeners *listeners, struct metrics_sources *metrics,
	struct mailbox *teller, struct error *error);

#endif
