/* SPDX-License-Identifier: MIT */
/* This server as a node of a cluster: its name, and what it says of itself. */
#ifndef NODE_H
#define NODE_H

#include "api/metrics.h"
#include "cluster/cluster.h"
#include "http/listen.h"

/*
 * node_name(given, listeners, name):
 * Write the given name, or without one the host's, with the port of the first listening socket that
 * has one.
 */
void node_name(const char *given, const struct listeners *listeners, char name[NODE_NAME_MAX + 1]);

/* node_new(metrics, teller): as cluster_new(); both outlive it. */
struct cluster *node_new(struct metrics_sources *metrics, struct mailbox *teller);

#endif
