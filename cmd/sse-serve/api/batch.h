/* SPDX-License-Identifier: MIT */
/*
 * Many events in one body: NDJSON, one event a line.  Pure: text in, events out, no HTTP.
 *
 * A line ends with LF or CRLF, the last one also with the body; lines of white space are skipped.
 * A plain line is the data of an event, as JSON.  With envelopes each line is an object with the
 * members
 *   data          required: a string is the text of the event, anything else is JSON data
 *   event, key    strings, optional: the event's type and its idempotency key; the type closed
 *                 closes the topic (log/closing.h), and its data is {}
 *   subject       a string, optional: what the event gives the present value of; with the data "",
 *                 it has none any more
 *   topic         the topic to publish to: required if the rules name none, and each line may name
 *                 another; otherwise optional, and the same
 *   id, time, origin   ignored, so the output of sse-tail, or a list with envelopes, can be sent
 * and no others, each at most once.
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

/*
 * The most events in one batch: other publishers wait for its transaction, which must stay short.
 */
#define BATCH_EVENTS_MAX 16384

/* How to read a body.  The strings that it points to outlive the batch. */
struct batch_rules {
	const char *topic;	 /* NULL: each line names its own, and there are envelopes */
	struct sse_text type;	 /* the type of lines that do not name one */
	struct sse_text subject; /* the subject of lines that do not name one; len 0: none */
	struct sse_text key; /* line N without a key of its own has the key "KEY:N"; len 0: none */
	bool envelope;
	bool close; /* after all lines comes the event that closes rules->topic */
};

struct batch {
	struct store_append *appends;
	uint32_t *lines; /* the number of each one's line, from 1 */
	size_t count;
	struct buf
		text; /* what differs from the body: decoded strings, topics, keys, data made by a
			 schema */
};

enum batch_result {
	BATCH_OK,
	BATCH_WRONG,	/* a line is wrong, or there is no event: the sentence says which and why */
	BATCH_TOO_MANY, /* more than BATCH_EVENTS_MAX events */
	BATCH_NO_MEMORY,
};

/*
 * batch_read(batch, body, len, rules, error):
 * Fill ${batch}, which is all zero, with the events of ${body}.  What the topic of each requires
 * (schema.h) applies.  The batch points into ${body}, and may change it (line ends).  ${error} gets a
 * sentence for each result but BATCH_OK.  The caller calls batch_free() after any result.
 *
 * The fingerprint of an event covers its type, kind, data and subject; under a key that was made from
 * rules->key, it covers the whole body too, so a batch's key is valid for that batch only.
 */
enum batch_result batch_read(struct batch *batch, char *body, size_t len,
	const struct batch_rules *rules, struct error *error);

/* batch_bytes(batch): about how many bytes of memory it holds, without the body. */
size_t batch_bytes(const struct batch *batch);

/* batch_free(batch): free its memory and set it to all zero. */
void batch_free(struct batch *batch);

#endif
