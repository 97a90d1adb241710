/* SPDX-License-Identifier: MIT */
/*
 * Makes events from records of the input (a line, a whole file, an event of a stream): how the data
 * is sent, its type and its key.  No I/O.
 */
#ifndef MAKER_H
#define MAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "event.h"
#include "key.h"
#include "options.h"
#include "sse.h"

struct maker {
	const struct options *options;
	struct key_maker keys;
	struct buf text; /* a decoded string */
};

/* maker_init(maker, options) / maker_free(maker). */
void maker_init(struct maker *maker, const struct options *options);
void maker_free(struct maker *maker);

/*
 * maker_data(maker, data, len, line, group, error):
 * Add an event with this data to ${group}, as --as says.  ${line} is 0 if it is the only event.
 * EX_DATAERR if it is not UTF-8, not JSON where JSON is required, or has no key; then nothing is
 * added.
 */
int maker_data(struct maker *maker, const char *data, size_t len, uint64_t line,
	struct group *group, struct error *error);

/*
 * maker_envelope(maker, data, len, line, group, error):
 * Add the event of an envelope, a JSON object with the members data (required; a string is the
 * text, anything else JSON), event, key and id; topic, time and origin are ignored.  EX_DATAERR.
 */
int maker_envelope(struct maker *maker, const char *data, size_t len, uint64_t line,
	struct group *group, struct error *error);

/* maker_stream(maker, event, line, group, error): add an event of an event stream.  EX_DATAERR. */
int maker_stream(struct maker *maker, const struct sse_event *event, uint64_t line,
	struct group *group, struct error *error);

/* maker_form(fields, count, out, error): NAME=TEXT operands as a form: a=b&c=d, encoded. */
int maker_form(char *const *fields, size_t count, struct buf *out, struct error *error);

#endif
