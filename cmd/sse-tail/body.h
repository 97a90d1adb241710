/* SPDX-License-Identifier: MIT */
/* The body of the request, of --data or --json. */
#ifndef BODY_H
#define BODY_H

#include "buf.h"
#include "error.h"
#include "options.h"

/* The most that a body may hold. */
#define BODY_MAX ((size_t)64 << 20)

/*
 * body_load(options, until, body, type, error):
 * Put the body into ${body}, and its Content-Type into *${type}; NULL without a body.  EX_NOINPUT
 * if its file cannot be read, EX_TEMPFAIL if that takes longer than until the moment ${until} of
 * clock_now_ms(), 128+n on a signal, EX_DATAERR if --json is not JSON.
 */
int body_load(const struct options *options, int64_t until, struct buf *body, const char **type,
	struct error *error);

#endif
