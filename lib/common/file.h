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

#endif
