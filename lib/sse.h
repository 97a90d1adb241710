/* SPDX-License-Identifier: MIT */
/*
 * libsse: the framing of Server-Sent Events (WHATWG HTML, section 9.2), both ways.
 * Pure C, no I/O, no threads, no globals; needs only the C library.
 */
#ifndef SSE_H
#define SSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is declared here is what the shared library exports. */
#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

/* The default cap of one event: its data, type and id together (bytes). */
#define SSE_EVENT_MAX ((size_t)64 << 20)

/* A run of bytes, not NUL-terminated; it may contain NUL. */
struct sse_text {
	const char *data;
	size_t len;
};

/* An event as the standard dispatches it (section 9.2.6). */
struct sse_event {
	struct sse_text type; /* never empty: "message" if the stream named none */
	struct sse_text data; /* lines joined by LF, without the last LF */
	struct sse_text id;   /* the last event id at dispatch; empty without one */
	bool has_id; /* this event's own block had a valid id field (may be empty: a reset) */
};

enum sse_result {
	SSE_OK = 0,
	SSE_STOP,      /* a callback asked to stop; feeding may continue after *used bytes */
	SSE_TOO_LARGE, /* an event exceeded the cap; no more is taken until sse_parser_end() */
	SSE_NO_MEMORY, /* likewise; an id of more than 64 bytes may be lost too: it becomes empty */
};

/*
 * The functions that the parser calls.  The texts are valid only during the call and may point into
 * the bytes that were fed.  All text is valid UTF-8: invalid input has become U+FFFD as the
 * Encoding standard decodes it.  A callback may be NULL; event and comment return false to stop.
 */
struct sse_callbacks {
	bool (*event)(void *context, const struct sse_event *event);
	bool (*comment)(void *context, struct sse_text text); /* without the colon */
	void (*retry)(void *context, uint64_t ms);	      /* applies as soon as its line ends */
};

struct sse_parser;

/*
 * sse_parser_new(callbacks, context, cap):
 * Return a parser at the start of a stream, or NULL without memory.  ${cap} is the most bytes
 * that one event may take (0: SSE_EVENT_MAX); a comment that a callback wants, and the value of a
 * retry, may each take as much.  ${callbacks} is copied.
 */
struct sse_parser *sse_parser_new(const struct sse_callbacks *callbacks, void *context, size_t cap);

/*
 * sse_parser_feed(parser, data, len, used):
 * Take the next ${len} bytes of the stream, split anywhere.  *${used} (NULL to ignore) becomes the
 * number of bytes taken: all of them with SSE_OK.  No callback may call this for the same parser.
 */
enum sse_result sse_parser_feed(
	struct sse_parser *parser, const char *data, size_t len, size_t *used);

/*
 * sse_parser_end(parser):
 * The connection ended: drop an incomplete block together with its id (section 9.2.6) and prepare
 * for the next connection's first byte.  The last event id stays.  Return whether a block with at
 * least one field was dropped.
 */
bool sse_parser_end(struct sse_parser *parser);

/*
 * sse_parser_last_id(parser): the last event id, which the next request sends as Last-Event-ID.  It
 * is the id of the last block that ended, even if it had no data.  Valid until the next call.
 */
struct sse_text sse_parser_last_id(const struct sse_parser *parser);

/*
 * sse_parser_set_last_id(parser, id, len):
 * Start from an id that was saved earlier.  False if it contains NUL, CR or LF, or without memory.
 */
bool sse_parser_set_last_id(struct sse_parser *parser, const char *id, size_t len);

/* sse_parser_free(parser): takes NULL. */
void sse_parser_free(struct sse_parser *parser);

/* An event to write.  A NULL data pointer leaves the field out. */
struct sse_frame {
	struct sse_text type; /* refused with CR, LF or NUL */
	struct sse_text data; /* each of LF, CR and CRLF ends a data line */
	struct sse_text id;   /* refused with CR, LF or NUL */
};

/*
 * sse_frame_size(frame):
 * The exact number of bytes that sse_frame_write() will write, or 0 if the type or id holds CR,
 * LF or NUL.
 */
size_t sse_frame_size(const struct sse_frame *frame);

/*
 * sse_frame_write(frame, out):
 * Write `event:`, `data:` and `id:` lines in that order and the blank line to ${out}, which has
 * room for sse_frame_size() bytes.  Return the end of the written bytes, or NULL if refused.
 */
char *sse_frame_write(const struct sse_frame *frame, char *out);

/*
 * sse_utf8_valid(text, len): the number of leading bytes that are valid UTF-8: ${len} if all are.
 */
size_t sse_utf8_valid(const char *text, size_t len);

/*
 * sse_utf8_repair(text, len, out):
 * Copy ${text} to ${out} (room for 3 * ${len} bytes) with every maximal ill-formed part replaced
 * by U+FFFD, as the Encoding standard's decoder does.  Return the number of bytes written.
 */
size_t sse_utf8_repair(const char *text, size_t len, char *out);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
