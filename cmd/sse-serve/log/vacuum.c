/* SPDX-License-Identifier: MIT */
/* Giving space back; see vacuum.h. */
#include "database.h"
#include "vacuum.h"

/* Pages that one step moves from the end of the file. */
#define STEP "256"

/* It begins when a quarter of the pages, and this many, are free, and leaves a 32nd. */
#define FREE_PAGES 128

/* How long to wait for readers that are in the way, or after a failure. */
#define RETRY_MS 1000

static bool is_worth_it(struct vacuum *vacuum)
{
	int64_t free_pages = database_ask(vacuum->db, "PRAGMA freelist_count");
	int64_t pages = database_ask(vacuum->db, "PRAGMA page_count");

	if (vacuum->active)
		return free_pages > FREE_PAGES / 4 && free_pages > pages / 32;
	return free_pages > FREE_PAGES && free_pages > pages / 4;
}

int64_t vacuum_step(struct vacuum *vacuum)
{
	int in_wal = 0, done = 0;

	vacuum->active = is_worth_it(vacuum);
	if (vacuum->active) {
		vacuum->pending = true;
		return sqlite3_exec(vacuum->db, "PRAGMA incremental_vacuum(" STEP ")", NULL, NULL,
			       NULL) == SQLITE_OK
			       ? 0
			       : RETRY_MS;
	}
	if (!vacuum->pending)
		return -1;
	/*
	 * Only a checkpoint that comes to the end of the WAL cuts the file; it does not wait for
	 * readers.
	 */
	if (sqlite3_wal_checkpoint_v2(
		    vacuum->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &in_wal, &done) != SQLITE_OK ||
		done < in_wal)
		return RETRY_MS;
	vacuum->pending = false;
	return -1;
}
