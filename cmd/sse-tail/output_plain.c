/* SPDX-License-Identifier: MIT */
/* The formats for programs: one line of JSON an event, the data alone, and an event stream. */
#include <string.h>

#include "json.h"
#include "output.h"

/* --- json ------------------------------------------------------------------------------------ */

/* Inlined, so that the length of ${before} is known when it is compiled. */
static inline __attribute__((always_inline)) bool add_member(
	struct buf *out, const char *before, struct sse_text text)
{
	return buf_add_text(out, before) && json_quote(text.data, text.len, out);
}

/*
 * The data is a string, so that a reader need not guess what a sender meant.  With --nest it is
 * the JSON that it is, but for a string: a string is always the data as text.
 */
static bool add_data(struct buf *out, struct sse_text data, bool nest)
{
	struct json_error not_json;
	struct json_text value;

	if (!nest || !json_check(data.data, data.len, &value, &not_json) ||
		json_kind(value) == JSON_STRING)
		return add_member(out, ",\"data\":", data);
	return buf_add_text(out, ",\"data\":") && json_compact(value, out);
}

/* A point in time is a string, seconds are a number. */
static bool add_stamp(struct output *output, struct buf *out)
{
	enum output_stamp stamp = (enum output_stamp)output->options->stamp;
	const char *quote = stamp == STAMP_ISO ? "\"" : "";

	if (stamp == STAMP_NONE)
		return true;
	return buf_addf(out, ",\"time\":%s", quote) && output_time(output, stamp, out) &&
	       buf_add_text(out, quote);
}

static bool add_text(const char *before, struct sse_text text, struct buf *out)
{
	return text.len == 0 || add_member(out, before, text);
}

/* What the event's envelope says, where events are of several topics. */
static bool add_place(const struct output *output, struct buf *out)
{
	return !output->options->topics ||
	       (add_text(",\"topic\":", output->envelope->topic, out) &&
		       add_text(",\"subject\":", output->envelope->subject, out));
}

/* The line is in the scratch: in a terminal its strings show controls as JSON writes them. */
static bool end_line(struct output *output, struct buf *line)
{
	return buf_add_byte(line, '}') &&
	       output_text(output, (struct sse_text){line->data, line->len}) &&
	       output_terminator(output);
}

bool output_json_members(
	const struct sse_event *event, const char *origin, bool nest, struct buf *out)
{
	return add_member(out, "{\"event\":", event->type) && add_data(out, event->data, nest) &&
	       add_member(out, ",\"id\":", event->id) &&
	       add_member(out, ",\"origin\":", (struct sse_text){origin, strlen(origin)});
}

bool output_json(struct output *output, const struct sse_event *event, const char *origin)
{
	/* Most go straight into what is written. */
	struct buf *out = output->terminal ? &output->scratch : &output->bytes;

	output->scratch.len = 0;
	return output_json_members(event, origin, output->options->nest, out) &&
	       add_place(output, out) && add_stamp(output, out) &&
	       (output->terminal ? end_line(output, out)
				 : buf_add_byte(out, '}') && output_terminator(output));
}

bool output_json_comment(struct output *output, struct sse_text text)
{
	struct buf *line = &output->scratch;

	line->len = 0;
	return add_member(line, "{\"comment\":", text) && add_stamp(output, line) &&
	       end_line(output, line);
}

/* --- data ------------------------------------------------------------------------------------ */

bool output_data(struct output *output, const struct sse_event *event, const char *origin)
{
	enum output_stamp stamp = (enum output_stamp)output->options->stamp;

	(void)origin;
	return (stamp == STAMP_NONE || (output_time(output, stamp, &output->bytes) &&
					       buf_add_byte(&output->bytes, ' '))) &&
	       output_text(output, event->data) && output_terminator(output);
}

/* --- sse ------------------------------------------------------------------------------------- */

bool output_sse(struct output *output, const struct sse_event *event, const char *origin)
{
	static const char message[] = "message";
	struct buf *out = output->terminal ? &output->scratch : &output->bytes;
	struct sse_frame frame = {
		.data = {event->data.len > 0 ? event->data.data : "", event->data.len}};
	char *space;
	size_t size;

	(void)origin;
	output->scratch.len = 0;
	if (event->type.len != strlen(message) ||
		memcmp(event->type.data, message, strlen(message)) != 0)
		frame.type = event->type;
	/* The encoder refuses a NUL, which a type may have (section 9.2.5). */
	if (frame.type.data != NULL && memchr(frame.type.data, '\0', frame.type.len) != NULL) {
		if (!buf_add_text(out, "event: ") ||
			!buf_add(out, frame.type.data, frame.type.len) || !buf_add_byte(out, '\n'))
			return false;
		frame.type = (struct sse_text){0};
	}
	/* It is left out where a reader of the output has it already. */
	if (!buf_is(&output->last_id, event->id.data, event->id.len)) {
		output->last_id.len = 0;
		if (!buf_add(&output->last_id, event->id.data, event->id.len))
			return false;
		frame.id =
			(struct sse_text){event->id.len > 0 ? event->id.data : "", event->id.len};
	}
	size = sse_frame_size(&frame);
	space = buf_reserve(out, size);
	if (space == NULL)
		return false;
	sse_frame_write(&frame, space);
	out->len += size;
	return !output->terminal || output_text(output, (struct sse_text){out->data, out->len});
}

/* A block with nothing but an id, which a reader stores and does not show (section 9.2.6). */
bool output_sse_position(struct output *output, struct sse_text id)
{
	if (buf_is(&output->last_id, id.data, id.len))
		return true;
	output->last_id.len = 0;
	return buf_add(&output->last_id, id.data, id.len) && buf_add_text(&output->bytes, "id: ") &&
	       output_text(output, id) && buf_add_text(&output->bytes, "\n\n");
}

bool output_sse_comment(struct output *output, struct sse_text text)
{
	return buf_add_byte(&output->bytes, ':') && output_text(output, text) &&
	       buf_add_text(&output->bytes, "\n\n");
}
