/* SPDX-License-Identifier: MIT */
/*
 * What a file of the spool holds: some events, and why they are there.  Pure.
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
 * lines, as a string), text and form; and key, event and id if it has them.  Header lines that are
 * not known are passed over, so that a later version can add some.
 */
#ifndef ENTRY_H
#define ENTRY_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "error.h"
#include "event.h"

/* The most that a file may have: one event of the largest size, its text in the worst escapes. */
#define ENTRY_MAX (8 * EVENT_MAX)

/* A cap for reading one, which a file of that size does not reach. */
#define ENTRY_FILE_MAX (ENTRY_MAX + 65536)

/* What stands before the events. */
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
 * Add the events of a file to ${group} and store when they were spooled.  EX_DATAERR if it is not
 * whole, EX_IOERR if it is of a version that is not known; nothing is added then.
 */
int entry_read(
	const char *text, size_t len, int64_t *spooled, struct group *group, struct error *error);

/*
 * entry_read_healthy(text, len, spooled, group, damaged, error):
 * As entry_read(), but an event that cannot be read is left out, and its line put into ${damaged},
 * with a line end.
 */
int entry_read_healthy(const char *text, size_t len, int64_t *spooled, struct group *group,
	struct buf *damaged, struct error *error);

/*
 * entry_write_damaged(entry, damaged, count, out):
 * As entry_write(), of the ${count} lines in ${damaged}, as they are.
 */
bool entry_write_damaged(
	const struct entry *entry, const struct buf *damaged, size_t count, struct buf *out);

/* entry_url(text, len): the URL that an entry names, to be freed; NULL if it names none. */
char *entry_url(const char *text, size_t len);

#endif
