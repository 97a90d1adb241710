/* SPDX-License-Identifier: MIT */
/* What the server itself says in a stream, in the stream's form. */
#ifndef WORDS_H
#define WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "log/form.h"

/*
 * words_event(form, type, id, data, out):
 * Append an event of the type ${type}, with one line of JSON as data; ${id} is NULL for
 * none.  False if ${out} is full.
 */
bool words_event(
	enum form form, const char *type, const char *id, const char *data, struct buf *out);

/*
 * words_gap(form, id, after, oldest, reason, out):
 * Append a gap: events after ${after}, an id of any server, are missing, and the stream goes on
 * from ${id}; ${oldest} is the first event that is left, or NULL.  False if ${out} is full.
 */
bool words_gap(enum form form, const char *id, const char *after, const char *oldest,
	const char *reason, struct buf *out);

/* words_start(form, id, out): append where the stream starts, which is no event. */
bool words_start(enum form form, const char *id, struct buf *out);

/*
 * words_retry(form, ms, out):
 * Append when the client should reconnect.  JSON lines cannot say it, so nothing is appended to
 * them.  False if ${out} is full.
 */
bool words_retry(enum form form, uint32_t ms, struct buf *out);

/* words_heartbeat(form): what is sent into a silent stream; ended by a NUL. */
const char *words_heartbeat(enum form form);

#endif
