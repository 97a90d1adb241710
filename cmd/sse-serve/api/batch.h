/* SPDX-License-Identifier: MIT */
/*
 * Many events in one body: NDJSON, one event a line.  Pure: text in, events out, no HTTP.
 *
 * A line ends with LF or CRLF, the last one also with the body; lines of white space are skipped.
 * A plain line is the data of an event, as JSON.  With envelopes each line is an object with the
 * members
 *   data          required: a string is the text of the event, anything else is JSON data
 *   event, key    strings, optional: the event's type and its idempotency key
 *   topic         if it is there, the one that is published to
 *   id, time, origin   ignored; so what a list with envelopes, or sse-tail, printed can be sent
 * and no others, none twice.
 */
#ifndef BATCH_H
#define BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "error.h"
#include "log/store.h"
#include "sse.h"

/* The most events in one batch: a transaction that the others wait for must stay short. */
#define BATCH_EVENTS_MAX 16384

/* How to read a body.  What it points to outlives the batch. */
struct batch_rules {
	const char *topic;    /* what it requires (shape.h) is applied to each line */
	struct sse_text type; /* of lines that name none */
	struct sse_text key;  /* line N without a key of its own has the key "KEY:N"; len 0: none */
	bool envelope;
};

struct batch {
	struct store_append *appends;
	uint32_t *lines; /* the number of each one's line, from 1 */
	size_t count;
	struct buf text; /* what is not in the body as it is: decoded strings, keys, shaped data */
};

enum batch_result {
	BATCH_OK,
	BATCH_WRONG,	/* a line is wrong, or there is no event: the sentence says which and why */
	BATCH_TOO_MANY, /* more than BATCH_EVENTS_MAX events */
	BATCH_NO_MEMORY,
};

/*
 * batch_read(batch, body, len, rules, error):
 * Fill ${batch}, all zero before, with the events of ${body}, which it may change (line ends) and
 * points into.  ${error} gets a sentence for all results but BATCH_OK.  To be released with
 * batch_free() whatever the result.
 *
 * The fingerprint of an event covers its type, kind and data; under a key that was made of
 * rules->key also the whole body, so that the key of a batch is good for that batch alone.
 */
enum batch_result batch_read(struct batch *batch, char *body, size_t len,
	const struct batch_rules *rules, struct error *error);

/* batch_bytes(batch): about what it holds in memory, without the body. */
size_t batch_bytes(const struct batch *batch);

/* batch_free(batch): it is all zero after. */
void batch_free(struct batch *batch);

#endif
