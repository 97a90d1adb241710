/* SPDX-License-Identifier: MIT */
/*
 * What a principal may do: the topics for each verb, as patterns.  Pure text: no I/O.
 *
 * One pattern covers another if it matches every topic that the other matches.  A request for a
 * pattern needs a single grant that covers the whole of it.  If a stream silently left out a part,
 * its reader would think that nothing had happened there.
 */
#ifndef GRANTS_H
#define GRANTS_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

enum verb {
	VERB_UNSAID,  /* a route whose row forgot its verb: nobody may use it */
	VERB_FREE,    /* for everybody: pages, health */
	VERB_PUBLISH, /* send events */
	VERB_READ,    /* streams, lists, single events, presence */
	VERB_DELETE,  /* take back events, of whoever they are */
	VERB_STATUS,  /* $sys and /metrics, which name no topic */
};

#define VERB_COUNT (VERB_STATUS + 1)

/* All zero: no grants. */
struct grants {
	char **patterns[VERB_COUNT]; /* owned; for VERB_PUBLISH, VERB_READ and VERB_DELETE */
	size_t counts[VERB_COUNT];
	bool status;
};

/* verb_name(verb): "publish", "read", "delete" or "status". */
const char *verb_name(enum verb verb);

/*
 * grants_add(grants, verb, pattern, len, error):
 * Grant the verb (VERB_PUBLISH, VERB_READ or VERB_DELETE) on all topics of the pattern, which is copied.  Return
 * 0, or -1 with the reason: not a pattern (EX_DATAERR), out of memory (EX_OSERR).
 */
int grants_add(struct grants *grants, enum verb verb, const char *pattern, size_t len,
	struct error *error);

/* grants_add_all(grants, more): add all grants of ${more}.  Return 0, or -1 without memory. */
int grants_add_all(struct grants *grants, const struct grants *more);

/*
 * grants_cover(grants, verb, topic):
 * Is the verb granted for the whole of a topic or pattern?  The caller has checked that ${topic} is
 * valid.  NULL: is the verb granted for any topic at all?  It is NULL for VERB_STATUS.
 */
bool grants_cover(const struct grants *grants, enum verb verb, const char *topic);

/* grants_equal(a, b): do they grant the same, in the same words and order? */
bool grants_equal(const struct grants *a, const struct grants *b);

/* grants_free(grants): release their memory; they are empty after that. */
void grants_free(struct grants *grants);

#endif
