/* SPDX-License-Identifier: MIT */
/*
 * A slot: a group of events on its way, and what the answer to its request, or the lack of one,
 * means for them.  verdict.h knows the rules; here they are applied, and slot->error says why a
 * request did not succeed.  deliver.c acts on the verdict.
 */
#ifndef SLOT_H
#define SLOT_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backoff.h"
#include "destination.h"
#include "error.h"
#include "event/group.h"
#include "request.h"
#include "verdict.h"

/* Why the rest of a group was not sent. */
enum failure {
	FAILURE_NONE,
	FAILURE_REFUSED, /* the event at slot->at, for its content: the next may be accepted */
	/*
	 * The server cannot be reached, or cannot accept events now.  At once if nothing listens
	 * and the events are kept, otherwise after the time for retries.
	 */
	FAILURE_AWAY,
	FAILURE_DENIED,	 /* the server, or a proxy, does not accept or permit the login */
	FAILURE_NO,	 /* the server answers, and refuses all: address, method, ... */
	FAILURE_UNKNOWN, /* --at-most-once: those of the request may or may not have been stored */
};

struct deliver;
struct deliver_listener;

/* A group on its way.  Read the fields, do not write them. */
struct slot {
	struct deliver *deliver;
	struct request request;
	struct backoff backoff;
	struct destination *to;
	struct group *group; /* NULL: the slot is free */
	const struct deliver_listener *listener;
	size_t at;     /* the first event that is not settled */
	size_t limit;  /* the most events for the next request; 0: no limit */
	size_t singly; /* events before this one are sent by themselves */
	bool once;     /* no second attempt */
	bool active;   /* a transfer is under way */
	/* Moments: of the next attempt, of the last one (CLIENT_NEVER: there is one), of a word. */
	int64_t wake_at, give_up_at, tell_at;
	bool ambiguous; /* an attempt broke off when the server may have had all of the request */
	bool finished;
	enum failure failure;
	struct error error;
};

/*
 * slot_judge(slot, code, spools):
 * The transfer is over; ${code} is how it went for libcurl.  With ${spools}, events that cannot be
 * sent are kept, so that none waits for a server that is not there.
 */
enum verdict slot_judge(struct slot *slot, CURLcode code, bool spools);

/* slot_judge_failure(slot, failure): there was no answer, for that reason. */
enum verdict slot_judge_failure(struct slot *slot, enum verdict_failure failure);

/*
 * slot_learn(slot):
 * Learn about batches from the answers to the first event, sent alone, and to later ones.
 */
void slot_learn(struct slot *slot);

/* slot_split_batch(slot): a batch was refused: send it otherwise. */
void slot_split_batch(struct slot *slot);

#endif
