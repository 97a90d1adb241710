/* SPDX-License-Identifier: MIT */
/* A whole file as the data of one event. */
#ifndef WHOLE_H
#define WHOLE_H

#include <stdint.h>

#include "buf.h"
#include "error.h"

/*
 * whole_file(path, until, out, error):
 * Append a whole file ("-" is the standard input) without one line end at its end, which belongs to
 * the file and not to the data.  EX_NOINPUT; EX_DATAERR if it is larger than an event may be.
 */
int whole_file(const char *path, int64_t until, struct buf *out, struct error *error);

#endif
