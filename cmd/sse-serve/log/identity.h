/* SPDX-License-Identifier: MIT */
/*
 * Event ids: `tag:position`.  Each opening of a log for writing starts an incarnation with a
 * random tag, so that an id of a replaced, restored or copied log differs from an id of this log.
 * A position belongs to the incarnation that was open when it was written.  Ids are opaque to
 * clients; their bytes need no escaping in a URL, a header or a frame.
 */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IDENTITY_TAG 8				  /* letters of a tag */
#define IDENTITY_TEXT (IDENTITY_TAG + 1 + 20 + 1) /* room for an id and its NUL */

struct incarnation {
	uint64_t opened; /* the log's head at its opening; it wrote the later positions */
	char tag[IDENTITY_TAG + 1];
};

/* All incarnations of a log, the oldest first.  Filled while the log is opened, then constant. */
struct identity {
	struct incarnation *incarnations; /* owned */
	size_t count;			  /* at least 1 */
};

/* identity_write_tag(number, tag): a tag made of that number. */
void identity_write_tag(uint64_t number, char tag[IDENTITY_TAG + 1]);

/* identity_new_tag(tag): a random tag.  Return 0, or -1 without randomness. */
int identity_new_tag(char tag[IDENTITY_TAG + 1]);

/* identity_add(identity, tag, opened): append an incarnation.  Return 0, or -1 without memory. */
int identity_add(struct identity *identity, const char *tag, uint64_t opened);

/* identity_format(identity, position, text): write the id of ${position}; return its length. */
size_t identity_format(
	const struct identity *identity, uint64_t position, char text[IDENTITY_TEXT]);

/*
 * identity_parse(identity, text, head, position):
 * Read an id.  True, with *${position} set, if its incarnation is in this log and the position
 * belongs to that incarnation and is not after ${head}, the newest position.
 */
bool identity_parse(
	const struct identity *identity, const char *text, uint64_t head, uint64_t *position);

/* identity_free(identity): release the incarnations. */
void identity_free(struct identity *identity);

#endif
