/* SPDX-License-Identifier: MIT */
/* Where a new stream starts. */
#ifndef START_H
#define START_H

#include <stdint.h>

struct start {
	enum {
		START_NOW,
		START_AFTER,   /* after the position ${after} of this log */
		START_UNKNOWN, /* after the id ${unknown}, which is not of this log */
		START_SINCE,   /* with the events from ${since} on, ms since 1970; 0 for all */
		START_LAST,    /* with the ${last} newest events, 1 to STORE_NEWEST_MAX */
		START_LATEST,  /* with the newest event of each subject, if it is after ${after};
				  with 0, without those that are cleared */
	} kind;
	uint64_t after;
	char *unknown; /* owned; with START_LATEST, NULL: it has no such id, otherwise after is 0 */
	int64_t since;
	uint64_t last;
};

#endif
