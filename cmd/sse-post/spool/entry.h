/* SPDX-License-Identifier: MIT */
/*
 * The content of a spool file: events, and why they were spooled.  Pure.
 *
 *	sse-post spool 1
 *	url: http://localhost:8000/api/users
 *	spooled: 2026-11-26T03:00:01.123Z
 *	reason: cannot connect to http://localhost:8000/api/users: Connection refused
 *	events: 2
 *
 *	{"key":"019ab...","json":{"firstname":"John","lastname":"DOE"}}
 *	{"key":"019ab...","event":"note","text":"two words"}
 *
 * An event has one of the members json (the value as it is), json-text (a value that spans several
 * lines, as a string), text and form; and topic, key, event, subject and id if it has them.  Unknown header lines
 * are ignored, so that a later version can add some.
 */
#ifndef ENTRY_H
#define ENTRY_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "error.h"
#include "event/group.h"

/* The largest file: one event of the largest size, with all of its text escaped. */
#define ENTRY_MAX (8 * EVENT_MAX)

/* A cap for reading one, which a file of that size does not reach. */
#define ENTRY_FILE_MAX (ENTRY_MAX + 65536)

/* The header, before the events. */
struct entry {
	const char *url;    /* without credentials */
	const char *reason; /* one line */
	int64_t spooled;    /* ms since 1970 */
};

/*
 * entry_write(entry, group, from, count, out):
 * Append the file of the ${count} events from ${from} on.  False without memory, or if it would be
 * too large.
 */
bool entry_write(const struct entry *entry, const struct group *group, size_t from, size_t count,
	struct buf *out);

/*
 * entry_read(text, len, spooled, group, error):
 * Add the events of a file to ${group} and store when they were spooled.  EX_DATAERR if the file is
 * incomplete, EX_IOERR if its version is unknown; then nothing is added.
 */
int entry_read(
	const char *text, size_t len, int64_t *spooled, struct group *group, struct error *error);

/*
 * entry_read_healthy(text, len, spooled, group, damaged, error):
 * As entry_read(), but leave out an event that cannot be read, and append its line to ${damaged},
 * with a line end.
 */
int entry_read_healthy(const char *text, size_t len, int64_t *spooled, struct group *group,
	struct buf *damaged, struct error *error);

/*
 * entry_write_damaged(entry, damaged, count, out):
 * As entry_write(), for the ${count} lines in ${damaged}, unchanged.
 */
bool entry_write_damaged(
	const struct entry *entry, const struct buf *damaged, size_t count, struct buf *out);

/* entry_url(text, len): the URL in an entry, which the caller frees; NULL without one. */
char *entry_url(const char *text, size_t len);

#endif
