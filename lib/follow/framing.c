/* SPDX-License-Identifier: MIT */
/* Event streams and JSON lines; see framing.h. */
#include <stdint.h>
#include <string.h>

#include "buf.h"
#include "framing.h"

/* --- event streams --------------------------------------------------------------------------- */

static enum sse_result feed_stream(
	struct framing *framing, const char *data, size_t len, size_t *used)
{
	return sse_parser_feed(framing->parser, data, len, used);
}

/* End the event.  The last id stays before it: even the id may be cut off, and the server can send
 * the whole event again. */
static enum sse_result flush_stream(struct framing *framing)
{
	struct sse_text last = sse_parser_last_id(framing->parser);
	enum sse_result result = SSE_NO_MEMORY;
	struct buf id;

	buf_init(&id, SIZE_MAX);
	if (buf_add(&id, last.data, last.len)) {
		result = sse_parser_feed(framing->parser, "\n\n", 2, NULL);
		if (!sse_parser_set_last_id(framing->parser, id.data, id.len))
			result = SSE_NO_MEMORY;
	}
	buf_free(&id);
	return result;
}

static enum lines_end end_stream(
	struct framing *framing, bool whole, bool flush, enum sse_result *result)
{
	bool dropped;

	/* Without its blank line an event is not complete (section 9.2.6). */
	(void)whole;
	*result = flush ? flush_stream(framing) : SSE_OK;
	dropped = sse_parser_end(framing->parser);
	if (flush)
		return LINES_SHOWN;
	return dropped ? LINES_CUT : LINES_WHOLE;
}

/* --- lines ----------------------------------------------------------------------------------- */

static enum sse_result feed_lines(
	struct framing *framing, const char *data, size_t len, size_t *used)
{
	return lines_feed(&framing->lines, data, len, framing_last_id(framing), used);
}

static enum lines_end end_lines(
	struct framing *framing, bool whole, bool flush, enum sse_result *result)
{
	return lines_end(&framing->lines, whole, flush, framing_last_id(framing), result);
}

/* --- the table ------------------------------------------------------------------------------- */

static const char *const stream_types[] = {"text/event-stream", NULL};
static const char *const lines_types[] = {"application/x-ndjson", "application/ndjson",
	"application/jsonl", "application/jsonlines", "application/x-jsonlines",
	"application/json-seq", "application/stream+json", NULL};

enum { STREAM, LINES };
static const struct framing_kind kinds[] = {
	[STREAM] = {stream_types, "an event", true, feed_stream, end_stream},
	[LINES] = {lines_types, "a line", false, feed_lines, end_lines},
};

bool framing_open(struct framing *framing, const struct sse_callbacks *callbacks, void *context,
	const char *last_id)
{
	*framing = (struct framing){.kind = &kinds[STREAM], .callbacks = *callbacks};
	lines_init(&framing->lines, &framing->callbacks, context, SSE_EVENT_MAX);
	framing->parser = sse_parser_new(callbacks, context, SSE_EVENT_MAX);
	return framing->parser != NULL &&
	       (last_id == NULL ||
		       sse_parser_set_last_id(framing->parser, last_id, strlen(last_id)));
}

void framing_free(struct framing *framing)
{
	sse_parser_free(framing->parser);
	lines_free(&framing->lines);
}

const char *framing_accept(bool lines)
{
	/* Kubernetes, for one, refuses what it cannot make; others choose by what is asked for. */
	return lines ? "application/x-ndjson, application/jsonl, application/json, */*;q=0.1"
		     : "text/event-stream";
}

static bool is_of(const struct framing_kind *kind, const struct client_answer *answer)
{
	for (const char *const *type = kind->types; *type != NULL; type++) {
		if (client_answer_is(answer, *type))
			return true;
	}
	return false;
}

bool framing_begin(struct framing *framing, const struct client_answer *answer, bool lines)
{
	size_t count = sizeof(kinds) / sizeof(kinds[0]), i = 0;

	while (i < count && !(lines ? i == LINES : is_of(&kinds[i], answer)))
		i++;
	if (i == count)
		return false;
	framing->kind = &kinds[i];
	return true;
}

enum sse_result framing_feed(struct framing *framing, const char *data, size_t len, size_t *used)
{
	return framing->kind->feed(framing, data, len, used);
}

enum lines_end framing_end(struct framing *framing, bool whole, bool flush, enum sse_result *result)
{
	return framing->kind->end(framing, whole, flush, result);
}

struct sse_text framing_last_id(const struct framing *framing)
{
	return sse_parser_last_id(framing->parser);
}
