/* SPDX-License-Identifier: MIT */
/*
 * Readers of the log in a SQLite database; see store.h.  One topic is read by its index, a few by
 * a merge of their indexes, many by walking all events and looking whose they are.
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "buf.h"
#include "database.h"
#include "store_sqlite_reader.h"

/* The most topics whose indexes are merged. */
#define MERGED 8

/* A walk pauses after this many events of other topics: no snapshot is held for long. */
#define WALK_ROWS 32768

enum statement { SNAPSHOT, RELEASE, REMOVED, ALL_REMOVED, WALK, NEWEST, FROM_TIME, STATEMENTS };

static const char *const sql[STATEMENTS] = {
	[SNAPSHOT] = "BEGIN",
	[RELEASE] = "COMMIT",
	[REMOVED] = "SELECT removed FROM topic WHERE id = ?",
	[ALL_REMOVED] = "SELECT id, removed FROM topic WHERE removed > 0",
	[WALK] = "SELECT " DATABASE_EVENT " FROM event"
		 " WHERE position > ?1 AND position <= ?2 ORDER BY position",
	[NEWEST] = "SELECT position FROM event WHERE topic = ? AND position <= ?"
		   " ORDER BY position DESC LIMIT 1 OFFSET ?",
	[FROM_TIME] = "SELECT position, time FROM event WHERE position > ? AND position <= ?"
		      " ORDER BY position LIMIT 1",
};

struct store_reader {
	sqlite3 *db;
	struct topics *topics;
	sqlite3_stmt *statements[STATEMENTS];
	sqlite3_stmt *merges[MERGED + 1]; /* by the number of topics; made when first asked for */
};

void store_sqlite_reader_free(struct store_reader *reader)
{
	if (reader == NULL)
		return;
	database_finalize(reader->statements, STATEMENTS);
	database_finalize(reader->merges, MERGED + 1);
	sqlite3_close(reader->db);
	free(reader);
}

