/* SPDX-License-Identifier: MIT */
/*
 * The names of chat messages, which are data: {"name":"Ann","text":"Hello"}, and the ephemeral
 * event typing, {"name":"Ann"}.  If names are proven, nobody can write under another's name.
 */
#ifndef AUTHOR_H
#define AUTHOR_H

#include "error.h"
#include "log/event.h"

struct access;
struct principal;

/*
 * author_check(access, principal, event, error):
 * May the principal (NULL: there is no access control) publish this event under the name in its
 * data?  Data of any other form has no name, and may be published.  Return 0, or -1 with the reason
 * (EX_NOPERM; EX_OSERR without memory).
 */
int author_check(struct access *access, const struct principal *principal,
	const struct event *event, struct error *error);

/*
 * author_is(principal, event):
 * Is the event a message under the principal's own name?  Where names are proven, nobody else can
 * have published it.
 */
bool author_is(const struct principal *principal, const struct event *event);

/*
 * author_may_be(access, principal, name):
 * May the principal take this name?  It may take its own name.  If it may take any name, it may
 * take one that no line of the access file has, and that has no white space at its ends: pages do
 * not show such white space, so the name would look like another.
 */
bool author_may_be(struct access *access, const struct principal *principal, const char *name);

#endif
