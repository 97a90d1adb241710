/* SPDX-License-Identifier: MIT */
/*
 * From the bytes of an event stream to its events; the contract is in sse.h.
 *
 * Lines are parsed where they lie.  What an event consists of is kept as a view, which points into
 * the input (or into the line below) for as long as sse_parser_feed() runs, and is copied to the
 * parser's own memory only when an event goes on in the next feed.  A line whose end has not come
 * is collected raw, and parsed when it is whole; so there is one way to parse a line.
 *
 * Bytes are split at CR and LF before they are decoded.  That is the same as decoding first, since
 * no ill-formed sequence takes an ASCII byte with it.
 */
#include <stdlib.h>

#include "sse_internal.h"
#include "sse_value.h"

/* The longest name with its colon ("event:"): a line of so many bytes shows which field it is. */
#define NAME_BYTES 6

/* Ids up to this length have memory from the start. */
#define ID_BYTES 64

static const char BOM[] = "\xef\xbb\xbf";
#define BOM_LEN (sizeof(BOM) - 1)

/* What became of the beginning of a line whose end has not come. */
enum torn {
	NOT_TORN,
	TORN_KEPT,    /* it is in the parser's line */
	TORN_SKIPPED, /* no caller will ask for it */
};

struct sse_parser {
	struct sse_callbacks callbacks;
	void *context;
	size_t cap;
	enum sse_result failed; /* SSE_OK, or what every feed returns from now on */

	/* Where in the stream we are. */
	size_t bom;	   /* bytes of a BOM that have come; BOM_LEN: the stream's start is over */
	bool after_cr;	   /* the last byte was a CR: an LF now belongs to it */
	bool in_block;	   /* there was a field since the last blank line */
	enum torn torn;	   /* a line has begun */
	bool torn_suspect; /* there may be more than ASCII in it */
	struct sse_value line; /* the torn line, raw */

	/* The block so far. */
	struct sse_value type;
	struct sse_value data; /* its lines joined by LF */
	struct sse_value *id;

	struct sse_value *last_id; /* of the last block that ended; its data is never NULL */
	struct sse_value ids[2];   /* where these two live: they change places when a block ends */
	struct sse_value comment;  /* is in use only during the callback */
};

/* The bytes that a value may have without the event becoming larger than the cap. */
SSE_INLINE size_t type_room(const struct sse_parser *parser)
{
	return parser->cap - parser->data.len - parser->id->len;
}

SSE_INLINE size_t id_room(const struct sse_parser *parser)
{
	return parser->cap - parser->data.len - parser->type.len;
}

/* For one more line of data, with the LF that goes before all but the first. */
SSE_INLINE size_t data_room(const struct sse_parser *parser)
{
	return parser->cap - parser->data.len - parser->type.len - parser->id->len;
}

/* Add a second or later line to the data. */
static enum sse_result data_append(
	struct sse_parser *parser, const char *text, size_t len, bool suspect)
{
	struct sse_value *data = &parser->data;
	size_t size = suspect ? sse_utf8_repaired_size(text, len) : len;
	size_t whole = data->len + 1 + size;
	char *out;

	if (size >= data_room(parser)) /* the LF takes room too */
		return SSE_TOO_LARGE;
	if (!sse_value_hold(data, &parser->line, parser->cap) ||
		!sse_value_reserve(data, whole, parser->cap))
		return SSE_NO_MEMORY;
	out = data->bytes + data->len;
	*out++ = '\n';
	if (suspect)
		sse_utf8_repair(text, len, out);
	else
		memcpy(out, text, len);
	sse_value_view(data, data->bytes, whole);
	return SSE_OK;
}

SSE_INLINE enum sse_result take_data(
	struct sse_parser *parser, const char *text, size_t len, bool suspect)
{
	if (parser->data.data != NULL)
		return data_append(parser, text, len, suspect);
	return sse_value_replace(&parser->data, text, len, data_room(parser), parser->cap, suspect);
}

