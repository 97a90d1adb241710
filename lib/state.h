/* SPDX-License-Identifier: MIT */
/*
 * A state file: the id of the last event that was dealt with, so that another run goes on there.
 *
 * The file holds the id and a line feed, nothing else; if it is not there, or empty, there is no
 * id.  Each save is a new file that is renamed into its place, so a reader never sees half of one
 * and a kill at any instant leaves the old id or the new one.  It is synced to the disk at most
 * once a second: a loss of power takes at most the saves since then.  Mode and owner stay what they
 * were.  One process writes it, which has it locked (flock); any number may read it.  One thread.
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
	char *path; /* where the file is, symbolic links followed; NULL if it is not open */
	char *next; /* the new file, beside it */
	int fd;	    /* the file as it is, locked */
	bool unsynced;
	int64_t synced; /* when it was; a moment of the caller's clock */
};

/*
 * state_load(path, id, error):
 * Put the id into ${id}, which is emptied before; it stays empty if the file is not there or is
 * empty.  EX_NOINPUT if it cannot be read or is not a regular file, EX_DATAERR if what it holds is
 * no id (more than one line, NUL, not UTF-8, too long).
 */
int state_load(const char *path, struct buf *id, struct error *error);

/*
 * state_open(state, path, error):
 * Make ready to save to ${path}, which is made, empty, if it is not there: EX_CANTCREAT if it
 * cannot be saved to, EX_TEMPFAIL if another process keeps it.  The caller closes it with
 * state_close(), also after a failure.
 */
int state_open(struct state *state, const char *path, struct error *error);

/*
 * state_save(state, id, len, now, error):
 * Replace what the file holds.  ${now} is a moment of a clock in milliseconds that never goes
 * back.  EX_IOERR if it cannot be written, EX_DATAERR if ${id} holds NUL, CR or LF or is too long;
 * then the file is as it was.
 */
int state_save(struct state *state, const char *id, size_t len, int64_t now, struct error *error);

/* state_due(state): the moment by which state_sync() is to be called; INT64_MAX for never. */
int64_t state_due(const struct state *state);

/* state_sync(state, now, error): put on the disk what was saved, if it is not there; EX_IOERR. */
int state_sync(struct state *state, int64_t now, struct error *error);

/* state_close(state): release the struct, which may be all zero; state_sync() comes before. */
void state_close(struct state *state);

#endif
