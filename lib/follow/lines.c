/* SPDX-License-Identifier: MIT */
/* From bytes to lines, and events of them; see lines.h. */
#include <string.h>

#include "json.h"
#include "lines.h"

/* What may come before a line: a byte order mark at the start, and what RFC 7464 has there. */
static const char bom[] = "\xef\xbb\xbf";
#define RECORD_SEPARATOR '\x1e'

/* Bytes of a line beside the ${cap} that it may have: what comes before it, and its end. */
#define LINE_EXTRA 8

/* Memory that a large line took is given back; this much stays. */
#define KEPT ((size_t)64 << 10)

void lines_init(
	struct lines *lines, const struct sse_callbacks *callbacks, void *context, size_t cap)
{
	*lines = (struct lines){.callbacks = callbacks, .context = context, .cap = cap};
	split_init(&lines->split, '\n', cap + LINE_EXTRA);
	lines->split.blanks = true;
	/* U+FFFD for each byte, at the worst. */
	buf_init(&lines->repaired, cap * 3);
}

void lines_free(struct lines *lines)
{
	split_free(&lines->split);
	buf_free(&lines->repaired);
}

/* The line without what comes before it. */
static struct sse_text strip(const struct lines *lines, struct sse_text line)
{
	size_t skip = 0;

	if (lines->split.line == 1 && line.len >= strlen(bom) &&
		memcmp(line.data, bom, strlen(bom)) == 0)
		skip = strlen(bom);
	while (skip < line.len && line.data[skip] == RECORD_SEPARATOR)
		skip++;
	return (struct sse_text){line.data + skip, line.len - skip};
}

/* The line in UTF-8, as all text of events is; no data without memory. */
static struct sse_text repair(struct lines *lines, struct sse_text line)
{
	struct buf *repaired = &lines->repaired;
	char *room;

	if (sse_utf8_valid(line.data, line.len) == line.len)
		return line;
	repaired->len = 0;
	room = buf_reserve(repaired, line.len * 3);
	return (struct sse_text){
		room, room != NULL ? sse_utf8_repair(line.data, line.len, room) : 0};
}

static enum sse_result take(struct lines *lines, struct sse_text line, struct sse_text id)
{
	static const char message[] = "message";
	const struct sse_callbacks *callbacks = lines->callbacks;
	struct sse_event event = {.type = {message, sizeof(message) - 1}, .id = id};
	bool more;

	if (line.len > lines->cap)
		return SSE_TOO_LARGE;
	if (split_is_blank(line)) {
		more = callbacks->comment == NULL ||
		       callbacks->comment(lines->context, (struct sse_text){"", 0});
		return more ? SSE_OK : SSE_STOP;
	}
	event.data = repair(lines, line);
	if (event.data.data == NULL)
		return SSE_NO_MEMORY;
	if (event.data.len > lines->cap)
		return SSE_TOO_LARGE;
	more = callbacks->event == NULL || callbacks->event(lines->context, &event);
	return more ? SSE_OK : SSE_STOP;
}

static void give_back(struct lines *lines)
{
	if (lines->split.bytes.len == 0 && lines->split.bytes.size > KEPT)
		buf_free(&lines->split.bytes);
	if (lines->repaired.size > KEPT)
		buf_free(&lines->repaired);
}

/* Take what fits of ${len} more bytes; *${used} becomes how many of them were taken. */
static enum sse_result feed_some(
	struct lines *lines, const char *data, size_t len, struct sse_text id, size_t *used)
{
	struct split *split = &lines->split;
	size_t before = split->bytes.len, room = split->bytes.cap - before;
	enum sse_result result = SSE_OK;
	struct sse_text line;

	*used = len < room ? len : room;
	if (room == 0)
		return SSE_TOO_LARGE;
	if (!buf_add(&split->bytes, data, *used))
		return SSE_NO_MEMORY;
	while (result == SSE_OK && split_next(split, false, &line))
		result = take(lines, strip(lines, line), id);
	if (result == SSE_STOP) {
		/* The line has ended in these bytes; the others are not taken. */
		*used = split->used - before;
		split->bytes.len = split->used;
	}
	split_compact(split);
	give_back(lines);
	return result;
}

enum sse_result lines_feed(
	struct lines *lines, const char *data, size_t len, struct sse_text id, size_t *used)
{
	enum sse_result result = lines->failed;
	size_t taken = 0;

	while (result == SSE_OK && taken < len) {
		size_t some;

		result = feed_some(lines, data + taken, len - taken, id, &some);
		taken += some;
	}
	if (result == SSE_TOO_LARGE || result == SSE_NO_MEMORY)
		lines->failed = result;
	if (used != NULL)
		*used = taken;
	return result;
}

/* Can no more belong to this line? */
static bool is_complete(struct sse_text line)
{
	struct json_text value;
	struct json_error not_json;

	return json_check(line.data, line.len, &value, &not_json) &&
	       json_kind(value) != JSON_NUMBER;
}

enum lines_end lines_end(
	struct lines *lines, bool whole, bool flush, struct sse_text id, enum sse_result *result)
{
	struct split *split = &lines->split;
	enum lines_end end = LINES_WHOLE;
	struct sse_text line;

	*result = lines->failed;
	if (*result == SSE_OK && split_next(split, true, &line)) {
		line = strip(lines, line);
		end = flush || (whole && is_complete(line)) ? LINES_SHOWN : LINES_CUT;
		if (split_is_blank(line))
			end = LINES_WHOLE;
		else if (end == LINES_SHOWN)
			*result = take(lines, line, id);
	}
	split_free(split);
	buf_free(&lines->repaired);
	lines_init(lines, lines->callbacks, lines->context, lines->cap);
	return end;
}
