/* SPDX-License-Identifier: MIT */
/*
 * Makes events from records of the input (a line, a whole file, an event of a stream): how the data
 * is sent, its type and its key.  No I/O.
 */
#ifndef EVENT_BUILDER_H
#define EVENT_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "event/group.h"
#include "event/key.h"
#include "options.h"
#include "sse.h"

struct builder {
	const struct options *options;
	struct key_builder keys;
	struct buf text;	   /* decoded strings */
	struct buf wrapped;	   /* an envelope in the data of another */
	struct sse_event left_out; /* the last event that was not for the target */
};

/* event_builder_init(builder, options) / event_builder_free(builder). */
void event_builder_init(struct builder *builder, const struct options *options);
void event_builder_free(struct builder *builder);

/*
 * event_builder_data(builder, data, len, line, group, error):
 * Add an event with this data to ${group}, as --as says.  ${line} is 0 if it is the only event.
 * EX_DATAERR if it is not UTF-8, not JSON where JSON is required, or has no key; then nothing is
 * added.
 */
int event_builder_data(struct builder *builder, const char *data, size_t len, uint64_t line,
	struct group *group, struct error *error);

/*
 * event_builder_envelope(builder, data, len, line, group, error):
 * Add the event of an envelope, a JSON object with the members data (required; a string is the
 * text, anything else JSON), event, subject, key and id; time and origin are ignored, and topic unless the
 * events are for many topics.  EX_DATAERR.
 *
 * For many topics it is required.  If there is none, but the data is itself an envelope with a
 * topic, as in sse-tail's output of a stream of envelopes, it is the envelope of the event.  Return
 * 1 if that shows an event that is not stored (ephemeral, or one of the server's own): it is in
 * builder->left_out, as long as ${data} is valid and until the next call.
 */
int event_builder_envelope(struct builder *builder, const char *data, size_t len, uint64_t line,
	struct group *group, struct error *error);

/*
 * event_builder_is_servers_own(type): is it a type that sse-serve sends itself, and accepts from no
 * client?
 */
bool event_builder_is_servers_own(struct sse_text type);

/*
 * event_builder_closing(builder, line, group, error):
 * Add the event that closes the topic; ${line} comes after that of all others.
 */
int event_builder_closing(
	struct builder *builder, uint64_t line, struct group *group, struct error *error);

/*
 * event_builder_stream(builder, event, line, group, error): add an event of an event stream.
 * EX_DATAERR.
 */
int event_builder_stream(struct builder *builder, const struct sse_event *event, uint64_t line,
	struct group *group, struct error *error);

/* event_builder_form(fields, count, out, error): NAME=TEXT operands as a form: a=b&c=d, encoded. */
int event_builder_form(char *const *fields, size_t count, struct buf *out, struct error *error);

#endif
