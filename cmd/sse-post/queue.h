/* SPDX-License-Identifier: MIT */
/*
 * The spool: a folder that keeps what cannot be delivered now.
 *
 *	DIR/localhost_8000_api_users-0123456789abcdef/   a queue: all for one URL
 *		url                                      which one
 *		lock, flush                              locks, see below
 *		0000000000000001.2.events                two events, see entry.h; oldest first by
 *name new                                      one that is being written
 *		failed/0000000000000001-1.1.events       what the server refused, with the reason
 *		failed/0000000000000002.1.events.reason  why the whole file of that name is there
 *
 * A file is written beside its place, synced, renamed, and the folder is synced: after
 * queue_append() the events are there whatever happens, and before it none of them is.  The name
 * goes only when the server has all of it, so a kill in between sends it again, with the same keys.
 * Files have the permissions of the folder, at most for its group; the folder is made for the user
 * alone.
 *
 * An event without a key (--at-most-once) is sent one time.  So while a file that has one is on its
 * way, `sending` names it; if it still does when the file is taken again, a run ended in between,
 * and the file goes to failed/.
 *
 * Two locks (flock), which the end of a process releases: `lock` guards the numbering of the files,
 * `new` and the count of what is there (which is the content of `lock`), and is held for one append
 * or removal; `flush` is held by the one process that delivers, for as long as it does.  Who holds
 * `flush` may take `lock`, not the other way round.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "event.h"

/* What a queue may hold. */
struct spool_limits {
	int64_t events, bytes, age; /* age in ms; 0: any */
};

/* A file that events of a group came from. */
struct queue_file {
	char *name;
	size_t end; /* its events are in front of this one, and behind those of the file before */
	int64_t spooled;
};

/* All that waits for one URL.  Read the fields, do not write them. */
struct queue {
	char *path; /* of its folder; NULL if it is not open */
	char *url;
	struct spool_limits limits;
	int folder, lock, flush;    /* descriptors, or -1 */
	unsigned mode, folder_mode; /* of new files and folders */
	bool counted;		    /* `lock` was seen to say what is there */
	/* The files that queue_take() has found and not given out yet, */
	char **names;
	size_t count, next;
	/* those that are out, and what was wrong with files that it put aside. */
	struct queue_file *files;
	size_t file_count;
	bool marked;   /* `sending` names one that is out */
	size_t failed; /* events, or files, put into failed/ */
	struct error last_failure;
	/* Who delivers may set this: it gets each failure but the last, when the next one comes. */
	void (*tell)(void *context, const struct error *failure);
	void *context;
};

/*
 * queue_open(queue, spool, url, limits, error):
 * The queue of ${url}, which has no credentials, in the folder ${spool}; both are made if they are
 * not there: EX_CANTCREAT.  queue_close() releases locks and memory, also after a failure; it takes
 * a struct of zeros.
 */
int queue_open(struct queue *queue, const char *spool, const char *url,
	const struct spool_limits *limits, struct error *error);
void queue_close(struct queue *queue);

/* queue_is_empty(queue): is nothing waiting, as far as can be seen now? */
bool queue_is_empty(const struct queue *queue);

/*
 * queue_append(queue, group, from, reason, error):
 * Store the events of ${group} from *${from} on, durably, behind all that is there, and move
 * *${from} behind those that are stored: all of them on success, none on failure (EX_IOERR), and as
 * many as there is room for if a limit is reached (EX_TEMPFAIL).
 */
int queue_append(struct queue *queue, const struct group *group, size_t *from, const char *reason,
	struct error *error);

/* queue_begin(queue, error): become the one who delivers.  Return 1, 0 if another one is, or -1. */
int queue_begin(struct queue *queue, struct error *error);

/* queue_end(queue): stop being the one who delivers. */
void queue_end(struct queue *queue);

/*
 * queue_take(queue, group, events, bytes, error):
 * Add the oldest events to ${group}, which is empty: the files that fit into ${events} and
 * ${bytes}, and the first in any case; one with an event without a key is by itself.  What cannot
 * be read as an entry, and what is older than the limit, goes to failed/, with the reason beside
 * it; a file of a later version stays, and stands in the way.  Return 1, 0 if nothing waits, or -1
 * (EX_IOERR, EX_NOPERM).
 */
int queue_take(
	struct queue *queue, struct group *group, size_t events, size_t bytes, struct error *error);

/*
 * queue_done(queue, group, settled, error):
 * The first ${settled} events of ${group}, which were taken, need not be sent again: their files
 * go, and one of which a part is settled keeps the rest.
 */
int queue_done(struct queue *queue, const struct group *group, size_t settled, struct error *error);

/*
 * queue_fail(queue, group, index, reason, error):
 * Put a copy of the event at ${index}, which was taken, into failed/, durably.
 */
int queue_fail(struct queue *queue, const struct group *group, size_t index, const char *reason,
	struct error *error);

/*
 * queue_refuse(queue, group, index, reason, error):
 * As queue_fail(), an event that never was in the queue.
 */
int queue_refuse(struct queue *queue, const struct group *group, size_t index, const char *reason,
	struct error *error);

/* What waits for one URL. */
struct queue_status {
	const char *url;
	uint64_t events, bytes, failed;
	int64_t oldest; /* ms since 1970; 0 if nothing waits */
};

/*
 * spool_each(spool, visit, context, error):
 * Call ${visit} for each queue of the spool, in the order of their names, until it returns false.
 * A folder that is not there is an empty spool.  Events whose URL is lost are EX_IOERR,
 * after the others were visited.
 */
int spool_each(const char *spool, bool (*visit)(void *context, const struct queue_status *status),
	void *context, struct error *error);

#endif
