/* SPDX-License-Identifier: MIT */
/* From an event to the bytes of an event stream; the contract is in sse.h. */
#include "sse_internal.h"

static const char EVENT[] = "event: ";
static const char DATA[] = "data: ";
static const char ID[] = "id: ";
#define LEN(name) (sizeof(name) - 1)

/* Whether ${text} can be the value of a one-line field. */
static bool one_line(struct sse_text text)
{
	return text.data == NULL || text.len == 0 ||
	       (memchr(text.data, '\n', text.len) == NULL &&
		       memchr(text.data, '\r', text.len) == NULL &&
		       memchr(text.data, '\0', text.len) == NULL);
}

static bool writable(const struct sse_frame *frame)
{
	return one_line(frame->type) && one_line(frame->id);
}

static size_t field_size(size_t name_len, struct sse_text value)
{
	return value.data == NULL ? 0 : name_len + value.len + 1;
}

static char *write_field(
	char *out, const char *name, size_t name_len, const char *value, size_t len)
{
	memcpy(out, name, name_len);
	out += name_len;
	if (len > 0)
		memcpy(out, value, len);
	out += len;
	*out++ = '\n';
	return out;
}

static char *write_text(char *out, const char *name, size_t name_len, struct sse_text value)
{
	return value.data == NULL ? out : write_field(out, name, name_len, value.data, value.len);
}

/*
 * Take the first line off ${rest} into *${line}: up to a line end (CR, LF or CRLF, which goes too)
 * or all.  False when there was no line left.  ${rest->data} becomes NULL with the last line.
 */
static bool next_line(struct sse_scan *scan, struct sse_text *rest, struct sse_text *line)
{
	const char *end;
	size_t taken;

	if (rest->data == NULL)
		return false;
	do
		end = sse_scan_next(scan);
	while (end != NULL && end < rest->data); /* the LF of a CRLF that was passed */
	if (end == NULL) {
		*line = *rest;
		*rest = (struct sse_text){NULL, 0};
		return true;
	}
	*line = (struct sse_text){rest->data, (size_t)(end - rest->data)};
	taken = line->len + 1;
	if (*end == '\r' && taken < rest->len && end[1] == '\n')
		taken++;
	*rest = (struct sse_text){rest->data + taken, rest->len - taken};
	return true;
}

size_t sse_frame_size(const struct sse_frame *frame)
{
	struct sse_text rest = frame->data, line;
	struct sse_scan scan;
	size_t size;

	if (!writable(frame))
		return 0;
	size = field_size(LEN(EVENT), frame->type) + field_size(LEN(ID), frame->id) + 1;
	if (rest.data != NULL)
		sse_scan_start(&scan, rest.data, rest.data + rest.len);
	while (next_line(&scan, &rest, &line))
		size += field_size(LEN(DATA), line);
	return size;
}

char *sse_frame_write(const struct sse_frame *frame, char *out)
{
	struct sse_text rest = frame->data, line;
	struct sse_scan scan;

	if (!writable(frame))
		return NULL;
	out = write_text(out, EVENT, LEN(EVENT), frame->type);
	if (rest.data != NULL)
		sse_scan_start(&scan, rest.data, rest.data + rest.len);
	while (next_line(&scan, &rest, &line))
		out = write_text(out, DATA, LEN(DATA), line);
	out = write_text(out, ID, LEN(ID), frame->id);
	*out++ = '\n';
	return out;
}
