/* SPDX-License-Identifier: MIT */
/*
 * The body of a request for many events, as sse-serve accepts it (NDJSON envelopes), and its
 * answers.  Pure.
 */
#ifndef BODY_H
#define BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "event/group.h"
#include "json.h"

/* The most events, and about the most bytes, of one request. */
#define BODY_EVENTS_MAX 4096
#define BODY_BYTES_MAX ((size_t)960 << 10)

/*
 * body_batch(group, from, max, bytes, out):
 * Empty ${out}, then write a line {"topic","key","event","subject","data"} for each event from ${from} on:
 * at least one, up to an event that has to be sent alone, or to ${max} events or ${bytes} bytes.
 * Return the number of events; 0 without memory.
 */
size_t body_batch(
	const struct group *group, size_t from, size_t max, size_t bytes, struct buf *out);

/* One line of the answer to a batch. */
struct body_result {
	struct sse_text id; /* as it stands in the answer, never decoded */
	bool duplicate;
};

/*
 * body_result(answer, cursor, result):
 * Walk the lines of an answer: start with *${cursor} = 0; false at the end, or at a line that is
 * not like {"id":"...","duplicate":false}.
 */
bool body_result(const struct buf *answer, size_t *cursor, struct body_result *result);

/* body_results(answer): how many lines it has. */
size_t body_results(const struct buf *answer);

/*
 * body_wrong_line(answer):
 * The number of the line that a problem+json with a detail like "line 3: ..." blames, or 0.
 */
uint64_t body_wrong_line(const struct buf *answer);

#endif