SSE_INLINE enum sse_result take_event(
	struct sse_parser *parser, const char *text, size_t len, bool suspect)
{
	return sse_value_replace(&parser->type, text, len, type_room(parser), parser->cap, suspect);
}

/* Ids are so short that a call of memchr() would cost more than to look at them. */
SSE_INLINE bool has_nul(const char *text, size_t len)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t word;

	for (; len >= sizeof(word); text += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, text, sizeof(word));
		if (((word - ones) & ~word & ones << 7) != 0)
			return true;
	}
	for (; len > 0; text++, len--) {
		if (*text == '\0')
			return true;
	}
	return false;
}

SSE_INLINE enum sse_result take_id(
	struct sse_parser *parser, const char *text, size_t len, bool suspect)
{
	size_t room = id_room(parser);

	/* Too long comes before NUL: a torn id is refused before all of it is there. */
	if (len > room)
		return SSE_TOO_LARGE;
	if (has_nul(text, len))
		return SSE_OK;
	return sse_value_replace(parser->id, text, len, room, parser->cap, suspect);
}

static enum sse_result take_retry(struct sse_parser *parser, const char *text, size_t len)
{
	uint64_t ms = 0;
	size_t i;

	if (len > parser->cap)
		return SSE_TOO_LARGE;
	for (i = 0; i < len && text[i] >= '0' && text[i] <= '9'; i++) {
		unsigned digit = (unsigned)(text[i] - '0');

		ms = ms > (UINT64_MAX - digit) / 10 ? UINT64_MAX : ms * 10 + digit;
	}
	if (i > 0 && i == len && parser->callbacks.retry != NULL)
		parser->callbacks.retry(parser->context, ms);
	return SSE_OK;
}

static enum sse_result take_comment(
	struct sse_parser *parser, const char *text, size_t len, bool suspect)
{
	struct sse_value *comment = &parser->comment;
	enum sse_result result;
	bool go_on;

	if (parser->callbacks.comment == NULL)
		return SSE_OK;
	result = sse_value_replace(comment, text, len, parser->cap, parser->cap, suspect);
	if (result != SSE_OK)
		return result;
	go_on = parser->callbacks.comment(
		parser->context, (struct sse_text){comment->data, comment->len});
	sse_value_clear(comment);
	return go_on ? SSE_OK : SSE_STOP;
}

/* Whether ${name} is what stands before the colon; without a colon, the whole line. */
SSE_INLINE bool is_name(const char *line, size_t len, const char *name, size_t name_len)
{
	return len >= name_len && memcmp(line, name, name_len) == 0 &&
	       (len == name_len || line[name_len] == ':');
}

/* Where the value begins: after the name, its colon and one space. */
SSE_INLINE size_t value_at(const char *line, size_t len, size_t name_len)
{
	size_t at = name_len + 1;

	if (at < len)
		return line[at] == ' ' ? at + 1 : at;
	return len;
}

/*
 * A whole line that is not empty.  The names are a chain of comparisons of constant length, each
 * with its own end: that is twice as fast as first to find out which and then to switch.
 */
SSE_INLINE enum sse_result parse_line(
	struct sse_parser *parser, const char *line, size_t len, bool suspect)
{
	size_t at;

	if (line[0] == ':')
		return take_comment(parser, line + 1, len - 1, suspect);
	parser->in_block = true;
	if (is_name(line, len, "data", 4)) {
		at = value_at(line, len, 4);
		return take_data(parser, line + at, len - at, suspect);
	}
	if (is_name(line, len, "event", 5)) {
		at = value_at(line, len, 5);
		return take_event(parser, line + at, len - at, suspect);
	}
	if (is_name(line, len, "id", 2)) {
		at = value_at(line, len, 2);
		return take_id(parser, line + at, len - at, suspect);
	}
	if (is_name(line, len, "retry", 5)) {
		at = value_at(line, len, 5);
		return take_retry(parser, line + at, len - at);
	}
	return SSE_OK;
}

/* Not inlined: a line of a few bytes is rare. */
static enum sse_result take_short_line(
	struct sse_parser *parser, const char *line, size_t len, bool suspect)
{
	return parse_line(parser, line, len, suspect);
}

