/* SPDX-License-Identifier: MIT */
/*
 * From the bytes of an event stream to its lines; the contract is in sse.h.  sse_block.h makes
 * events of the lines.
 *
 * Lines are parsed where they lie.  What an event consists of is kept as a view, which points into
 * the input (or into the torn line) for as long as sse_parser_feed() runs, and is copied to the
 * parser's own memory only when an event goes on in the next feed.  A line whose end has not come
 * is collected raw, and parsed when it is whole; so there is one way to parse a line.
 *
 * Bytes are split at CR and LF before they are decoded.  That is the same as decoding first, since
 * no ill-formed sequence takes an ASCII byte with it.
 */
#include <stdlib.h>

#include "sse_block.h"
#include "sse_internal.h"
#include "sse_value.h"

static const char BOM[] = "\xef\xbb\xbf";
#define BOM_LEN (sizeof(BOM) - 1)

/* What became of the beginning of a line whose end has not come. */
enum torn {
	NOT_TORN,
	TORN_KEPT,    /* it is in the block's line */
	TORN_SKIPPED, /* no caller will ask for it */
};

struct sse_parser {
	struct sse_block block; /* the block so far, and in its line the torn line, raw */
	enum sse_result failed; /* SSE_OK, or what every feed returns from now on */

	/* Where in the stream we are. */
	size_t bom;	   /* bytes of a BOM that have come; BOM_LEN: the stream's start is over */
	bool after_cr;	   /* the last byte was a CR: an LF now belongs to it */
	enum torn torn;	   /* a line has begun */
	bool torn_suspect; /* there may be more than ASCII in it */
};

/*
 * Collect ${len} more bytes of a line that a feed's end has torn.  The first few tell which field
 * it is, and so whether there is any use in the others and room for them.
 */
static enum sse_result tear(struct sse_parser *parser, const char *bytes, size_t len, bool suspect)
{
	struct sse_block *block = &parser->block;
	struct sse_value *line = &block->line;
	size_t head = 0;
	bool fits;

	if (len == 0 || parser->torn == TORN_SKIPPED)
		return SSE_OK;
	if (parser->torn == NOT_TORN) {
		parser->torn = TORN_KEPT;
		parser->torn_suspect = false;
		if (bytes[0] != ':')
			block->begun = true;
	}
	parser->torn_suspect |= suspect;
	if (line->len < SSE_LINE_EXTRA) {
		head = SSE_LINE_EXTRA - line->len;
		head = len < head ? len : head;
		if (!sse_value_add(line, bytes, head, block->cap))
			return SSE_NO_MEMORY;
	}
	len -= head;
	if (!sse_block_wants(block, line->data, line->len + len, &fits)) {
		parser->torn = TORN_SKIPPED;
		line->len = 0;
		return SSE_OK;
	}
	if (!fits)
		return SSE_TOO_LARGE;
	return len == 0 || sse_value_add(line, bytes + head, len, block->cap) ? SSE_OK
									      : SSE_NO_MEMORY;
}

/* Step over the line end at ${end}; an LF that a CR may still get is left to the next feed. */
SSE_INLINE const char *skip_line_end(struct sse_parser *parser, const char *end, const char *stop)
{
	if (*end == '\r') {
		if (end + 1 == stop)
			parser->after_cr = true;
		else if (end[1] == '\n')
			end++;
	}
	return end + 1;
}

/*
 * Continue a torn line.  *${next} becomes the first byte after its line end, or ${stop} if that has
 * not come yet.
 */
static enum sse_result mend(struct sse_parser *parser, const char **next, const char *stop)
{
	struct sse_value *line = &parser->block.line;
	const char *rest = *next, *end;
	enum sse_result result;
	struct sse_scan scan;
	size_t len;
	bool skipped;

	sse_scan_start(&scan, rest, stop);
	end = sse_scan_next(&scan);
	*next = end != NULL ? skip_line_end(parser, end, stop) : stop;
	result = tear(parser, rest, (size_t)((end != NULL ? end : stop) - rest),
		sse_scan_suspect(&scan, rest, end != NULL ? end : stop));
	if (result != SSE_OK || end == NULL)
		return result;
	skipped = parser->torn == TORN_SKIPPED;
	len = line->len;
	parser->torn = NOT_TORN;
	line->len = 0; /* its bytes may still be viewed, until sse_block_settle() */
	if (skipped)
		return SSE_OK;
	return sse_block_take(&parser->block, line->data, len, parser->torn_suspect);
}

/*
 * Take the lines that end before ${stop}.  *${next} becomes the first byte that was not taken, and
 * *${suspect} whether there may be more than ASCII from there on.
 */
