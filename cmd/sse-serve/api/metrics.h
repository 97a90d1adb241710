/* SPDX-License-Identifier: MIT */
/* The server's counters (counter.h), added up for GET /metrics and for $sys. */
#ifndef METRICS_H
#define METRICS_H

#include <stdint.h>

#include "cluster/node_message.h"

struct certificates;
struct cluster;
struct log_thread;
struct fanouts;
struct http;
struct request;
struct presence;
struct rates;
struct samples;
struct store;
struct window;

/* The parts that count. */
struct metrics_sources {
	uint64_t started; /* by clock_now_us() */
	struct topics *topics;
	struct certificates *certificates; /* or NULL */
	struct presence *presence;
	struct cluster *cluster;      /* NULL: there are no other nodes */
	char node[NODE_NAME_MAX + 1]; /* then: the name of this one */
	struct log_thread *log_thread;
	const struct window *window;
	struct store *store;
	const struct fanouts *fanouts;
	struct http *const *https;  /* of the loops, as many as there are fan-outs */
	struct rates *const *rates; /* [enum rate_kind]; NULL where there is no limit */
	struct rates *wrong_proofs; /* NULL: there are none */
	struct samples *samples;    /* of the last ten minutes */
};

/* The values at about one moment.  The streams and events of $sys are not counted. */
struct metrics_sum {
	uint64_t uptime; /* s */
	uint64_t streams, behind, names, topics;
	uint64_t requests, for_topics, published, delivered; /* ${for_topics}: of the requests */
	uint64_t window_bytes, window_cap, window_events;
	int64_t database_bytes, database_events; /* of events -1: not known */
	/* Of TLS; -1: there is none. */
	int64_t handshakes, handshake_failures;
	int64_t certificate_days;     /* until it expires, at least 0 */
	int64_t nodes, nodes_streams; /* of the cluster; -1: there is none */
};

/*
 * metrics_read(sources, sum): any thread.
 * metrics_nodes(sources, nodes):
 * What all nodes of the cluster say of themselves, at most CLUSTER_NODES_MAX: this one, then the
 * others by their names.  Return how many; 0 if there is no cluster.  Any thread.
 * metrics_node(sources, node): what this one says.  Any thread.
 */
void metrics_read(const struct metrics_sources *sources, struct metrics_sum *sum);
size_t metrics_nodes(const struct metrics_sources *sources, struct node_figures *nodes);
void metrics_node(const struct metrics_sources *sources, struct node_figures *node);

/* GET /metrics: as text for Prometheus. */
void metrics_run(struct request *request);

#endif
