/* SPDX-License-Identifier: MIT */
/* The formats for programs: one line of JSON an event, and the data alone. */
#include <string.h>

#include "json.h"
#include "output.h"

static bool add_member(struct buf *out, const char *before, struct sse_text text)
{
	return buf_add_text(out, before) && json_quote(text.data, text.len, out);
}

/* The data is always a string, so that a reader need not guess what a sender meant. */
bool output_json(struct output *output, const struct sse_event *event, const char *origin)
{
	struct buf *out = &output->bytes;

	return add_member(out, "{\"event\":", event->type) &&
	       add_member(out, ",\"data\":", event->data) &&
	       add_member(out, ",\"id\":", event->id) &&
	       add_member(out, ",\"origin\":", (struct sse_text){origin, strlen(origin)}) &&
	       buf_add_text(out, "}\n");
}

bool output_data(struct output *output, const struct sse_event *event, const char *origin)
{
	(void)origin;
	return buf_add(&output->bytes, event->data.data, event->data.len) &&
	       buf_add_byte(&output->bytes, '\n');
}
