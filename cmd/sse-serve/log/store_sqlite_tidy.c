/* SPDX-License-Identifier: MIT */
/* Removing from the log in a SQLite database; see store_sqlite_tidy.h. */
#include "clock.h"
#include "store_sqlite_erase.h"
#include "store_sqlite_tidy.h"

/* Rows that a step of tidying looks at. */
#define TIDY_ROWS 1000

/* Expired keys are swept at most this often, unless there is more than a step's. */
#define TIDY_MS 1000

/* After a failure, this long passes without removing. */
#define REST_MS 1000

static int remove_some(struct sqlite_store *sqlite, uint64_t head, int64_t now)
{
	int rows = (int)(2 * (head - sqlite->store.head)) + 16;

	if (idempotency_table_sweep(&sqlite->keys, rows, now) != 0)
		return -1;
	return retention_step(sqlite->retention, rows, false, head, now) == 0
		       ? retention_save(sqlite->retention, false, head)
		       : -1;
}

static bool rests(const struct sqlite_store *sqlite)
{
	return sqlite->rest_until != 0 && sqlite->rest_until > clock_now_ms();
}

int store_sqlite_tidy_some(struct sqlite_store *sqlite, uint64_t head, int64_t now, bool *removed)
{
	int before = sqlite3_total_changes(sqlite->db), result;

	if (rests(sqlite))
		return 0;
	result = remove_some(sqlite, head, now);
	*removed |= result != 0 || sqlite3_total_changes(sqlite->db) != before;
	return result;
}

int store_sqlite_tidy_superseded(
	struct sqlite_store *sqlite, const struct event *event, bool *removed)
{
	int before, result;

	if (event->subject.len == 0)
		return 0;
	if (rests(sqlite)) {
		retention_sweep_again(sqlite->retention);
		return 0;
	}
	before = sqlite3_total_changes(sqlite->db);
	result = retention_supersede(sqlite->retention, event);
	*removed |= result != 0 || sqlite3_total_changes(sqlite->db) != before;
	return result;
}

void store_sqlite_tidy_rest(struct sqlite_store *sqlite)
{
	sqlite->rest_until = clock_now_ms() + REST_MS;
}

/*
 * All nodes of a shared log must agree on which keys are known, so the clock for those is that of the
 * log.
 */
static int64_t keys_now(const struct sqlite_store *sqlite, int64_t now)
{
	return sqlite->copy.is ? sqlite->copy.time : now;
}

/* The time from which there is something to remove. */
static int64_t due(const struct sqlite_store *sqlite, int64_t now)
{
	int64_t keys = idempotency_table_expires(&sqlite->keys);
	int64_t events = retention_due(sqlite->retention, now);

	/* Nothing but the next command moves that clock. */
	if (sqlite->copy.is && keys > sqlite->copy.time)
		keys = INT64_MAX;
	return keys < events ? keys : events;
}

static int tidy_step(struct sqlite_store *sqlite, int64_t now)
{
	if (store_sqlite_writer_begin(sqlite) == 0 &&
		idempotency_table_sweep(&sqlite->keys, TIDY_ROWS, keys_now(sqlite, now)) == 0 &&
		retention_step(sqlite->retention, TIDY_ROWS, true, sqlite->store.head, now) == 0 &&
		store_sqlite_writer_commit(sqlite) == 0)
		return 0;
	store_sqlite_writer_rollback(sqlite);
	return -1;
}

/* What is due, and when to come again: 0 if there is more of it, -1 for never. */
static int64_t tidy_rows(struct sqlite_store *sqlite)
{
	int64_t now = clock_wall_ms(), then = due(sqlite, now), wait;

	if (then == INT64_MAX)
		return -1;
	if (then <= now) {
		if (tidy_step(sqlite, now) != 0)
			return REST_MS;
		then = due(sqlite, now);
		if (then <= now)
			return 0;
	}
	/* Bounded, since the clock may be set. */
	wait = then - now < 60 * TIDY_MS ? then - now : 60 * TIDY_MS;
	return wait > TIDY_MS ? wait : TIDY_MS;
}

void store_sqlite_retain(struct store *store, const struct retention_rules *retention_rules)
{
	struct sqlite_store *sqlite = (struct sqlite_store *)store;

	retention_use(sqlite->retention, retention_rules);
	sqlite->tidy_at = 0;
}

int64_t store_sqlite_tidy(struct store *store)
{
	struct sqlite_store *sqlite = (struct sqlite_store *)store;
	int64_t now = clock_now_ms(), rows, vacuum = -1;

	if (sqlite->tidy_at > now)
		return sqlite->tidy_at - now;
	rows = tidy_rows(sqlite);
	if (rows != 0)
		vacuum = vacuum_step(&sqlite->vacuum);
	if (vacuum >= 0 && (rows < 0 || vacuum < rows))
		rows = vacuum;
	if (!store_sqlite_erase_wash(sqlite) && (rows < 0 || rows > REST_MS))
		rows = REST_MS;
	/* Publishing calls this after each batch: not each of them is worth a sync. */
	sqlite->tidy_at = rows == 0 ? 0 : now + (rows < 0 || rows > TIDY_MS ? TIDY_MS : rows);
	return rows;
}
