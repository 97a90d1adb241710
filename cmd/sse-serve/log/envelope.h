/* SPDX-License-Identifier: MIT */
/*
 * An event in its envelope, as JSON: {"topic","id","time","event","subject","data"}; an ephemeral
 * event has no id, and most events have no subject.
 */
#ifndef ENVELOPE_H
#define ENVELOPE_H

#include <stdbool.h>

#include "buf.h"
#include "event.h"

/*
 * envelope_add(out, event, id):
 * Append the event in its envelope: JSON data nested as it was sent, text as a string; no id if
 * ${id} is NULL.  False if ${out} is full.
 */
bool envelope_add(struct buf *out, const struct event *event, const char *id);

/* envelope_data(out, event): the data alone, text as a JSON string. */
bool envelope_data(struct buf *out, const struct event *event);

/* envelope_write_line(envelope, out): write it as one line, a byte longer, to ${out}. */
void envelope_write_line(struct sse_text envelope, char *out);

/* envelope_one_line(out, start): line ends from ${start} on become spaces: JSON has them only
 * between tokens. */
void envelope_one_line(struct buf *out, size_t start);

#endif