/* In a longer one the name and space cannot reach its end, so all those questions fall away. */
SSE_INLINE enum sse_result take_line(
	struct sse_parser *parser, const char *line, size_t len, bool suspect)
{
	if (len <= NAME_BYTES)
		return take_short_line(parser, line, len, suspect);
	return parse_line(parser, line, len, suspect);
}

/* The block's id, if it has one, becomes the last event id. */
SSE_INLINE bool commit_id(struct sse_parser *parser)
{
	struct sse_value *id = parser->id;

	if (id->data == NULL)
		return false;
	parser->id = parser->last_id;
	parser->last_id = id;
	sse_value_clear(parser->id);
	return true;
}

/* A blank line: the block ends. */
SSE_INLINE enum sse_result dispatch(struct sse_parser *parser)
{
	const struct sse_value *type = &parser->type, *data = &parser->data;
	struct sse_event event;

	event.has_id = commit_id(parser);
	event.id = (struct sse_text){parser->last_id->data, parser->last_id->len};
	event.data = (struct sse_text){data->data, data->len};
	if (type->len > 0)
		event.type = (struct sse_text){type->data, type->len};
	else
		event.type = (struct sse_text){"message", 7};
	sse_value_clear(&parser->type);
	sse_value_clear(&parser->data);
	parser->in_block = false;
	if (event.data.data == NULL || parser->callbacks.event == NULL)
		return SSE_OK;
	return parser->callbacks.event(parser->context, &event) ? SSE_OK : SSE_STOP;
}

/*
 * Whether to collect a line that begins with ${head} and has ${len} bytes by now; if so *${fits}
 * says whether the cap allows that, by the same measure as for a whole line.
 */
static bool worth_keeping(const struct sse_parser *parser, const char *head, size_t len, bool *fits)
{
	size_t room = parser->cap, at;

	*fits = true;
	if (len < NAME_BYTES) /* "data" may become "database" */
		return true;
	if (head[0] == ':') {
		at = 1;
		if (parser->callbacks.comment == NULL)
			return false;
	} else if (is_name(head, len, "data", 4)) {
		at = value_at(head, len, 4);
		if (parser->data.data != NULL)
			at--; /* so that the LF before it is counted */
		room = data_room(parser);
	} else if (is_name(head, len, "event", 5)) {
		at = value_at(head, len, 5);
		room = type_room(parser);
	} else if (is_name(head, len, "id", 2)) {
		at = value_at(head, len, 2);
		room = id_room(parser);
	} else if (is_name(head, len, "retry", 5)) {
		at = value_at(head, len, 5);
	} else {
		return false;
	}
	*fits = len - at <= room;
	return true;
}

/*
 * Collect ${len} more bytes of a line that a feed's end has torn.  The first few tell which field
 * it is, and so whether there is any use in the others and room for them.
 */
static enum sse_result tear(struct sse_parser *parser, const char *bytes, size_t len, bool suspect)
{
	size_t head = 0;
	bool fits;

	if (len == 0 || parser->torn == TORN_SKIPPED)
		return SSE_OK;
	if (parser->torn == NOT_TORN) {
		parser->torn = TORN_KEPT;
		parser->torn_suspect = false;
		if (bytes[0] != ':')
			parser->in_block = true;
	}
	parser->torn_suspect |= suspect;
	if (parser->line.len < SSE_LINE_EXTRA) {
		head = SSE_LINE_EXTRA - parser->line.len;
		head = len < head ? len : head;
		if (!sse_value_add(&parser->line, bytes, head, parser->cap))
			return SSE_NO_MEMORY;
	}
	len -= head;
	if (!worth_keeping(parser, parser->line.data, parser->line.len + len, &fits)) {
		parser->torn = TORN_SKIPPED;
		parser->line.len = 0;
		return SSE_OK;
	}
	if (!fits)
		return SSE_TOO_LARGE;
	return len == 0 || sse_value_add(&parser->line, bytes + head, len, parser->cap)
		       ? SSE_OK
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
	const char *rest = *next, *end;
	enum sse_result result;
	struct sse_scan scan;
	size_t len;
	bool skipped;

