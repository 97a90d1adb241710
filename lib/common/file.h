/* SPDX-License-Identifier: MIT */
/* Durable files, for modules that keep data on the disk. */
#ifndef FILE_H
#define FILE_H

#include <stdbool.h>
#include <stddef.h>

/* file_write(fd, data, len): write all of it, despite signals.  False with errno. */
bool file_write(int fd, const char *data, size_t len);

/*
 * file_sync_folder(fd):
 * Make the names in an open folder durable.  On a file system that cannot do it, it counts as done.
 * False with errno.
 */
bool file_sync_folder(int fd);

/* file_sync_name(path): the same for the folder of the file ${path}. */
bool file_sync_name(const char *path);

/*
 * file_move(from, name, to, there):
 * Move the file ${name} of one folder to the name ${there} of another (or the same), which must be
 * free: false with EEXIST if it exists, else with errno.  No folder is synced.
 */
bool file_move(int from, const char *name, int to, const char *there);

#endif
