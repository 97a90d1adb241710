/* SPDX-License-Identifier: MIT */
/* Deleting from the log in a SQLite database; see store_sqlite_erase.h. */
#include "clock.h"
#include "database.h"
#include "store_sqlite_erase.h"

/* How long a look at the WAL waits for readers, the pause between two, and when to give up. */
#define WASH_MS 20
#define WASH_PAUSE_MS 10
#define WASH_UNTIL_MS 2000

/* Delete the events of a step, in one transaction.  Return 0, or -1 if SQLite fails. */
static int erase_some(struct sqlite_store *sqlite, struct store_deletion *deletion)
{
	uint64_t after = deletion->after, newest = 0;

	if (store_sqlite_writer_begin(sqlite) != 0 ||
		retention_delete(sqlite->retention, deletion->topic, &after, deletion->upto,
			sqlite->store.head, &newest) != 0)
		return -1;
	if (newest == 0) {
		store_sqlite_writer_rollback(sqlite);
	} else {
		if (store_sqlite_writer_commit(sqlite) != 0)
			return -1;
		sqlite->unwashed = true;
		deletion->newest = newest;
		deletion->erased = ++sqlite->store.head;
	}
	deletion->after = after;
	return 0;
}

bool store_sqlite_erase_wash(struct sqlite_store *sqlite)
{
	if (!sqlite->unwashed)
		return true;
	sqlite3_busy_timeout(sqlite->db, WASH_MS);
	sqlite->unwashed = sqlite3_wal_checkpoint_v2(sqlite->db, NULL, SQLITE_CHECKPOINT_TRUNCATE,
				   NULL, NULL) != SQLITE_OK;
	sqlite3_busy_timeout(sqlite->db, DATABASE_BUSY_MS);
	/* Its pages in memory are not scrubbed, and would get into the WAL with their next change. */
	if (!sqlite->unwashed)
		sqlite3_db_release_memory(sqlite->db);
	sqlite->wash_held = sqlite->wash_held && sqlite->unwashed;
	return !sqlite->unwashed;
}

/*
 * Our own readers are out of the way soon; for one of another program nobody waits for ever, and
 * only the first does.
 */
static void finish(struct sqlite_store *sqlite, struct store_deletion *deletion)
{
	int64_t now = clock_now_ms();

	if (deletion->until == 0)
		deletion->until = now + WASH_UNTIL_MS;
	deletion->ended =
		store_sqlite_erase_wash(sqlite) || sqlite->wash_held || now >= deletion->until;
	sqlite->wash_held = sqlite->unwashed && (sqlite->wash_held || now >= deletion->until);
	deletion->wait = WASH_PAUSE_MS;
}

int store_sqlite_erase(struct store *store, struct store_deletion *deletion, struct error *error)
{
	struct sqlite_store *sqlite = (struct sqlite_store *)store;

	deletion->wait = 0;
	if (deletion->topic->row == 0)
		deletion->after = deletion->upto;
	if (deletion->after >= deletion->upto) {
		finish(sqlite, deletion);
		return 0;
	}
	if (erase_some(sqlite, deletion) == 0)
		return 0;
	database_failed(sqlite->db, "cannot delete the events", error);
	store_sqlite_writer_rollback(sqlite);
	return -1;
}
