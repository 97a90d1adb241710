/* SPDX-License-Identifier: MIT */
/*
 * Publishers and readers, a thread each, that live through crashes of the server: a publisher
 * sends what was not acknowledged again with the same key, a reader comes back with its last id.
 */
#ifndef CREW_H
#define CREW_H

#include <stdint.h>

#include "ledger.h"

struct crew;

struct crew_config {
	struct ledger *ledger;
	int port;
	uint64_t seed;
	uint64_t think_us; /* a publisher pauses for up to this long between events */
	bool many;	   /* the server has streams of many topics */
	bool batches;	   /* and takes NDJSON with envelopes */
};

/* crew_start(config): readers are at work at once, publishers from crew_work() on. */
struct crew *crew_start(const struct crew_config *config);

/* crew_work(crew): publishers send. */
void crew_work(struct crew *crew);

/* crew_rest(crew): publishers begin nothing new, but do send again what was not acknowledged. */
void crew_rest(struct crew *crew);

/* crew_wait(crew): until all publishers rest. */
void crew_wait(struct crew *crew);

/* crew_check(crew, wake): every reader saw what is stored; the sleeping one too, if ${wake}. */
void crew_check(struct crew *crew, bool wake);

/* crew_dismiss(crew): publishers end now, readers (all awake) when their connection does. */
void crew_dismiss(struct crew *crew);

/* crew_end(crew): dismissed, and the server has ended: wait for all threads, free all. */
void crew_end(struct crew *crew);

#endif
