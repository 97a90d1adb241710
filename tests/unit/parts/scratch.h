/* SPDX-License-Identifier: MIT */
/* A folder of the test's own for a database, for as long as its tests run. */
#ifndef SCRATCH_H
#define SCRATCH_H

/* The database, after scratch_set_up(). */
extern char scratch_path[64];

/*
 * scratch_set_up(state) / scratch_tear_down(state):
 * Make the folder, and remove it with the database; for cmocka_run_group_tests_name().
 */
int scratch_set_up(void **state);
int scratch_tear_down(void **state);

/* scratch_remove(): remove the files of the database, and of a copy of it, "PATH.copy". */
void scratch_remove(void);

#endif
