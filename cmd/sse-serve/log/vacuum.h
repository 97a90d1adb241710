/* SPDX-License-Identifier: MIT */
/*
 * Giving space back.  New events reuse the space that retention freed, but after a large removal
 * the file is made smaller, a few pages at a time.  Only the log thread uses it, outside its
 * transactions.
 */
#ifndef VACUUM_H
#define VACUUM_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct vacuum {
	sqlite3 *db;
	bool active;  /* there are more free pages than the server keeps */
	bool pending; /* the file is larger than the database until a checkpoint has passed */
};

/*
 * vacuum_step(vacuum):
 * Do a small step, if one is left.  Return the ms after which to call again (0: more is left), or
 * -1 if nothing is left.
 */
int64_t vacuum_step(struct vacuum *vacuum);

#endif
