/* SPDX-License-Identifier: MIT */
/*
 * A state file: the id of the last event that was handled, so that the next run continues after it.
 *
 * The file holds the id and a line feed, nothing else; if the file does not exist or is empty,
 * there is no id.  Each save writes a new file and renames it into place, so a reader never sees
 * half an id, and a kill at any instant leaves the old id or the new one.  The file is synced to
 * the disk at most once a second; a loss of power loses at most the saves since then.  Mode and
 * owner do not change.  One process writes the file, and locks it (flock); any number may read it.
 * One thread.
 */
#ifndef STATE_H
#define STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "error.h"

/* The longest id that is kept. */
#define STATE_ID_MAX ((size_t)64 << 10)

/* Read the fields, do not write them. */
struct state {
	char *path; /* the file's path, symbolic links followed; NULL: not open */
	char *next; /* the new file, beside it */
	int fd;	    /* the file as it is, locked */
	bool unsynced;
	int64_t synced; /* when it was; a moment of the caller's clock */
};

/*
 * state_load(path, id, error):
 * Replace the content of ${id} with the id; ${id} is empty if the file does not exist or is empty.
 * EX_NOINPUT if the file cannot be read or is not a regular file, EX_DATAERR if its content is not
 * a valid id (more than one line, NUL, not UTF-8, too long).
 */
int state_load(const char *path, struct buf *id, struct error *error);

/*
 * state_open(state, path, error):
 * Prepare to save to ${path}, which is created empty if it does not exist: EX_CANTCREAT if it
 * cannot be written, EX_TEMPFAIL if another process has it locked.  The caller closes it with
 * state_close(), also after a failure.
 */
int state_open(struct state *state, const char *path, struct error *error);

/*
 * state_save(state, id, len, now, error):
 * Replace the id in the file.  ${now} is a moment of a monotonic clock, in milliseconds.  EX_IOERR
 * if it cannot be written, EX_DATAERR if ${id} holds NUL, CR or LF or is too long; then the file is
 * unchanged.
 */
int state_save(struct state *state, const char *id, size_t len, int64_t now, struct error *error);

/* state_due(state): the moment by which to call state_sync(); INT64_MAX for never. */
int64_t state_due(const struct state *state);

/* state_sync(state, now, error): sync the last save to the disk, unless done; EX_IOERR. */
int state_sync(struct state *state, int64_t now, struct error *error);

/* state_close(state): release the struct, which may be all zero; call state_sync() first. */
void state_close(struct state *state);

#endif
