/* SPDX-License-Identifier: MIT */
/*
 * The consumer of a queue takes its events out, the oldest first, to deliver them.  One process at
 * a time consumes a queue, from consumer_begin() to consumer_end(); others may append.
 */
#ifndef CONSUMER_H
#define CONSUMER_H

#include <stddef.h>

#include "error.h"
#include "event/group.h"
#include "queue.h"

struct consumer;

/*
 * consumer_new(queue, tell, context):
 * A consumer of ${queue}, which outlives it; NULL without memory.  ${tell}, which may be NULL, is
 * called for each item that was put into failed/, when the next one comes; see
 * consumer_tell_last().  consumer_free() takes NULL.
 */
struct consumer *consumer_new(struct queue *queue,
	void (*tell)(void *context, const struct error *failure), void *context);
void consumer_free(struct consumer *consumer);

/*
 * consumer_begin(consumer, error) / consumer_end(consumer):
 * Begin to deliver: 1, 0 if another process delivers, or -1 (EX_IOERR); and stop delivering.
 */
int consumer_begin(struct consumer *consumer, struct error *error);
void consumer_end(struct consumer *consumer);

/*
 * consumer_take(consumer, group, events, bytes, error):
 * Add the oldest events to ${group}, which is empty: the files that fit into ${events} and
 * ${bytes}, and the first in any case; a file with an event without a key is taken alone.  A file
 * that is not a valid entry or is older than the limit goes to failed/, with the reason beside it;
 * a file of a later version stays, and blocks the queue.  Return 1, 0 if nothing waits, or -1
 * (EX_IOERR, EX_NOPERM).
 */
int consumer_take(struct consumer *consumer, struct group *group, size_t events, size_t bytes,
	struct error *error);

/*
 * consumer_done(consumer, group, settled, error):
 * The first ${settled} events of ${group}, which were taken, need not be sent again: remove their
 * files.  A file of which a part is settled keeps the rest, which can be taken again after
 * consumer_end().
 */
int consumer_done(
	struct consumer *consumer, const struct group *group, size_t settled, struct error *error);

/*
 * consumer_fail(consumer, group, index, reason, error):
 * Put a copy of the event at ${index}, which was taken, into failed/, durably.
 */
int consumer_fail(struct consumer *consumer, const struct group *group, size_t index,
	const char *reason, struct error *error);

/*
 * consumer_failed(consumer, last):
 * How many events, or files, were put into failed/; *${last} is a sentence about the last of them,
 * valid until the next call.
 */
size_t consumer_failed(const struct consumer *consumer, const char **last);

/* consumer_tell_last(consumer): tell the last one now, unless it was told. */
void consumer_tell_last(struct consumer *consumer);

#endif
