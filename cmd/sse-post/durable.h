/* SPDX-License-Identifier: MIT */
/*
 * Files that are in a folder as a whole or not at all, whatever ends the process or the machine.
 *
 * A file is written under the name DURABLE_NEW, synced, and renamed, and then the folder is synced.
 * So one process at a time may write in a folder: the caller has a lock for that.  A file that a
 * kill left under that name is replaced by the next one.  Folders are descriptors that are open.
 */
#ifndef DURABLE_H
#define DURABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

#define DURABLE_NEW "new"

/*
 * durable_write_new(folder, mode, data, len):
 * Write and sync the file DURABLE_NEW, with exactly the permissions ${mode}.  False with errno, and
 * then the file is not there.
 */
bool durable_write_new(int folder, unsigned mode, const char *data, size_t len);

/*
 * durable_put(folder, name, mode, data, len):
 * Write a file, and put it in the place of the one that has this name, if there is one.  False with
 * errno; the file is not there then, unless only the sync of the folder failed.
 */
bool durable_put(int folder, const char *name, unsigned mode, const char *data, size_t len);

/*
 * durable_move(from, name, to, there):
 * Move the file ${name} of one folder to the name ${there} of another (or the same), which nothing
 * must have: false with EEXIST if something does, else with errno.  No folder is synced.
 */
bool durable_move(int from, const char *name, int to, const char *there);

/*
 * durable_read(folder, name, out):
 * Append a whole file to ${out}.  Return 0, or -1 with errno: ELOOP or ENXIO if the name is not that
 * of a regular file, EFBIG if the file does not fit into the cap of ${out}, which then has as much as
 * does fit.
 */
int durable_read(int folder, const char *name, struct buf *out);

/*
 * durable_folder(path, parent, mode):
 * Make a folder in ${parent}, with exactly the permissions ${mode}, unless it is there.  False with
 * errno.
 */
bool durable_folder(const char *path, const char *parent, unsigned mode);

#endif
