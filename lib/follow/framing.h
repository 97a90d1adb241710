/* SPDX-License-Identifier: MIT */
/*
 * How the bytes of a stream become events: an event stream (WHATWG HTML, section 9.2) or JSON lines.
 * Each is one row of a table in framing.c.  The answer's Content-Type chooses the row, for each
 * connection anew; the last id outlives them all.
 */
#ifndef FRAMING_H
#define FRAMING_H

#include <stdbool.h>
#include <stddef.h>

#include "client_answer.h"
#include "lines.h"
#include "sse.h"

struct framing;

struct framing_kind {
	const char *const *types; /* Content-Types; NULL ends the list */
	const char *unit;	  /* what becomes an event: "an event" */
	bool has_ids;		  /* a server can go on after one */
	enum sse_result (*feed)(
		struct framing *framing, const char *data, size_t len, size_t *used);
	enum lines_end (*end)(
		struct framing *framing, bool whole, bool flush, enum sse_result *result);
};

/* Read ${kind}; the rest is for framing.c. */
struct framing {
	const struct framing_kind *kind; /* of this stream, or of the last one */
	struct sse_callbacks callbacks;
	struct sse_parser *parser; /* it has the last id, whatever the kind */
	struct lines lines;
};

/*
 * framing_open(framing, callbacks, context, last_id):
 * Prepare for a first stream; ${last_id} may be NULL.  False without memory.  The caller frees with
 * framing_free(), also after a failure; it takes a struct that is all zero.  The struct stays at its
 * place.
 */
bool framing_open(struct framing *framing, const struct sse_callbacks *callbacks, void *context,
	const char *last_id);
void framing_free(struct framing *framing);

/* framing_accept(lines): the Accept header of the request; see framing_begin(). */
const char *framing_accept(bool lines);

/*
 * framing_begin(framing, answer, lines):
 * The head of an answer came: is it a stream that can be read?  With ${lines}, its lines are JSON
 * lines whatever the Content-Type.
 */
bool framing_begin(struct framing *framing, const struct client_answer *answer, bool lines);

/* framing_feed(framing, data, len, used): as sse_parser_feed(). */
enum sse_result framing_feed(struct framing *framing, const char *data, size_t len, size_t *used);

/*
 * framing_end(framing, whole, flush, result):
 * The stream ended, in good order if ${whole}; drop what of an event came, or with ${flush} hand it
 * over; its id does not become the last id.  See lines_end() for lines.  *${result} is as that of
 * framing_feed().
 */
enum lines_end framing_end(
	struct framing *framing, bool whole, bool flush, enum sse_result *result);

/* framing_last_id(framing): what the next request sends as Last-Event-ID; until the next call. */
struct sse_text framing_last_id(const struct framing *framing);

#endif