struct store_reader *store_sqlite_reader_new(
	const char *path, struct topics *topics, struct error *error)
{
	struct store_reader *reader = calloc(1, sizeof(*reader));

	if (reader == NULL) {
		error_set(error, EX_OSERR, "out of memory for a reader");
		return NULL;
	}
	reader->topics = topics;
	if (sqlite3_open_v2(path, &reader->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
			SQLITE_OK ||
		sqlite3_exec(reader->db, "PRAGMA query_only=1", NULL, NULL, NULL) != SQLITE_OK ||
		database_prepare(reader->db, sql, reader->statements, STATEMENTS) != 0) {
		database_failed(reader->db, "cannot open the database for reading", error);
		store_sqlite_reader_free(reader);
		return NULL;
	}
	sqlite3_busy_timeout(reader->db, DATABASE_BUSY_MS);
	return reader;
}

/* --- what is gone --- */

static int removed_of(
	struct store_reader *reader, const struct topic *topic, struct store_query *query)
{
	sqlite3_stmt *statement = reader->statements[REMOVED];
	int code;

	sqlite3_bind_int64(statement, 1, topic->row);
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		store_query_removed(query, (uint64_t)sqlite3_column_int64(statement, 0));
	sqlite3_reset(statement);
	return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : -1;
}

/* The topic that has this row, if it is in the set; otherwise NULL. */
static struct topic *topic_in(
	struct store_reader *reader, const struct topic_set *set, uint32_t row)
{
	struct topic *topic;

	for (uint32_t i = 0; i < set->count && set->count <= MERGED; i++) {
		if (set->topics[i]->row == row)
			return set->topics[i];
	}
	if (set->count <= MERGED)
		return NULL;
	topic = topics_of_row(reader->topics, row);
	return topic != NULL && topic_set_has(set, topic) ? topic : NULL;
}

static int removed_of_many(struct store_reader *reader, struct store_query *query)
{
	sqlite3_stmt *row = reader->statements[ALL_REMOVED];
	int code;

	while ((code = sqlite3_step(row)) == SQLITE_ROW) {
		if (topic_in(reader, query->topics, (uint32_t)sqlite3_column_int64(row, 0)) != NULL)
			store_query_removed(query, (uint64_t)sqlite3_column_int64(row, 1));
	}
	sqlite3_reset(row);
	return code == SQLITE_DONE ? 0 : -1;
}

static int read_removed(struct store_reader *reader, struct store_query *query)
{
	query->removed = query->removed_sum = 0;
	if (query->topics->count > MERGED)
		return removed_of_many(reader, query);
	for (uint32_t i = 0; i < query->topics->count; i++) {
		if (removed_of(reader, query->topics->topics[i], query) != 0)
			return -1;
	}
	return 0;
}

/* --- events --- */

/* A statement of ordered parts, which SQLite merges without sorting. */
static sqlite3_stmt *merge_of(struct store_reader *reader, uint32_t count)
{
	struct buf text;
	bool added = true;

	if (reader->merges[count] != NULL)
		return reader->merges[count];
	buf_init(&text, 4096);
	for (uint32_t i = 0; i < count; i++)
		added = added && buf_addf(&text,
					 "%sSELECT " DATABASE_EVENT " FROM event WHERE topic = ?%u"
					 " AND position > ?1 AND position <= ?2",
					 i > 0 ? " UNION ALL " : "", i + 3);
	added = added && buf_add_text(&text, " ORDER BY position");
	if (added)
		sqlite3_prepare_v3(reader->db, text.data, (int)text.len, SQLITE_PREPARE_PERSISTENT,
			&reader->merges[count], NULL);
	buf_free(&text);
	return reader->merges[count];
}

/* The statement for the query's topics, with its values. */
static sqlite3_stmt *prepare_read(struct store_reader *reader, const struct store_query *query)
{
	const struct topic_set *set = query->topics;
	bool walk = set->count > MERGED ||
		    (set->count > 1 && set->count == topics_count(reader->topics));
	sqlite3_stmt *statement = walk ? reader->statements[WALK] : merge_of(reader, set->count);

	if (statement == NULL)
		return NULL;
	sqlite3_bind_int64(statement, 1, (int64_t)query->after);
	sqlite3_bind_int64(statement, 2, (int64_t)query->upto);
	for (uint32_t i = 0; !walk && i < set->count; i++)
		sqlite3_bind_int64(statement, (int)i + 3, set->topics[i]->row);
	return statement;
}

static int visit_events(
	struct store_reader *reader, struct store_query *query, store_visit visit, void *context)
{
	sqlite3_stmt *row = prepare_read(reader, query);
	unsigned unwanted = 0;
	int code = SQLITE_ERROR;

	query->reached = query->after;
	while (row != NULL && unwanted < WALK_ROWS && (code = sqlite3_step(row)) == SQLITE_ROW) {
		struct topic *topic = topic_in(reader, query->topics, database_event_topic(row));
		struct event event;

		if (topic != NULL) {
			database_event(row, &event);
			event.topic = topic;
			if (!visit(context, &event))
				break;
		} else {
			unwanted++;
		}
		query->reached = (uint64_t)sqlite3_column_int64(row, 0);
	}
	sqlite3_reset(row);
	if (code == SQLITE_DONE)
		query->reached = query->upto;
	return code == SQLITE_DONE || code == SQLITE_ROW ? 0 : -1;
}

int store_sqlite_reader_read(struct store_reader *reader, struct store_query *query,
	store_visit visit, void *context, struct error *error)
{
	int result = 0;

	if (database_run(reader->statements[SNAPSHOT]) != 0 || read_removed(reader, query) != 0 ||
		visit_events(reader, query, visit, context) != 0)
		result = database_failed(reader->db, "cannot read the log", error);
	/* No snapshot outlives a chunk, or the WAL would grow. */
	if (!sqlite3_get_autocommit(reader->db))
		database_run(reader->statements[RELEASE]);
	return result;
}

int store_sqlite_reader_newest(struct store_reader *reader, const struct topic *topic,
	uint64_t upto, uint64_t count, uint64_t *after, struct error *error)
{
	sqlite3_stmt *statement = reader->statements[NEWEST];
	int code;

	sqlite3_bind_int64(statement, 1, topic->row);
	sqlite3_bind_int64(statement, 2, (int64_t)upto);
	sqlite3_bind_int64(statement, 3, (int64_t)count);
	code = sqlite3_step(statement);
	*after = code == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
	sqlite3_reset(statement);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return database_failed(reader->db, "cannot read the log", error);
	return 0;
}

/*
 * By halving: times grow with positions, but for a clock that was set back, where any of the
 * places that it could mean will do.
 */
int store_sqlite_reader_since(struct store_reader *reader, int64_t time, uint64_t upto,
	uint64_t *after, struct error *error)
{
	sqlite3_stmt *statement = reader->statements[FROM_TIME];
	uint64_t low = 0, high = upto; /* all up to low are older; what is after high is not */
	int code;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		sqlite3_bind_int64(statement, 1, (int64_t)middle);
		sqlite3_bind_int64(statement, 2, (int64_t)high);
		code = sqlite3_step(statement);
		if (code == SQLITE_ROW && sqlite3_column_int64(statement, 1) < time)
			low = (uint64_t)sqlite3_column_int64(statement, 0);
		else
			high = middle;
		sqlite3_reset(statement);
		if (code != SQLITE_ROW && code != SQLITE_DONE)
			return database_failed(reader->db, "cannot read the log", error);
	}
	*after = low;
	return 0;
}
