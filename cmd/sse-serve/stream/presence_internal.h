/* SPDX-License-Identifier: MIT */
/* The names that are present, to presence.c and presence_nodes.c; see presence.h. */
#ifndef PRESENCE_INTERNAL_H
#define PRESENCE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "shelf.h"

struct topic_presence {
	struct named topic; /* first */
	struct shelf members;
	uint32_t present, told; /* members that are, and that readers know of */
	size_t bytes;		/* of the members' names, with their ends */
};

struct member {
	struct named named; /* first */
	struct topic_presence *topic;
	uint32_t holds;	  /* leases that name it */
	uint32_t streams; /* of them those whose stream is open */
	uint32_t due;	  /* with streams nowhere: when it will have left */
	bool present;	  /* it has a stream somewhere, or had one within the grace */
	bool forgone;	  /* whoever has it has another name now: no grace for the last stream */
	bool told;	  /* what readers know of it */
	bool changed;	  /* is in the list of changes */
	bool passed;	  /* what other nodes were told: does it have streams here? */
	bool outgoing;	  /* is in the list of what they will be told */
	uint64_t nodes;	  /* a bit for each other node that has streams of it */
	uint64_t listed;  /* likewise, in the list that is being read of that node */
	struct member *next_changed, *next_outgoing;
	struct member *next, **back; /* among those that are leaving; NULL: it is not */
};

struct presence {
	_Atomic int64_t max;
	uint32_t grace;
	void (*wake)(
		void *context); /* there is something to tell other nodes; NULL: there are none */
	void *context;

	/* Something changed or is leaving; also read without the lock. */
	_Atomic bool busy;

	pthread_mutex_t lock; /* guards what follows; a leaf */
	int64_t count;	      /* of members */
	struct shelf topics;
	struct member *changed, **last_changed;
	struct member *outgoing, **last_outgoing;
	bool call;				/* wake() is due */
	struct member *leaving, **last_leaving; /* the first will have left first */
};

/* All of these: under the lock. */

/*
 * presence_member(presence, topic, name, full):
 * The member of that name, which is made if it is not there; one that nothing refers to afterwards
 * is to be released.  NULL if it is one too many (*${full}), or without memory.
 */
struct member *presence_member(
	struct presence *presence, const char *topic, const char *name, bool *full);

/* presence_release(presence, member): forget it, if nothing refers to it. */
void presence_release(struct presence *presence, struct member *member);

/*
 * presence_is_somewhere(member): does it have a stream, here or at another node?
 * presence_arrive(presence, member): it has its first.
 * presence_depart(presence, member, now): it has none any more.
 */
bool presence_is_somewhere(const struct member *member);
void presence_arrive(struct presence *presence, struct member *member);
void presence_depart(struct presence *presence, struct member *member, uint32_t now);

/*
 * presence_finish(presence):
 * Unlock.  True if presence_events_run() must be called: there is something that it does not know
 * of.
 */
bool presence_finish(struct presence *presence);

#endif
