/* SPDX-License-Identifier: MIT */
/*
 * The other nodes, and what this node and they tell each other: that they live, and their names.
 * Messages may be lost, but for that come in the order in which they were told.
 *
 * Each node numbers its messages with names, and says once a second which number it has reached.
 * A node that starts, or misses a number, asks for the complete list.  A node that has not been
 * heard for PEERS_GONE_MS is gone, and its names with it.
 *
 * One thread owns it, but for those functions that say "any thread".  Times are by clock_now_ms().
 */
#ifndef PEERS_H
#define PEERS_H

#include "log/store.h"
#include "node_message.h"

/* How often a node says that it lives, and how long it may say nothing, in ms. */
#define PEERS_ALIVE_MS 1000
#define PEERS_GONE_MS 5000

struct peers;

struct peers_config {
	uint64_t key; /* random: no other node has it */
	struct presence *presence;
	/* Send it to all other nodes; it may be lost. */
	void (*tell)(void *context, const void *data, size_t len);
	/* What is to be said of this node. */
	void (*figures)(void *context, struct node_figures *figures);
	void *context;
};

/*
 * peers_new(config, now): no others are known yet.  NULL without memory.
 * peers_free(peers): takes NULL.
 */
struct peers *peers_new(const struct peers_config *config, int64_t now);
void peers_free(struct peers *peers);

/*
 * peers_hear(peers, id, data, len, now): the node with this id, of STORE_NODE bytes, told this.
 * peers_turn(peers, now, wait): tell what is to be told, and find out who is gone; *${wait}
 * becomes the ms after which to call it again, unless something comes.
 * Both return true if presence_events_run() must be called.
 */
bool peers_hear(struct peers *peers, const char *id, const void *data, size_t len, int64_t now);
bool peers_turn(struct peers *peers, int64_t now, int64_t *wait);

/* peers_leave(peers): tell the others that this node ends. */
void peers_leave(struct peers *peers);

/*
 * peers_list(peers, figures, max): what the other nodes say of themselves, in the order of their
 * names, at most ${max}.  Return how many.  Any thread.
 */
size_t peers_list(struct peers *peers, struct node_figures *figures, size_t max);

#endif
