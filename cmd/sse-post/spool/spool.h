/* SPDX-License-Identifier: MIT */
/*
 * The spool: a folder that keeps the events that cannot be delivered now.
 *
 *	DIR/localhost_8000_api_users-0123456789abcdef/   a queue: the events for one URL
 *		url                                      its URL
 *		lock, flush                              locks, see below
 *		0000000000000001.2.events                two events, see entry.h; the oldest first
 *		new                                      a file that is being written
 *		sending                                  a file that is sent at most once, see below
 *		failed/0000000000000001-1.1.events       an event that the server refused, and why
 *		failed/0000000000000002.1.events         a file that cannot be read, ...
 *		failed/0000000000000002.1.events.reason  ... and why it is there
 *
 * A file is written beside its place, synced, renamed, and the folder is synced (durable.h): after
 * queue_append() all of the events are stored, even after a kill or a loss of power; before it,
 * none is.  A file is removed only after the server has stored all of it.  After a kill in between,
 * its events are sent again, with the same keys.  Files have the permissions of the spool's folder,
 * at most for its group; the folder is created for the user only.
 *
 * An event without a key (--at-most-once) is sent once.  So while a file with such an event is
 * being sent, `sending` names it.  If it still does when the file is taken again, a run ended in
 * between, and the file goes to failed/.
 *
 * Two locks (flock), which the end of a process releases: `lock` guards the numbering of the files,
 * `new` and the count of what waits (which is the content of `lock`, queue_count.h), and is held
 * for one append or removal; `flush` is held by the one process that delivers, for as long as it
 * does.  The holder of `flush` may take `lock`, not the other way round.
 *
 * queue.h puts events into a queue, consumer.h takes them out, dead_letter.h puts them into
 * failed/; queue_folder.h opens the folder and has the locks.  This module looks at all queues.
 */
#ifndef SPOOL_H
#define SPOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

/* The events that wait for one URL. */
struct spool_status {
	const char *url;
	uint64_t events, bytes, failed; /* failed: events in failed/ */
	int64_t oldest;			/* ms since 1970; 0 if nothing waits */
};

/*
 * spool_each(spool, visit, context, error):
 * Call ${visit} for each queue of the spool, in the order of their names, until it returns false.
 * A folder that does not exist is an empty spool.  0, or -1: EX_NOINPUT, or, after the others were
 * visited, EX_IOERR if events wait whose URL is lost.
 */
int spool_each(const char *spool, bool (*visit)(void *context, const struct spool_status *status),
	void *context, struct error *error);

#endif
