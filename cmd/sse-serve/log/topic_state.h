/* SPDX-License-Identifier: MIT */
/* What the server knows of a topic; topic.h has the registry of them. */
#ifndef TOPIC_STATE_H
#define TOPIC_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Why an event is gone from the log: retention, a request to delete it, a newer present value. */
enum removal { REMOVAL_EXPIRED, REMOVAL_DELETED, REMOVAL_SUPERSEDED, REMOVALS };

/* No entry of the window: see window.h. */
#define TOPIC_NO_ENTRY UINT64_MAX

struct topic {
	uint32_t number; /* dense, from 0; the next new topic gets the number of a forgotten one */
	uint32_t serial; /* tells apart topics that had the same number; not 0 */
	/* How many hold it: sets, and callers between topics_hold() and topic_drop(). */
	_Atomic uint32_t holders;
	/*
	 * Its row in the log's database: dense, from 1, in the order of the first stored event; 0
	 * as long as it has had only ephemeral events.  Written by the log thread.
	 */
	_Atomic uint32_t row;
	/* The row it gets with the transaction that is under way, or 0.  The log thread's. */
	uint32_t storing;
	const char *name;
	/*
	 * The positions of the newest events of this topic that are gone from the log, by why they
	 * are; 0 if none is.  Retention removes the oldest, so that all up to ${removed} are gone;
	 * the others are gone from amid what is stored.  Written by the log thread.
	 */
	_Atomic uint64_t removed, deleted, superseded;
	/*
	 * The newest deletion took this position, at which there is no event; 0: none did.  Whoever
	 * had the events of that moment does not know that some are gone.  Written by the log thread.
	 */
	_Atomic uint64_t erased;
	/*
	 * How often, since the start, an event before ${superseded} was superseded, which that does not
	 * show.  Written by the log thread.
	 */
	_Atomic uint64_t superseded_before;
	/* The position of the event that closed it; 0: it is open.  Written by the log thread. */
	_Atomic uint64_t closed;
	/* The same of an event that is about to be stored, or 0; see closing.h.  The log thread's. */
	uint64_t closing;
	/* The newest entry of this topic in the window.  Written by the log thread. */
	_Atomic uint64_t newest_entry;
	/* It had an event since the start other than a join or leave; or it is there from the start. */
	_Atomic bool used;
	/* Events published to it since the start, stored or not.  Written by the log thread. */
	_Atomic uint64_t published;
};

/* topic_row(topic): its row, or the one that it is about to get; 0: none.  Log thread. */
static inline uint32_t topic_row(const struct topic *topic)
{
	return topic->storing != 0 ? topic->storing : topic->row;
}

/* topic_gone(topic): the position of its newest event that is gone; 0 if none is. */
static inline uint64_t topic_gone(const struct topic *topic)
{
	uint64_t removed = atomic_load(&topic->removed), deleted = atomic_load(&topic->deleted),
		 superseded = atomic_load(&topic->superseded);
	uint64_t gone = deleted > removed ? deleted : removed;

	return superseded > gone ? superseded : gone;
}

/*
 * topic_lost(topic): a reader that has come to this position, or further, knows all present values
 * that it would know if it began now.
 */
static inline uint64_t topic_lost(const struct topic *topic)
{
	uint64_t removed = atomic_load(&topic->removed), erased = atomic_load(&topic->erased);

	return erased > removed ? erased : removed;
}

#endif
