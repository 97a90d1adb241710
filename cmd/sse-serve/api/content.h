/* SPDX-License-Identifier: MIT */
/*
 * What may be said: an event's type, its key, its text, a reader's name.  Pure functions.  Those
 * that judge return NULL if all is well, or the end of a sentence that says what is not: "is
 * empty".
 */
#ifndef CONTENT_H
#define CONTENT_H

#include <stddef.h>
#include <stdint.h>

#include "log/event.h"
#include "sse.h"

/* content_type_fault(type): an event type is UTF-8 on one line, and none of the server's own. */
const char *content_type_fault(struct sse_text type);

/*
 * content_key_fault(key): a key has 1 to EVENT_KEY_MAX bytes, UTF-8 without control characters.
 * content_header_key_fault(key): in a header it is printable ASCII besides.
 */
const char *content_key_fault(struct sse_text key);
const char *content_header_key_fault(struct sse_text key);

/* content_name_fault(name): a name of ?as= has 1 to ROSTER_NAME_MAX bytes, UTF-8 without controls.
 */
const char *content_name_fault(struct sse_text name);

/* content_text_fault(text): text is UTF-8 without NUL. */
const char *content_text_fault(struct sse_text text);

/*
 * content_normalize(text, len):
 * Each of CR, CRLF and LF ends a line (WHATWG HTML, section 9.2.6); all become LF, the one that a
 * stream carries as it is.  In place.  Return the new length.
 */
size_t content_normalize(char *text, size_t len);

/*
 * content_hash(seed, text, len):
 * FNV-1a, 64 bits, that goes on from ${seed} (CONTENT_HASH for a start).
 *
 * content_fingerprint(seed, event):
 * The hash of an event's type, kind and data as they are stored, so that it is the same however
 * the event was sent.
 *
 * It is compared with one other only, that of the event which has the same key in the same topic.
 * So a chance of 2^-64 for taking another event for the same one is small enough, and who makes
 * two that collide deceives nobody but the owner of the key.
 */
#define CONTENT_HASH UINT64_C(0xcbf29ce484222325)
uint64_t content_hash(uint64_t seed, const char *text, size_t len);
uint64_t content_fingerprint(uint64_t seed, const struct event *event);

#endif
