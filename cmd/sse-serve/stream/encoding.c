/* SPDX-License-Identifier: MIT */
/* Events in the forms that are sent; see encoding.h. */
#include <string.h>

#include "encoding.h"
#include "log/envelope.h"

/* The event as JSON, and what goes before it: all forms but the plain one are made of this. */
static bool add_json(enum form form, const struct event *event, const char *id, struct buf *out)
{
	return (!form_is_array(form) || buf_add(out, ENCODING_SEPARATOR, ENCODING_SEPARATOR_LEN)) &&
	       (form_is_bare(form) ? envelope_data(out, event) : envelope_add(out, event, id));
}

bool encoding_make(struct encoding *encoding, enum form form, const struct event *event,
	const char *id, struct buf *scratch)
{
	struct sse_frame *frame = &encoding->frame;

	*encoding = (struct encoding){.form = form,
		.frame = {.type = event->type, .data = event->data, .id = {id, strlen(id)}}};
	scratch->len = 0;
	if (form != FORM_PLAIN) {
		if (!add_json(form, event, id, scratch))
			return false;
		frame->data = (struct sse_text){scratch->data, scratch->len};
	}
	if (form_is_array(form))
		encoding->len = frame->data.len;
	else if (form == FORM_PLAIN || form == FORM_ENVELOPE)
		encoding->len = sse_frame_size(frame);
	else
		encoding->len = frame->data.len + 1;
	return true;
}

void encoding_write(const struct encoding *encoding, char *out)
{
	const struct sse_frame *frame = &encoding->frame;

	if (form_is_array(encoding->form))
		memcpy(out, frame->data.data, frame->data.len);
	else if (encoding->form == FORM_PLAIN || encoding->form == FORM_ENVELOPE)
		sse_frame_write(frame, out);
	else
		envelope_write_line(frame->data, out);
}
