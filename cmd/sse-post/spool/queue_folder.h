/* SPDX-License-Identifier: MIT */
/*
 * The folder of one queue, and its two locks; see spool.h for its content.  Only the modules of the
 * spool use this.
 *
 * The process that takes a lock holds it until it releases it or ends.  Two opens of one folder are
 * two holders, also in one process.
 */
#ifndef QUEUE_FOLDER_H
#define QUEUE_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

/* Read the fields, do not write them. */
struct queue_folder {
	char *path;		    /* NULL if it is not open */
	char *url;		    /* NULL if it is not known */
	int fd, lock, flush;	    /* descriptors, or -1 */
	unsigned mode, folder_mode; /* of new files and folders */
	bool counted;		    /* see queue_count.h */
};

/* The names of the files that wait, oldest first. */
struct queue_names {
	char **all;
	size_t count;
};

/*
 * queue_folder_open(folder, spool, url, error):
 * Open the queue's folder.  Create it, the folder ${spool} and the locks if they do not exist.
 * Return 0, or -1: EX_CANTCREAT, or EX_IOERR if it is the folder of another URL.
 */
int queue_folder_open(
	struct queue_folder *folder, const char *spool, const char *url, struct error *error);

/*
 * queue_folder_look(folder, spool, name):
 * Open the existing folder ${name} of the spool to read in it, without locks and without its URL.
 * False with errno, if it cannot be opened.
 */
bool queue_folder_look(struct queue_folder *folder, const char *spool, const char *name);

/* queue_folder_read_url(folder): the URL in its file, which the caller frees; NULL without one. */
char *queue_folder_read_url(const struct queue_folder *folder);

/*
 * queue_folder_close(folder):
 * Release memory and locks, also after a failure; it takes a struct of zeros.
 */
void queue_folder_close(struct queue_folder *folder);

/*
 * queue_folder_lock(folder, error) / queue_folder_unlock(folder):
 * Wait for the lock that guards the files and their count.  0, or -1: EX_TEMPFAIL if another
 * process has it for a minute, EX_IOERR.
 */
int queue_folder_lock(struct queue_folder *folder, struct error *error);
void queue_folder_unlock(struct queue_folder *folder);

/*
 * queue_folder_lock_flush(folder, error) / queue_folder_unlock_flush(folder):
 * Take the lock for delivery: 1, 0 if another holder has it, or -1 (EX_IOERR).
 */
int queue_folder_lock_flush(struct queue_folder *folder, struct error *error);
void queue_folder_unlock_flush(struct queue_folder *folder);

/*
 * queue_folder_each(folder, visit, context):
 * Call ${visit} for each file that waits, in no order, until it returns false.  0, or -1 with errno
 * if the folder cannot be read.
 */
int queue_folder_each(const struct queue_folder *folder,
	bool (*visit)(void *context, const char *name, uint64_t number, uint64_t events),
	void *context);

/* queue_folder_is_empty(folder): is nothing waiting, as far as can be seen now? */
bool queue_folder_is_empty(const struct queue_folder *folder);

/*
 * queue_folder_list(folder, names, error):
 * Store the names of the files that wait.  0, or -1 with none: EX_IOERR, EX_OSERR.  The caller
 * frees them with queue_folder_free_names(), which takes a struct of zeros.
 */
int queue_folder_list(
	const struct queue_folder *folder, struct queue_names *names, struct error *error);
void queue_folder_free_names(struct queue_names *names);

/*
 * queue_folder_fail(folder, status, doing, error):
 * Put into ${error} what failed (${doing}: a verb and its object), where, and errno.  Return -1.
 */
int queue_folder_fail(
	const struct queue_folder *folder, int status, const char *doing, struct error *error);

#endif
