/* SPDX-License-Identifier: MIT */
/*
 * This node among the nodes of a shared log: a thread that tells the others what peers.h says, and
 * takes what they tell.
 */
#ifndef CLUSTER_H
#define CLUSTER_H

#include "base/mailbox.h"
#include "error.h"
#include "peers.h"

/* All nodes that can be told apart, with this one. */
#define CLUSTER_NODES_MAX 65

struct cluster;

struct cluster_config {
	struct store *store; /* one that has other nodes: it has `tell` */
	struct presence *presence;
	struct mailbox *teller; /* of the loop that calls presence_events_run() */
	/* What is to be said of this node.  The cluster's thread. */
	void (*figures)(void *context, struct node_figures *figures);
	void *context;
};

/*
 * cluster_new(config): before the first name comes.  NULL without memory.
 * cluster_start(cluster, error): listen, and start the thread.  Return 0, or -1.
 * cluster_stop(cluster): tell the others that this node ends, and end the thread; while the
 * teller's mailbox is open.  cluster_free(cluster): when the store is closed.  Both take NULL.
 */
struct cluster *cluster_new(const struct cluster_config *config);
int cluster_start(struct cluster *cluster, struct error *error);
void cluster_stop(struct cluster *cluster);
void cluster_free(struct cluster *cluster);

/*
 * cluster_others(cluster, figures, max): what the other nodes say of themselves, at most ${max} of
 * them, in the order of their names.  Return how many.  Any thread.
 */
size_t cluster_others(struct cluster *cluster, struct node_figures *figures, size_t max);

#endif
