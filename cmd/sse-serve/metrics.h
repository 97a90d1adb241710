/* SPDX-License-Identifier: MIT */
/*
 * What the server counts of itself, for GET /metrics and for $sys.  Each counter is written by one
 * thread and may be read by any: no lock, and no instruction more than an addition takes.
 */
#ifndef METRICS_H
#define METRICS_H

#include <stdatomic.h>
#include <stdint.h>

struct request;
struct server;

/* metrics_add(counter, more): by the thread that writes it. */
static inline void metrics_add(_Atomic uint64_t *counter, uint64_t more)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + more,
		memory_order_relaxed);
}

/* How long something took, in microseconds. */
struct metrics_times {
	_Atomic uint64_t count, total;
	_Atomic uint64_t longest; /* since it was last asked for */
};

/* metrics_clock(): microseconds of a clock that nobody sets. */
uint64_t metrics_clock(void);

/* metrics_took(times, us): it took ${us}, once; by the thread that writes it. */
void metrics_took(struct metrics_times *times, uint64_t us);

/* The log thread's counters. */
struct metrics {
	uint64_t started; /* by metrics_clock() */
	_Atomic uint64_t published;
	struct metrics_times sync;    /* what made a batch durable */
	struct metrics_times publish; /* of what is stored, from the whole request to its answer */
};

/* One loop's. */
struct metrics_loop {
	_Atomic uint64_t requests;
	_Atomic uint64_t delivered; /* events that a socket took whole */
	_Atomic uint64_t behind;    /* streams that have not had all that there is for them */
};

/* How all stand at one moment, or about that. */
struct metrics_sum {
	uint64_t uptime; /* s */
	uint64_t streams, behind, names;
	uint64_t requests, published, delivered;
	uint64_t window_bytes, window_cap, window_events;
	int64_t database_bytes, database_events; /* of events -1: not known */
};

/* metrics_read(server, sum): any thread. */
void metrics_read(const struct server *server, struct metrics_sum *sum);

/* GET /metrics: as text for Prometheus. */
void metrics_run(struct request *request);

#endif
