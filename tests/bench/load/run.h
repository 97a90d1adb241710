/* SPDX-License-Identifier: MIT */
/*
 * Publishing and reading at once, on one thread: a run has its streams and its publishers, and
 * goes through phases, each of which ends when every stream has everything.
 */
#ifndef RUN_H
#define RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "process.h"
#include "publishers.h"
#include "streams.h"

struct run {
	const struct options *options;
	int epoll;
	struct streams streams;
	struct publishers publishers;
	struct source timer;	/* of --rate */
	uint64_t left;		/* events that are still to be published in this phase */
	uint64_t end;		/* no event is sent after that */
	bool paced;		/* at --rate */
	uint64_t due, next_due; /* events whose time has come; when that of the first was */
	bool watch_memory;	/* look at the server's memory now and then: peak */
	uint64_t looked;
	struct memory peak;
};

/* What a phase took. */
struct figures {
	uint64_t wall, server, own; /* ns; the last two on the CPU */
	uint64_t posts, received;
};

/* run_init(run, options, error): streams and publishers are connected by their own functions. */
int run_init(struct run *run, const struct options *options, struct error *error);

/*
 * run_phase(run, events, time, paced, figures):
 * Publish so many events, or for ${time} ms if that is not 0, and read until all streams have all
 * of them, or nothing has come for some seconds.
 */
void run_phase(struct run *run, uint64_t events, int64_t time, bool paced, struct figures *figures);

/* run_read(run, done): only read, until done(run) or nothing came for some seconds. */
void run_read(struct run *run, bool (*done)(const struct run *run));

/* run_watch(run, time): read for ${time} ms, or until SIGTERM, whatever comes. */
void run_watch(struct run *run, int64_t time);

/* run_free(run): close everything. */
void run_free(struct run *run);

#endif
