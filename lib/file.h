/* SPDX-License-Identifier: MIT */
/* What makes a file durable, for those who keep something on the disk. */
#ifndef FILE_H
#define FILE_H

#include <stdbool.h>
#include <stddef.h>

/* file_write(fd, data, len): write all of it, also over signals.  False with errno. */
bool file_write(int fd, const char *data, size_t len);

/*
 * file_sync_folder(fd):
 * Make the names in an open folder durable.  A file system that cannot counts as having done it.
 * False with errno.
 */
bool file_sync_folder(int fd);

#endif
