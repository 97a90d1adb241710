/* SPDX-License-Identifier: MIT */
/*
 * How much waits in a queue, for its limits.  The count is the content of the file `lock`, and a
 * hint: after a kill it may be too high, after a loss of power it may be anything.  So each process
 * counts the files once, and one that would refuse an event counts them again.
 *
 * For the modules of the spool alone.  The caller holds the lock of the folder.
 */
#ifndef QUEUE_COUNT_H
#define QUEUE_COUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "queue_folder.h"

struct queue_count {
	uint64_t next; /* the number of the next file; no number is used twice */
	int64_t events, bytes;
};

/* queue_count_read(folder, count): what the hint says; false if it says nothing. */
bool queue_count_read(const struct queue_folder *folder, struct queue_count *count);

/*
 * queue_count_files(folder, count, error):
 * Count the files; the hint stays as it is.  0, or -1: EX_IOERR.
 */
int queue_count_files(
	const struct queue_folder *folder, struct queue_count *count, struct error *error);

/*
 * queue_count_get(folder, count, error):
 * What the hint says, if this process has counted; else count the files.  0, or -1: EX_IOERR.
 */
int queue_count_get(struct queue_folder *folder, struct queue_count *count, struct error *error);

/* queue_count_set(folder, count): write the hint; if that fails, the next process counts. */
void queue_count_set(const struct queue_folder *folder, const struct queue_count *count);

/* queue_count_removed(folder, name, bytes): a file of this name and size has left the queue. */
void queue_count_removed(const struct queue_folder *folder, const char *name, int64_t bytes);

/* queue_count_doubt(folder): the hint may be wrong: count before it is asked for the next time. */
void queue_count_doubt(struct queue_folder *folder);

#endif
