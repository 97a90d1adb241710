/* SPDX-License-Identifier: MIT */
/* Reads from files and pipes, which a signal or a moment ends. */
#ifndef SLURP_H
#define SLURP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "error.h"

/* The name of descriptor 0 in messages. */
#define SLURP_STDIN "the standard input"

/*
 * slurp_some(fd, name, waits, until, out, error):
 * Read once into ${out}, which has a cap; if ${waits}, the descriptor may have nothing to read yet:
 * wait for it until ${until}.  Return 1, 0 at the end, or -1: EX_NOINPUT, EX_TEMPFAIL when time is
 * up, 128+n on a signal.  ${out} must not be full.
 */
int slurp_some(
	int fd, const char *name, bool waits, int64_t until, struct buf *out, struct error *error);

/*
 * slurp_open(path, error):
 * Open a file to be read, without waiting: the first read of a FIFO waits for its first writer.
 * Return the descriptor, or -1: EX_NOINPUT, EX_USAGE if the path is empty.
 */
int slurp_open(const char *path, struct error *error);

/*
 * slurp_all(fd, name, until, out, error):
 * Append all input, up to the cap of ${out}.  Return 0 at the end, 1 if there was no more room, or
 * -1 as slurp_some() does.
 */
int slurp_all(int fd, const char *name, int64_t until, struct buf *out, struct error *error);

#endif
