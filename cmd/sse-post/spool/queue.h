/* SPDX-License-Identifier: MIT */
/*
 * A queue of the spool: the events that wait for one URL.  See spool.h for its layout on the disk.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "event/group.h"
#include "queue_folder.h"

/* What a queue may hold. */
struct queue_limits {
	int64_t events, bytes, age; /* age in ms; 0: any */
};

/* Read the fields, do not write them. */
struct queue {
	struct queue_folder folder;
	struct queue_limits limits;
};

/*
 * queue_open(queue, spool, url, limits, error):
 * The queue of ${url}, which has no credentials, in the folder ${spool}; both are created if they
 * do not exist.  0, or -1: EX_CANTCREAT, EX_IOERR.  queue_close() releases locks and memory, also
 * after a failure; it takes a struct of zeros.
 */
int queue_open(struct queue *queue, const char *spool, const char *url,
	const struct queue_limits *limits, struct error *error);
void queue_close(struct queue *queue);

/* queue_is_empty(queue): is it empty, as far as can be seen now? */
bool queue_is_empty(const struct queue *queue);

/*
 * queue_append(queue, group, from, reason, error):
 * Store the events of ${group} from *${from} on, durably, after those that wait, and add the number
 * of stored events to *${from}: all of them on success, none on failure (EX_IOERR), and as many as
 * there is room for if a limit is reached (EX_TEMPFAIL).
 */
int queue_append(struct queue *queue, const struct group *group, size_t *from, const char *reason,
	struct error *error);

/*
 * queue_refuse(queue, group, index, reason, error):
 * Put a copy of an event that never was in the queue into failed/, durably.
 */
int queue_refuse(struct queue *queue, const struct group *group, size_t index, const char *reason,
	struct error *error);

#endif
