/* SPDX-License-Identifier: MIT */
/* Idempotency keys in the database; see idempotency_table.h. */
#include "database.h"
#include "idempotency_table.h"

/* Look which key is the oldest.  After a rollback this may be out of date, which does no harm: a
 * sweep then finds nothing, or comes later. */
static int refresh(struct idempotency_table *keys)
{
	int code;

	sqlite3_bind_int(keys->oldest, 1, 1);
	code = sqlite3_step(keys->oldest);
	keys->first = code == SQLITE_ROW ? sqlite3_column_int64(keys->oldest, 1) : INT64_MAX;
	sqlite3_reset(keys->oldest);
	return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : -1;
}

/* Not REPLACE, for which SQLite keeps a journal of each statement. */
#define ADD "INSERT OR IGNORE INTO publish_key(position, topic, key, fingerprint, time) VALUES"
#define ROW "(?, ?, ?, ?, ?)"

int idempotency_table_open(struct idempotency_table *keys, sqlite3 *db, int64_t window)
{
	static const char *const sql[] = {
		"SELECT position, fingerprint, time FROM publish_key WHERE topic = ? AND key = ?",
		ADD ROW, ADD DATABASE_ROWS_OF(ROW),
		"SELECT position, time FROM publish_key ORDER BY position LIMIT ?",
		"DELETE FROM publish_key WHERE position <= ?",
		"DELETE FROM publish_key WHERE position >= ?",
		"DELETE FROM publish_key WHERE position = ?"};
	sqlite3_stmt *statements[7] = {NULL};
	int result = database_prepare(db, sql, statements, 7);

	*keys = (struct idempotency_table){db, statements[0], statements[1], statements[2],
		statements[3], statements[4], statements[5], statements[6], window, INT64_MAX};
	return result == 0 ? refresh(keys) : -1;
}

void idempotency_table_close(struct idempotency_table *keys)
{
	sqlite3_finalize(keys->find);
	sqlite3_finalize(keys->add);
	sqlite3_finalize(keys->add_rows);
	sqlite3_finalize(keys->oldest);
	sqlite3_finalize(keys->remove);
	sqlite3_finalize(keys->remove_from);
	sqlite3_finalize(keys->expire);
}

/* Find the event known under the key; *${expired} is its position if it is too old to count. */
static int find(struct idempotency_table *keys, struct store_append *append, int64_t now,
	int64_t *expired, bool *known)
{
	sqlite3_stmt *row = keys->find;
	int code;

	sqlite3_bind_int64(row, 1, topic_row(append->event.topic));
	sqlite3_bind_text64(row, 2, append->key.data, append->key.len, SQLITE_STATIC, SQLITE_UTF8);
	code = sqlite3_step(row);
	*expired = 0;
	*known = false;
	if (code == SQLITE_ROW && sqlite3_column_int64(row, 2) <= now - keys->window) {
		*expired = sqlite3_column_int64(row, 0);
	} else if (code == SQLITE_ROW) {
		append->event.position = (uint64_t)sqlite3_column_int64(row, 0);
		append->event.time = sqlite3_column_int64(row, 2);
		append->duplicate = (uint64_t)sqlite3_column_int64(row, 1) == append->fingerprint;
		*known = true;
	}
	sqlite3_reset(row);
	return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : -1;
}

/* Add ${count} by a statement for so many, but for those whose keys are there. */
static int add(struct idempotency_table *keys, sqlite3_stmt *statement,
	const struct store_append *appends, int count, bool *known)
{
	for (int i = 0; i < count; i++) {
		const struct store_append *append = &appends[i];
		int first = i * 5;

		sqlite3_bind_int64(statement, first + 1, (int64_t)append->event.position);
		sqlite3_bind_int64(statement, first + 2, topic_row(append->event.topic));
		sqlite3_bind_text64(statement, first + 3, append->key.data, append->key.len,
			SQLITE_STATIC, SQLITE_UTF8);
		sqlite3_bind_int64(statement, first + 4, (int64_t)append->fingerprint);
		sqlite3_bind_int64(statement, first + 5, append->event.time);
	}
	if (database_run(statement) != 0)
		return -1;
	*known = sqlite3_changes(keys->db) < count;
	if (!*known && keys->first == INT64_MAX)
		keys->first = appends->event.time;
	return 0;
}

int idempotency_table_add_rows(
	struct idempotency_table *keys, const struct store_append *appends, bool *known)
{
	if (add(keys, keys->add_rows, appends, DATABASE_ROWS, known) != 0)
		return -1;
	if (!*known)
		return 0;
	/* Positions only grow: the rows with these positions are the ones added now. */
	sqlite3_bind_int64(keys->remove_from, 1, (int64_t)appends->event.position);
	return database_run(keys->remove_from);
}

/* Nearly all keys are new: so adding is tried first, which is one search of the index, not two. */
int idempotency_table_add(
	struct idempotency_table *keys, struct store_append *append, int64_t now, bool *known)
{
	int64_t expired = 0;

	if (add(keys, keys->add, append, 1, known) != 0)
		return -1;
	if (!*known)
		return 0;
	if (find(keys, append, now, &expired, known) != 0)
		return -1;
	if (expired == 0)
		return *known ? 0 : -1;
	sqlite3_bind_int64(keys->expire, 1, expired);
	return database_run(keys->expire) == 0 ? add(keys, keys->add, append, 1, known) : -1;
}

int idempotency_table_find(
	struct idempotency_table *keys, struct store_append *append, int64_t now, bool *known)
{
	int64_t expired = 0;

	return find(keys, append, now, &expired, known);
}

int64_t idempotency_table_expires(const struct idempotency_table *keys)
{
	return keys->first == INT64_MAX ? INT64_MAX : keys->first + keys->window;
}

int idempotency_table_sweep(struct idempotency_table *keys, int rows, int64_t now)
{
	int64_t last = 0;
	int code;

	if (idempotency_table_expires(keys) > now)
		return 0;
	sqlite3_bind_int(keys->oldest, 1, rows);
	while ((code = sqlite3_step(keys->oldest)) == SQLITE_ROW &&
		sqlite3_column_int64(keys->oldest, 1) <= now - keys->window)
		last = sqlite3_column_int64(keys->oldest, 0);
	sqlite3_reset(keys->oldest);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return -1;
	sqlite3_bind_int64(keys->remove, 1, last);
	if (last > 0 && database_run(keys->remove) != 0)
		return -1;
	return refresh(keys);
}
