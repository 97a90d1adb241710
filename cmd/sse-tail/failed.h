/* SPDX-License-Identifier: MIT */
/*
 * The file of events that could not be delivered (--failed): a line of JSON each, which `sse-post -E`
 * reads, with the key that the deliveries had and the reason.  Any number of processes may append.
 */
#ifndef FAILED_H
#define FAILED_H

#include "error.h"
#include "sse.h"

/*
 * failed_check(path, error):
 * Make the file, readable for its owner only, unless it exists.  Return 0, or -1: EX_CANTCREAT.
 */
int failed_check(const char *path, struct error *error);

/*
 * failed_append(path, event, origin, key, reason, error):
 * Append the event, and sync the file and its name.  The file is opened for each event, so that it
 * may be moved away at any time.  Return 0, or -1: EX_IOERR if that fails, and the file has no
 * part of a line; EX_OSERR without memory.
 */
int failed_append(const char *path, const struct sse_event *event, const char *origin,
	const char *key, const struct error *reason, struct error *error);

#endif
