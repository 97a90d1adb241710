/* SPDX-License-Identifier: MIT */
/*
 * What was published, acknowledged, stored and seen, and whether these agree.
 *
 * Each publisher sends the numbers 0, 1, 2, ... and each number of a publisher has its topic, its
 * size and its bytes, so that an event tells by itself whether it is whole and in its place.  What
 * the server lists is the record that everything else is held against; it may only ever grow at
 * its end.  All functions may be called by any thread; whatever is wrong ends the test.
 */
#ifndef LEDGER_H
#define LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sse.h"

#define LEDGER_TOPICS 3
#define LEDGER_PUBLISHERS 8

/* The most bytes of an event's data, with a NUL. */
#define LEDGER_DATA 5000

/* How many of a publisher's numbers in a row have the same topic. */
#define LEDGER_RUN 48

/* One event, wherever it was met. */
struct entry {
	uint64_t position; /* the number in its id */
	uint64_t id;	   /* a hash of its id */
	uint32_t number;
	uint32_t publisher;
	bool retried; /* an acknowledged one: it was sent more than once */
};

struct sequence {
	struct entry *all;
	size_t count, room;
};

/* What one reader saw. */
struct view {
	const char *name;
	bool topics[LEDGER_TOPICS]; /* that it follows */
	/* Guarded by the ledger's lock: */
	struct sequence seen[LEDGER_TOPICS]; /* and not yet compared */
	size_t compared[LEDGER_TOPICS];
	uint64_t newest; /* position */
};

struct ledger;

struct ledger_figures {
	uint64_t acknowledged, retries, recognised, repeated, stored, checked;
};

/* ledger_topic(number): the name of a topic. */
const char *ledger_topic(unsigned topic);

/* ledger_topic_of(publisher, number): where that event goes. */
unsigned ledger_topic_of(unsigned publisher, uint32_t number);

/* ledger_data(out, publisher, number): write the event's JSON, return its length. */
size_t ledger_data(char out[LEDGER_DATA], unsigned publisher, uint32_t number);

/* ledger_new(keys): without ${keys}, what was retried may be stored twice, in a row. */
struct ledger *ledger_new(bool keys);
void ledger_free(struct ledger *ledger);

/* ledger_try(ledger): something is about to be sent; what ledger_acknowledged() wants to know. */
size_t ledger_try(struct ledger *ledger);

/*
 * ledger_acknowledged(ledger, publisher, number, id, retried, mark):
 * 201 was the answer to what was sent after ledger_try() returned ${mark}; ${retried}: it had been
 * sent before.
 */
void ledger_acknowledged(struct ledger *ledger, unsigned publisher, uint32_t number, const char *id,
	bool retried, size_t mark);

/* ledger_retry(ledger): an event, or a batch, is sent once more. */
void ledger_retry(struct ledger *ledger);

/* ledger_killed(ledger): the server was: ids that it gives from now on have another tag. */
void ledger_killed(struct ledger *ledger);

/* ledger_saw(ledger, view, event): a reader was given this. */
void ledger_saw(struct ledger *ledger, struct view *view, const struct sse_event *event);

/*
 * ledger_check(ledger, port):
 * List what is stored since the last check, while nobody publishes: every acknowledged event is
 * there, once, in its publisher's order, with the id that was acknowledged.
 */
void ledger_check(struct ledger *ledger, int port);

/* ledger_check_view(ledger, view): wait until the reader saw all that is stored; once, in order. */
void ledger_check_view(struct ledger *ledger, struct view *view);

/* ledger_check_all(ledger, port): list every topic whole; nothing changed since it was checked. */
void ledger_check_all(struct ledger *ledger, int port);

/* ledger_sample(ledger, newest, before): two neighbours of one publisher that were sent once. */
bool ledger_sample(struct ledger *ledger, uint64_t *newest, uint64_t *before);

struct ledger_figures ledger_figures(struct ledger *ledger);

#endif
