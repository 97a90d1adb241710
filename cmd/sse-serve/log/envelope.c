/* SPDX-License-Identifier: MIT */
/* Envelopes; see envelope.h. */
#include "envelope.h"
#include "json.h"
#include "timestamp.h"
#include "topic.h"

bool envelope_data(struct buf *out, const struct event *event)
{
	return event->json ? buf_add(out, event->data.data, event->data.len)
			   : json_quote(event->data.data, event->data.len, out);
}

bool envelope_add(struct buf *out, const struct event *event, const char *id)
{
	char time[TIMESTAMP_TEXT];

	return buf_addf(out, "{\"topic\":\"%s\"", event->topic->name) &&
	       (id == NULL || buf_addf(out, ",\"id\":\"%s\"", id)) &&
	       (event->time == EVENT_NO_TIME ||
		       buf_addf(out, ",\"time\":\"%s\"", timestamp_format(event->time, time))) &&
	       buf_add_text(out, ",\"event\":") &&
	       json_quote(event->type.data, event->type.len, out) &&
	       (event->subject.len == 0 ||
		       (buf_add_text(out, ",\"subject\":") &&
			       json_quote(event->subject.data, event->subject.len, out))) &&
	       buf_add_text(out, ",\"data\":") && envelope_data(out, event) &&
	       buf_add_byte(out, '}');
}

void envelope_write_line(struct sse_text envelope, char *out)
{
	for (size_t i = 0; i < envelope.len; i++)
		out[i] = envelope.data[i] == '\n' ? ' ' : envelope.data[i];
	out[envelope.len] = '\n';
}

void envelope_one_line(struct buf *out, size_t start)
{
	for (size_t i = start; i < out->len; i++)
		out->data[i] = out->data[i] == '\n' ? ' ' : out->data[i];
}
