/* SPDX-License-Identifier: MIT */
/*
 * How much waits in a queue, for its limits.  The count is the content of the file `lock`, and only
 * a hint: after a kill it may be too high, after a loss of power it may be anything.  So each
 * process counts the files once, and counts them again before it refuses an event.
 *
 * Only the modules of the spool use this.  The caller holds the lock of the folder.
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

/* queue_count_read(folder, count): read the hint; false if it is not valid. */
bool queue_count_read(const struct queue_folder *folder, struct queue_count *count);

/*
 * queue_count_files(folder, count, error):
 * Count the files; the hint stays as it is.  0, or -1: EX_IOERR.
 */
int queue_count_files(
	const struct queue_folder *folder, struct queue_count *count, struct error *error);

/*
 * queue_count_get(folder, count, error):
 * Read the hint, if this process has counted; else count the files.  0, or -1: EX_IOERR.
 */
int queue_count_get(struct queue_folder *folder, struct queue_count *count, struct error *error);

/* queue_count_set(folder, count): write the hint; if that fails, the next process counts. */
void queue_count_set(const struct queue_folder *folder, const struct queue_count *count);

/*
 * queue_count_added(folder, name, bytes) / queue_count_removed(folder, name, bytes):
 * A file of this name and size has come into the queue, or has left it.
 */
void queue_count_added(const struct queue_folder *folder, const char *name, int64_t bytes);
void queue_count_removed(const struct queue_folder *folder, const char *name, int64_t bytes);

/* queue_count_doubt(folder): the hint may be wrong: count again before the next use. */
void queue_count_doubt(struct queue_folder *folder);

#endif
