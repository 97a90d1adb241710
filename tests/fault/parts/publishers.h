/* SPDX-License-Identifier: MIT */
/*
 * Publishers and readers, a thread each, that live through crashes of the server: a publisher
 * sends what was not acknowledged again with the same key, a reader comes back with its last id.
 */
#ifndef PUBLISHERS_H
#define PUBLISHERS_H

#include <stdint.h>

#include "ledger.h"

struct publishers;

struct publishers_config {
	struct ledger *ledger;
	int port;
	uint64_t seed;
	uint64_t think_us; /* a publisher pauses for up to this long between events */
	bool many;	   /* the server has streams of many topics */
	bool batches;	   /* and takes NDJSON with envelopes */
	bool moves;	   /* readers go to another server now and then; port is NET_ANY */
};

/* publishers_start(config): readers are at work at once, publishers from publishers_work() on. */
struct publishers *publishers_start(const struct publishers_config *config);

/* publishers_work(publishers): publishers send. */
void publishers_work(struct publishers *publishers);

/*
 * publishers_rest(publishers): publishers begin nothing new, but do send again what was not
 * acknowledged.
 */
void publishers_rest(struct publishers *publishers);

/* publishers_wait(publishers): until all publishers rest. */
void publishers_wait(struct publishers *publishers);

/*
 * publishers_check(publishers, wake): every reader saw what is stored; the sleeping one too, if
 * ${wake}.
 */
void publishers_check(struct publishers *publishers, bool wake);

/*
 * publishers_dismiss(publishers): publishers end now, readers (all awake) when their connection
 * does.
 */
void publishers_dismiss(struct publishers *publishers);

/*
 * publishers_end(publishers): dismissed, and the server has ended: wait for all threads, free all.
 */
void publishers_end(struct publishers *publishers);

#endif
