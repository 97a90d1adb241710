/* SPDX-License-Identifier: MIT */
/* Files that say who may do what: only their owner may be able to write them. */
#ifndef PRIVATE_FILE_H
#define PRIVATE_FILE_H

#include <stdbool.h>

#include "buf.h"
#include "error.h"

/* The most bytes that such a file may have. */
#define PRIVATE_FILE_MAX ((size_t)1 << 20)

/*
 * private_file_read(path, out, readable_by_others, error):
 * Read the whole file into ${out}, which need not be initialised, and which the caller frees with
 * private_file_wipe().  Store in ${readable_by_others} whether other users can read it: all of
 * them, or the group of a file that root does not own.  (Root gives a file to a group so that a
 * server that is not root can read it.)
 *
 * Return 0, or -1 with nothing in ${out}: EX_NOINPUT if the file cannot be read, is not a regular
 * file, belongs to neither root nor this user, can be written by its group or by others, or is
 * larger than PRIVATE_FILE_MAX; EX_OSERR without memory.  All checks are of the file that was
 * opened, so that nobody can put another one in its place.
 */
int private_file_read(
	const char *path, struct buf *out, bool *readable_by_others, struct error *error);

/*
 * private_file_warn(option, path, readable_by_others): log a warning if other users can read the
 * file that this option names.
 */
void private_file_warn(const char *option, const char *path, bool readable_by_others);

/* private_file_wipe(content): overwrite the content, and free it.  Takes an empty buffer. */
void private_file_wipe(struct buf *content);

#endif
