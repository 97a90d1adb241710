/* SPDX-License-Identifier: MIT */
/*
 * Giving space back: what retention freed is used again by new events, but after a large prune the
 * file is made smaller, a few pages at a time.  The log thread's, outside of its transactions.
 */
#ifndef SHRINK_H
#define SHRINK_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct shrink {
	sqlite3 *db;
	bool active;  /* there are more free pages than we keep */
	bool pending; /* the file is larger than the database until a checkpoint has passed */
};

/*
 * shrink_step(shrink):
 * Do a small step, if there is one to do.  Return the ms after which to call again (0: there is
 * more to do), or -1 if there is nothing more to do.
 */
int64_t shrink_step(struct shrink *shrink);

#endif