static enum sse_result take_lines(
	struct sse_parser *parser, const char **next, const char *stop, bool *suspect)
{
	const char *line = *next, *end;
	enum sse_result result = SSE_OK;
	struct sse_scan scan;

	sse_scan_start(&scan, line, stop);
	while (result == SSE_OK && (end = sse_scan_next(&scan)) != NULL) {
		if (end < line) /* the LF of a CRLF */
			continue;
		*next = skip_line_end(parser, end, stop);
		if (end > line)
			result = sse_block_take(&parser->block, line, (size_t)(end - line),
				sse_scan_suspect(&scan, line, end));
		else
			result = sse_block_end(&parser->block);
		line = *next;
	}
	*suspect = result == SSE_OK && sse_scan_suspect(&scan, line, stop);
	return result;
}

/* Skip a BOM at the start of the stream, or the part of one that has arrived. */
static const char *skip_bom(struct sse_parser *parser, const char *next, const char *stop)
{
	while (parser->bom < BOM_LEN && next < stop) {
		if (*next == BOM[parser->bom]) {
			parser->bom++;
			next++;
			continue;
		}
		/* It was none: its bytes begin a line, whose field cannot be one that we know. */
		if (parser->bom > 0) {
			parser->torn = TORN_SKIPPED;
			parser->block.begun = true;
		}
		parser->bom = BOM_LEN;
	}
	return next;
}

static const char *skip_lf(struct sse_parser *parser, const char *next, const char *stop)
{
	if (!parser->after_cr || next == stop)
		return next;
	parser->after_cr = false;
	return *next == '\n' ? next + 1 : next;
}

enum sse_result sse_parser_feed(
	struct sse_parser *parser, const char *data, size_t len, size_t *used)
{
	const char *next = data, *stop;
	enum sse_result result = parser->failed, settled;
	bool suspect = false;

	if (result == SSE_OK && len > 0) {
		stop = data + len;
		next = skip_lf(parser, skip_bom(parser, data, stop), stop);
		if (parser->torn != NOT_TORN)
			result = mend(parser, &next, stop);
		if (result == SSE_OK)
			result = take_lines(parser, &next, stop, &suspect);
		settled = sse_block_settle(&parser->block);
		if (settled != SSE_OK) {
			result = settled;
		} else if (result == SSE_OK) {
			result = tear(parser, next, (size_t)(stop - next), suspect);
			next = stop;
		}
		if (result == SSE_TOO_LARGE || result == SSE_NO_MEMORY)
			parser->failed = result;
	}
	if (used != NULL)
		*used = (size_t)(next - data);
	return result;
}

bool sse_parser_end(struct sse_parser *parser)
{
	bool dropped = parser->block.begun || (parser->bom > 0 && parser->bom < BOM_LEN);

	sse_block_drop(&parser->block);
	parser->bom = 0;
	parser->after_cr = false;
	parser->torn = NOT_TORN;
	parser->block.line.len = 0;
	parser->failed = SSE_OK;
	/* It copies nothing, so it cannot fail: the id is held since the last feed. */
	sse_block_settle(&parser->block);
	return dropped;
}

struct sse_text sse_parser_last_id(const struct sse_parser *parser)
{
	const struct sse_value *last = parser->block.last_id;

	return (struct sse_text){last->data, last->len};
}

bool sse_parser_set_last_id(struct sse_parser *parser, const char *id, size_t len)
{
	struct sse_value *last = parser->block.last_id;
	size_t i;

	for (i = 0; i < len; i++) {
		if (id[i] == '\0' || id[i] == '\r' || id[i] == '\n')
			return false;
	}
	if (!sse_value_reserve(last, len, parser->block.cap))
		return false;
	if (len > 0)
		memmove(last->bytes, id, len); /* it may be our own */
	sse_value_view(last, len > 0 ? last->bytes : "", len);
	return true;
}

struct sse_parser *sse_parser_new(const struct sse_callbacks *callbacks, void *context, size_t cap)
{
	struct sse_parser *parser = calloc(1, sizeof(*parser));

	if (parser == NULL)
		return NULL;
	if (cap == 0)
		cap = SSE_EVENT_MAX;
	if (cap > SIZE_MAX / 4) /* so that no sum of sizes overflows */
		cap = SIZE_MAX / 4;
	if (!sse_block_init(&parser->block, callbacks, context, cap)) {
		sse_parser_free(parser);
		return NULL;
	}
	return parser;
}

void sse_parser_free(struct sse_parser *parser)
{
	if (parser == NULL)
		return;
	sse_block_free(&parser->block);
	free(parser);
}
