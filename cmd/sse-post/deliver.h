/* SPDX-License-Identifier: MIT */
/*
 * Delivery sends groups of events to the server, several groups at a time, each over its own
 * persistent connection.  It retries a request if that cannot store an event twice.
 *
 * A group is sent from its first event to its last.  If the server answered the first event as
 * sse-serve does, the events that wait are sent in batches; other servers get a request for each
 * event.  One thread; only deliver_wait() blocks.
 */
#ifndef DELIVER_H
#define DELIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client_run.h"
#include "destination.h"
#include "error.h"
#include "event/group.h"
#include "options.h"
#include "pace.h"
#include "request.h"
#include "slot.h"

/* The functions of the source of a group: they are told what becomes of its events. */
struct deliver_listener {
	void *context;
	/* The server has ${count} events from ${from} on; the ids are in slot->request. */
	void (*accepted)(void *context, const struct slot *slot, size_t from, size_t count);
	/* The event at slot->at was refused: true to go on with the next one. */
	bool (*refused)(void *context, const struct slot *slot, const struct error *error);
	/* The slot has finished, and gives the group back; see slot->failure. */
	void (*finished)(void *context, const struct slot *slot);
};

struct deliver {
	const struct options *options;
	struct slot *slots;
	size_t count;
	CURLM *multi; /* of the first slot; it keeps the connections of all */
	bool begun;   /* a request was begun since the last check */
	bool spools;  /* set by the caller: events that cannot be sent are kept; see FAILURE_AWAY */
	int64_t until;
	struct pace pace; /* for the caller to follow */
};

/*
 * deliver_open(deliver, program, options, until, error):
 * Make as many slots as --parallel says; nothing is connected yet.  ${until} is --timeout, a moment
 * of clock_now_ms(): no wait goes beyond it.  deliver_close() frees, also after a failure; it takes
 * a struct of zeros.
 */
int deliver_open(struct deliver *deliver, const char *program, const struct options *options,
	int64_t until, struct error *error);
void deliver_close(struct deliver *deliver);

/* deliver_free_slot(deliver): a slot without a group, or NULL. */
struct slot *deliver_free_slot(struct deliver *deliver);

/* deliver_busy(deliver): how many slots have a group. */
size_t deliver_busy(const struct deliver *deliver);

/*
 * deliver_start(slot, group, to, once, listener):
 * Begin to send ${group}, which has at least one event, and which the slot borrows until the
 * listener's finished() is called; ${listener} outlives that.  With ${once} no request is tried
 * twice.
 */
void deliver_start(struct slot *slot, struct group *group, struct destination *to, bool once,
	const struct deliver_listener *listener);

/*
 * deliver_wait(deliver, fd, until):
 * Run all transfers, and wait until a slot may have finished, ${fd} can be read, or ${until} is
 * reached.  See client_poll().
 */
enum client_outcome deliver_wait(struct deliver *deliver, int fd, int64_t until);

/* deliver_has_finished(deliver): has a slot a group that is settled or failed? */
bool deliver_has_finished(const struct deliver *deliver);

/*
 * deliver_collect(deliver):
 * Call finished() for each slot that has finished, and then free the slot.
 */
void deliver_collect(struct deliver *deliver);

/*
 * deliver_abort(deliver):
 * End now: all slots that have a group have finished, answers that arrived count, and slot->error
 * says why the rest was not sent: a signal, or --timeout.
 */
void deliver_abort(struct deliver *deliver);

/*
 * deliver_explain(slot, error):
 * Put into ${error} what the slot's failure means to the user: the reason, and whether events may
 * have been stored all the same.
 */
void deliver_explain(const struct slot *slot, struct error *error);

#endif
