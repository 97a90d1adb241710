/* SPDX-License-Identifier: MIT */
/*
 * Files that are complete in their folder or absent, even after a kill or a loss of power.
 *
 * A file is written under the name DURABLE_NEW, synced, and renamed, and then the folder is synced.
 * So only one process at a time may write in a folder; the caller holds a lock for that.  The next
 * write replaces a file that a kill left under that name.  Folders are open descriptors.
 */
#ifndef DURABLE_H
#define DURABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

#define DURABLE_NEW "new"

/*
 * durable_write_new(folder, mode, data, len):
 * Write and sync the file DURABLE_NEW, with exactly the permissions ${mode}.  False with errno;
 * then the file does not exist.
 */
bool durable_write_new(int folder, unsigned mode, const char *data, size_t len);

/*
 * durable_put(folder, name, mode, data, len):
 * Write a file, replacing any file of this name.  False with errno; then the file was not put
 * there, unless only the sync of the folder failed.
 */
bool durable_put(int folder, const char *name, unsigned mode, const char *data, size_t len);

/*
 * durable_read(folder, name, out):
 * Append a whole file to ${out}.  Return 0, or -1 with errno: ELOOP or ENXIO if the name is not
 * that of a regular file, EFBIG if the file exceeds the cap of ${out}, which then holds as much as
 * fits.
 */
int durable_read(int folder, const char *name, struct buf *out);

/*
 * durable_folder(path, parent, mode):
 * Make a folder in ${parent}, with exactly the permissions ${mode}, unless it exists.  False with
 * errno.
 */
bool durable_folder(const char *path, const char *parent, unsigned mode);

#endif
