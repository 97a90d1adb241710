/* SPDX-License-Identifier: MIT */
/* One line of an exported log (see maintain.h), taken apart.  Pure text. */
#ifndef IMPORT_LINE_H
#define IMPORT_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "json.h"
#include "log/event.h"

/* The kinds of lines, in the order in which they stand in the file. */
enum import_kind {
	IMPORT_HEAD,
	IMPORT_INCARNATION,
	IMPORT_TOPIC,
	IMPORT_EVENT,
	IMPORT_KEY,
	IMPORT_END
};

enum import_member {
	MEMBER_SSE_LOG,
	MEMBER_HEAD,
	MEMBER_INCARNATION,
	MEMBER_OPENED,
	MEMBER_TOPIC,
	MEMBER_REMOVED,
	MEMBER_DELETED,
	MEMBER_SUPERSEDED,
	MEMBER_CLOSED,
	MEMBER_ERASED,
	MEMBER_ID,
	MEMBER_TIME,
	MEMBER_EVENT,
	MEMBER_SUBJECT,
	MEMBER_DATA,
	MEMBER_TEXT,
	MEMBER_RAW,
	MEMBER_KEY,
	MEMBER_FINGERPRINT,
	MEMBER_END,
	MEMBER_EVENTS,
	MEMBER_KEYS,
	MEMBERS
};

struct import_line {
	enum import_kind kind;
	struct json_text members[MEMBERS]; /* points into the line; text NULL: not given */
};

/*
 * import_line_read(text, len, line, error):
 * Take a line apart, without its end.  The line has all members that its kind requires, and no
 * others.  Return 0, or -1 with EX_DATAERR.
 */
int import_line_read(const char *text, size_t len, struct import_line *line, struct error *error);

/* import_line_number(line, member, number): read a number from 0.  0, or -1 with EX_DATAERR. */
int import_line_number(const struct import_line *line, enum import_member member, uint64_t *number,
	struct error *error);

/*
 * import_line_text(line, member, out, error):
 * Replace the content of ${out} with the decoded member, and put a NUL after out->len.  0, or -1
 * with EX_DATAERR or EX_OSERR.
 */
int import_line_text(const struct import_line *line, enum import_member member, struct buf *out,
	struct error *error);

/*
 * import_line_subject(line, out, subject, error):
 * If the line has a subject, decode it into ${out}, and let ${subject} point there.  0, or -1 with
 * EX_DATAERR or EX_OSERR.
 */
int import_line_subject(const struct import_line *line, struct buf *out, struct sse_text *subject,
	struct error *error);

/*
 * import_line_data(line, out, event, error):
 * Set the data of the event to what was published: as it stands in the line, or decoded into ${out}, as
 * a text, or as JSON in a text.  0, or -1 with EX_DATAERR or EX_OSERR.
 */
int import_line_data(
	const struct import_line *line, struct buf *out, struct event *event, struct error *error);

/*
 * import_line_fingerprint(line, out, value, error):
 * Read the fingerprint of a key, by way of ${out}.  0, or -1 with EX_DATAERR or EX_OSERR.
 */
int import_line_fingerprint(
	const struct import_line *line, struct buf *out, uint64_t *value, struct error *error);

#endif