	sse_scan_start(&scan, rest, stop);
	end = sse_scan_next(&scan);
	*next = end != NULL ? skip_line_end(parser, end, stop) : stop;
	result = tear(parser, rest, (size_t)((end != NULL ? end : stop) - rest),
		sse_scan_suspect(&scan, rest));
	if (result != SSE_OK || end == NULL)
		return result;
	skipped = parser->torn == TORN_SKIPPED;
	len = parser->line.len;
	parser->torn = NOT_TORN;
	parser->line.len = 0; /* its bytes may still be viewed, until settle() */
	if (skipped)
		return SSE_OK;
	return take_line(parser, parser->line.data, len, parser->torn_suspect);
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
			result = take_line(
				parser, line, (size_t)(end - line), sse_scan_suspect(&scan, line));
		else
			result = dispatch(parser);
		line = *next;
	}
	*suspect = sse_scan_suspect(&scan, line);
	return result;
}

/*
 * Before the input becomes invalid, copy the parts that are needed, and release those that are not.
 * A part without memory for its copy is lost, so that nothing points into the old input.
 */
static enum sse_result settle(struct sse_parser *parser)
{
	struct sse_value *values[] = {&parser->type, &parser->data, parser->id, parser->last_id};
	enum sse_result result = SSE_OK;
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (!sse_value_hold(values[i], &parser->line, parser->cap)) {
			sse_value_view(values[i], "", 0);
			result = SSE_NO_MEMORY;
		}
		sse_value_trim(values[i]);
	}
	sse_value_trim(&parser->comment);
	sse_value_trim(&parser->line);
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
			parser->in_block = true;
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
		settled = settle(parser);
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
	bool dropped = parser->in_block || (parser->bom > 0 && parser->bom < BOM_LEN);

	sse_value_clear(&parser->type);
	sse_value_clear(&parser->data);
	sse_value_clear(parser->id);
	parser->bom = 0;
	parser->after_cr = false;
	parser->in_block = false;
	parser->torn = NOT_TORN;
	parser->line.len = 0;
	parser->failed = SSE_OK;
	settle(parser); /* copies nothing, so it cannot fail: the id is held since the last feed */
	return dropped;
}

struct sse_text sse_parser_last_id(const struct sse_parser *parser)
{
	return (struct sse_text){parser->last_id->data, parser->last_id->len};
}

bool sse_parser_set_last_id(struct sse_parser *parser, const char *id, size_t len)
{
	struct sse_value *last = parser->last_id;
	size_t i;

	for (i = 0; i < len; i++) {
		if (id[i] == '\0' || id[i] == '\r' || id[i] == '\n')
			return false;
	}
	if (!sse_value_reserve(last, len, parser->cap))
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
	parser->callbacks = *callbacks;
	parser->context = context;
	parser->cap = cap == 0 ? SSE_EVENT_MAX : cap;
	if (parser->cap > SIZE_MAX / 4) /* so that no sum of sizes overflows */
		parser->cap = SIZE_MAX / 4;
	parser->id = &parser->ids[0];
	parser->last_id = &parser->ids[1];
	sse_value_view(parser->last_id, "", 0);
	/* The place in the stream must not be lost for want of memory: see settle(). */
	if (!sse_value_reserve(&parser->ids[0], ID_BYTES, parser->cap) ||
		!sse_value_reserve(&parser->ids[1], ID_BYTES, parser->cap)) {
		sse_parser_free(parser);
		return NULL;
	}
	return parser;
}

void sse_parser_free(struct sse_parser *parser)
{
	if (parser == NULL)
		return;
	sse_value_free(&parser->type);
	sse_value_free(&parser->data);
	sse_value_free(&parser->ids[0]);
	sse_value_free(&parser->ids[1]);
	sse_value_free(&parser->comment);
	sse_value_free(&parser->line);
	free(parser);
}
