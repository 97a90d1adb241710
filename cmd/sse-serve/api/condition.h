/* SPDX-License-Identifier: MIT */
/*
 * The conditions of a POST (RFC 9110, sections 13.1.1 and 13.1.2).  They are about the newest event
 * of the topic; its id, in the quotes of an entity-tag or without, is what they compare.  Pure.
 */
#ifndef CONDITION_H
#define CONDITION_H

#include "error.h"
#include "log/identity.h"
#include "log/store.h"

/* The values of the headers; NULL: it was not sent.  One of them was. */
struct condition_headers {
	const char *match, *none_match;
};

/*
 * condition_read(headers, identity, group, error):
 * Put what the headers ask for into group->condition and group->expected.  An id that this log did
 * not give is that of no event.  Return 0, or -1 with what is wrong and what would be right
 * (EX_DATAERR).
 */
int condition_read(const struct condition_headers *headers, const struct identity *identity,
	struct store_group *group, struct error *error);

#endif
