/* SPDX-License-Identifier: MIT */
/*
 * The rules for an event's type, its key and its text.  Pure functions.  Those
 * that judge return NULL if the text is valid, or the end of a sentence that says why it is not:
 * "is empty".
 */
#ifndef CONTENT_H
#define CONTENT_H

#include <stddef.h>
#include <stdint.h>

#include "log/event.h"
#include "sse.h"

/* content_type_form_fault(type): the same of any event type, the server's own included. */
const char *content_type_form_fault(struct sse_text type);

/*
 * content_type_fault(type): an event type is one line of UTF-8, and not one of the server's own
 * types.
 */
const char *content_type_fault(struct sse_text type);

/*
 * content_key_fault(key): a key has 1 to EVENT_KEY_MAX bytes, UTF-8 without control characters.
 * content_header_key_fault(key): in a header, it must also be printable ASCII.
 */
const char *content_key_fault(struct sse_text key);
const char *content_header_key_fault(struct sse_text key);

/* content_text_fault(text): text is UTF-8 without NUL. */
const char *content_text_fault(struct sse_text text);

/*
 * content_normalize(text, len):
 * Each of CR, CRLF and LF ends a line (WHATWG HTML, section 9.2.6); each becomes LF, the only one
 * that a stream carries unchanged.  In place.  Return the new length.
 */
size_t content_normalize(char *text, size_t len);

/*
 * content_fingerprint(seed, event):
 * The hash (hash.h) of an event's type, kind, data and subject as they are stored, continued from
 * ${seed}.  It does not depend on how the event was sent.  Without a subject it is the same as in
 * versions that had no subjects, because databases contain such hashes.
 *
 * It is compared with one other fingerprint only: that of the event with the same key in the same
 * topic.  So the chance of 2^-64 that two events are confused is small enough, and a client that
 * makes two events collide deceives only the owner of the key.
 */
uint64_t content_fingerprint(uint64_t seed, const struct event *event);

#endif
