/* SPDX-License-Identifier: MIT */
/*
 * Reads a stream of JSON lines (NDJSON; also RFC 7464, whose texts each take one line): each line
 * is an event of the type "message" without an id, and its data is the line as it came.  A line that
 * is not JSON is text, and an event too, so that no byte is lost.  A blank line is a heartbeat.
 *
 * Pure, and resumable at any byte, like the parser of event streams in sse.h.
 */
#ifndef LINES_H
#define LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "split.h"
#include "sse.h"

/* How a stream ends, seen from its last line. */
enum lines_end {
	LINES_WHOLE, /* the line ended, or nothing came of it */
	LINES_SHOWN, /* it had no end, and was handed over all the same */
	LINES_CUT,   /* it had no end, and is dropped */
};

/* Only lines.c reads the fields. */
struct lines {
	const struct sse_callbacks *callbacks;
	void *context;
	size_t cap;
	struct split split;
	struct buf repaired;	/* a line that was not UTF-8 */
	enum sse_result failed; /* SSE_OK, or what every feed returns from now on */
};

/*
 * lines_init(lines, callbacks, context, cap) / lines_free(lines):
 * At the start of a stream; no line may be longer than ${cap} bytes without its end, also after
 * U+FFFD has replaced what is not UTF-8.  A blank line is handed over as an empty comment; there is
 * no retry.  The caller keeps ${callbacks}.
 */
void lines_init(
	struct lines *lines, const struct sse_callbacks *callbacks, void *context, size_t cap);
void lines_free(struct lines *lines);

/*
 * lines_feed(lines, data, len, id, used):
 * Take the next ${len} bytes, as sse_parser_feed() does.  ${id} is the last id, which each event
 * carries as its own would: the id of an event that had one, or what the user began with.
 */
enum sse_result lines_feed(
	struct lines *lines, const char *data, size_t len, struct sse_text id, size_t *used);

/*
 * lines_end(lines, whole, flush, id, result):
 * The stream ended; prepare for the first byte of the next.  A last line without an end is handed
 * over with ${flush}, or if the server ended the stream in good order (${whole}) and the line is
 * complete JSON other than a number, of which digits may be missing.  Else it is dropped.
 * *${result} is as that of lines_feed().
 */
enum lines_end lines_end(
	struct lines *lines, bool whole, bool flush, struct sse_text id, enum sse_result *result);

#endif
