/* SPDX-License-Identifier: MIT */
/* Reading from files and pipes without being held up by a signal or beyond a moment. */
#ifndef CLIENT_SLURP_H
#define CLIENT_SLURP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "error.h"

/* What to call descriptor 0 in a sentence. */
#define SLURP_STDIN "the standard input"

/*
 * slurp_some(fd, name, waits, until, out, error):
 * Read once into ${out}, which has a cap; if ${waits}, the descriptor may have nothing to read yet,
 * and is waited for until ${until}.  Return 1, 0 at the end, or -1: EX_NOINPUT, EX_TEMPFAIL when
 * time is up, 128+n on a signal.  ${out} must not be full.
 */
int slurp_some(
	int fd, const char *name, bool waits, int64_t until, struct buf *out, struct error *error);

/*
 * slurp_open(path, error):
 * Open a file to be read, without waiting: of a FIFO the first writer is waited for with the first
 * byte.  Return the descriptor, or -1: EX_NOINPUT, EX_USAGE if the path is empty.
 */
int slurp_open(const char *path, struct error *error);

/*
 * slurp_all(fd, name, until, out, error):
 * Append all that there is to read, as far as ${out} has room by its cap.  Return 0 at the end, 1
 * if there was no more room, or -1 as slurp_some() does.
 */
int slurp_all(int fd, const char *name, int64_t until, struct buf *out, struct error *error);

#endif
