/* SPDX-License-Identifier: MIT */
/* A whole file as the data of one event. */
#ifndef DATA_FILE_H
#define DATA_FILE_H

#include <stdint.h>

#include "buf.h"
#include "error.h"

/*
 * data_file_read(path, until, out, error):
 * Append a whole file ("-" is the standard input) without one line end at its end, which belongs to
 * the file and not to the data.  EX_NOINPUT; EX_DATAERR if it is larger than an event may be.
 */
int data_file_read(const char *path, int64_t until, struct buf *out, struct error *error);

#endif
