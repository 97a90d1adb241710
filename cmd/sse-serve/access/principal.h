/* SPDX-License-Identifier: MIT */
/*
 * Somebody who has proven who they are, and what they may do.  A principal can end, but nothing
 * else about it changes.  Requests, streams, sessions and tickets hold it.  Any thread.
 */
#ifndef PRINCIPAL_H
#define PRINCIPAL_H

#include <stdbool.h>
#include <stdint.h>

#include "grants.h"

#define PRINCIPAL_FOREVER INT64_MAX

struct principal {
	_Atomic unsigned references;
	char *name;		     /* from the line, or from a JWT's `sub`; NULL for everyone */
	char *as;		     /* the name under which it is present and chats; NULL: none */
	bool any_name;		     /* it may take any name that nobody has proven */
	struct grants grants;	     /* including those of everyone */
	int64_t expires;	     /* ms since the epoch; or PRINCIPAL_FOREVER */
	const char *expired;	     /* what is said then, a constant */
	struct principal *parent;    /* held: this ends when its parent ends; or NULL */
	struct principal *authority; /* likewise, the key or the CA that vouches for it; or NULL */
	_Atomic(const char *) ended; /* why it has ended, a constant; NULL: it has not */
};

/*
 * principal_new(name, as, grants, expires, parent):
 * Make a principal, held for the caller.  The texts are copied (NULL: none); the grants are taken,
 * even on failure; the parent is held.  Return NULL without memory.
 */
struct principal *principal_new(const char *name, const char *as, struct grants *grants,
	int64_t expires, struct principal *parent);

/* principal_hold(principal): hold it once more, and return it.  Takes NULL. */
struct principal *principal_hold(struct principal *principal);

/* principal_drop(principal): release it; the last holder frees it.  Takes NULL. */
void principal_drop(struct principal *principal);

/* principal_root(principal): the parent of all its parents, or itself; not held. */
const struct principal *principal_root(const struct principal *principal);

/* principal_end(principal, reason): end it now.  ${reason} is a constant sentence. */
void principal_end(struct principal *principal, const char *reason);

/*
 * principal_over(principal, now):
 * Has it ended or expired at ${now}, ms since the epoch?  Return the reason, "the token has
 * expired", or NULL if it has not.  Takes NULL, which never ends.
 */
const char *principal_over(const struct principal *principal, int64_t now);

/* principal_expires(principal): when it or a parent expires, in ms since the epoch.  Takes NULL. */
int64_t principal_expires(const struct principal *principal);

#endif
