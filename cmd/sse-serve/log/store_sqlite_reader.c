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
#include "newest.h"
#include "store_sqlite_reader.h"
#include "store_sqlite_reader_internal.h"

/* A walk pauses after this many events of other topics: no snapshot is held for long. */
#define WALK_ROWS 32768

/* So many of the newest events are looked at before each topic is asked for its own. */
#define WALK_BACK_ROWS "4096"

static const char *const sql[STATEMENTS] = {
	[SNAPSHOT] = "BEGIN",
	[RELEASE] = "COMMIT",
	[REMOVED] = "SELECT id, removed, deleted, superseded, erased FROM topic WHERE id = ?",
	[ALL_REMOVED] = "SELECT id, removed, deleted, superseded, erased FROM topic"
			" WHERE removed > 0 OR deleted > 0 OR superseded > 0",
	[WALK] = "SELECT " DATABASE_EVENT " FROM event"
		 " WHERE position > ?1 AND position <= ?2 ORDER BY position",
	[WALK_BACK] = "SELECT position, topic FROM event WHERE position <= ?"
		      " ORDER BY position DESC LIMIT " WALK_BACK_ROWS,
	[NEWEST] = "SELECT position FROM event WHERE topic = ? AND position <= ?"
		   " ORDER BY position DESC LIMIT -1 OFFSET ?",
	[FROM_TIME] = "SELECT position, time FROM event WHERE position > ? AND position <= ?"
		      " ORDER BY position LIMIT 1",
	[LAST] = "SELECT position, time FROM event WHERE topic = ? AND position <= ?"
		 " ORDER BY position DESC LIMIT 1",
	[ALL_COUNTED] = "SELECT upto FROM counter WHERE topic = 0",
	[COUNTED] = "SELECT events, upto FROM counter WHERE topic = ?",
	[COUNT] = "SELECT count(*) FROM event WHERE topic = ? AND position > ? AND position <= ?",
	[AT] = "SELECT " DATABASE_EVENT " FROM event WHERE position = ?",
};

void store_sqlite_reader_free(struct store_reader *reader)
{
	if (reader == NULL)
		return;
	database_finalize(reader->statements, STATEMENTS);
	database_finalize(reader->merges, MERGED + 1);
	subjects_close(&reader->subjects);
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
		database_prepare(reader->db, sql, reader->statements, STATEMENTS) != 0 ||
		subjects_open(&reader->subjects, reader->db) != 0) {
		database_failed(reader->db, "cannot open the database for reading", error);
		store_sqlite_reader_free(reader);
		return NULL;
	}
	sqlite3_busy_timeout(reader->db, DATABASE_BUSY_MS);
	return reader;
}

void store_sqlite_reader_release(struct store_reader *reader)
{
	if (!sqlite3_get_autocommit(reader->db))
		database_run(reader->statements[RELEASE]);
}

/* --- what is gone --- */

/* What a topic's row says. */
static void count_removed(struct store_query *query, sqlite3_stmt *row)
{
	uint64_t removed = (uint64_t)sqlite3_column_int64(row, 1),
		 deleted = (uint64_t)sqlite3_column_int64(row, 2),
		 superseded = (uint64_t)sqlite3_column_int64(row, 3),
		 erased = (uint64_t)sqlite3_column_int64(row, 4);

	store_query_removed(query, REMOVAL_EXPIRED, removed);
	store_query_deleted(query, deleted, erased);
	if (!query->latest)
		store_query_removed(query, REMOVAL_SUPERSEDED, superseded);
}

static int removed_of(
	struct store_reader *reader, const struct topic *topic, struct store_query *query)
{
	sqlite3_stmt *statement = reader->statements[REMOVED];
	int code;

	sqlite3_bind_int64(statement, 1, topic->row);
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		count_removed(query, statement);
	sqlite3_reset(statement);
	return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : -1;
}

struct topic *store_sqlite_reader_topic(
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
		if (store_sqlite_reader_topic(
			    reader, query->topics, (uint32_t)sqlite3_column_int64(row, 0)) != NULL)
			count_removed(query, row);
	}
	sqlite3_reset(row);
	return code == SQLITE_DONE ? 0 : -1;
}

static int read_removed(struct store_reader *reader, struct store_query *query)
{
	bool many = query->topics->count > MERGED;
	int result = 0;

	query->removed = query->removed_sum = 0;
	if (many)
		result = removed_of_many(reader, query);
	for (uint32_t i = 0; !many && i < query->topics->count && result == 0; i++)
		result = removed_of(reader, query->topics->topics[i], query);
	/* After that, as it is raised after the commit. */
	for (uint32_t i = 0; !query->latest && i < query->topics->count; i++)
		query->removed_sum += atomic_load(&query->topics->topics[i]->superseded_before);
	return result;
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
		struct topic *topic =
			store_sqlite_reader_topic(reader, query->topics, database_event_topic(row));
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
		(query->only != NULL ? store_sqlite_latest_visit(reader, query, visit, context)
				     : visit_events(reader, query, visit, context)) != 0)
		result = database_failed(reader->db, "cannot read the log", error);
	store_sqlite_reader_release(reader);
	return result;
}

/* --- where to start --- */

/* The topic's events up to ${upto}, the newest first, but for ${skipped} of them. */
static sqlite3_stmt *bind_newest(
	struct store_reader *reader, const struct topic *topic, uint64_t upto, uint64_t skipped)
{
	sqlite3_stmt *statement = reader->statements[NEWEST];

	sqlite3_bind_int64(statement, 1, topic->row);
	sqlite3_bind_int64(statement, 2, (int64_t)upto);
	sqlite3_bind_int64(statement, 3, (int64_t)skipped);
	return statement;
}

static int newest_of_one(struct store_reader *reader, const struct topic *topic, uint64_t upto,
	uint64_t count, uint64_t *after)
{
	sqlite3_stmt *row = bind_newest(reader, topic, upto, count);
	int code = sqlite3_step(row);

	*after = code == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(row, 0) : 0;
	sqlite3_reset(row);
	return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : -1;
}

/* Add those of the topics that are among the newest of all; *${upto} is then before them. */
static int add_from_end(struct store_reader *reader, const struct topic_set *topics, uint64_t *upto,
	struct newest *newest)
{
	sqlite3_stmt *row = reader->statements[WALK_BACK];
	bool added = true;
	int code = SQLITE_ROW;

	sqlite3_bind_int64(row, 1, (int64_t)*upto);
	while (added && newest_floor(newest) == 0 && (code = sqlite3_step(row)) == SQLITE_ROW) {
		uint64_t position = (uint64_t)sqlite3_column_int64(row, 0);

		if (store_sqlite_reader_topic(
			    reader, topics, (uint32_t)sqlite3_column_int64(row, 1)) != NULL)
			added = newest_add(newest, position);
		*upto = position - 1;
	}
	sqlite3_reset(row);
	return added && (code == SQLITE_ROW || code == SQLITE_DONE) ? 0 : -1;
}

static int add_of_topic(struct store_reader *reader, const struct topic *topic, uint64_t upto,
	struct newest *newest)
{
	sqlite3_stmt *row = bind_newest(reader, topic, upto, 0);
	bool added = true;
	int code = SQLITE_ROW;

	while (added && (code = sqlite3_step(row)) == SQLITE_ROW) {
		uint64_t position = (uint64_t)sqlite3_column_int64(row, 0);

		if (position <= newest_floor(newest))
			break;
		added = newest_add(newest, position);
	}
	sqlite3_reset(row);
	return added && (code == SQLITE_ROW || code == SQLITE_DONE) ? 0 : -1;
}

static int newest_of_many(struct store_reader *reader, const struct topic_set *topics,
	uint64_t upto, uint64_t count, uint64_t *after)
{
	struct newest newest;
	int result;

	newest_init(&newest, count);
	result = add_from_end(reader, topics, &upto, &newest);
	if (newest_floor(&newest) == 0) {
		for (uint32_t i = 0; i < topics->count && result == 0; i++)
			result = add_of_topic(reader, topics->topics[i], upto, &newest);
	}
	*after = newest_floor(&newest);
	if (*after > 0)
		--*after;
	newest_free(&newest);
	return result;
}

int store_sqlite_reader_newest(struct store_reader *reader, const struct topic_set *topics,
	uint64_t upto, uint64_t count, uint64_t *after, struct error *error)
{
	int result = topics->count == 1
			     ? newest_of_one(reader, topics->topics[0], upto, count, after)
			     : newest_of_many(reader, topics, upto, count, after);

	return result == 0 ? 0 : database_failed(reader->db, "cannot read the log", error);
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

/* --- counts --- */

/* Take the numbers of the statement's row; if it has none, they stay.  Return 0, or -1. */
static int ask(sqlite3_stmt *statement, int64_t *numbers)
{
	int code = sqlite3_step(statement);

	for (int i = 0; code == SQLITE_ROW && i < sqlite3_column_count(statement); i++)
		numbers[i] = sqlite3_column_int64(statement, i);
	sqlite3_reset(statement);
	return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : -1;
}

/* Count a topic's events with after < position <= upto. */
static int count_between(struct store_reader *reader, const struct topic *topic, int64_t after,
	int64_t upto, int64_t *events)
{
	sqlite3_stmt *statement = reader->statements[COUNT];

	*events = 0;
	if (after >= upto)
		return 0;
	sqlite3_bind_int64(statement, 1, topic->row);
	sqlite3_bind_int64(statement, 2, after);
	sqlite3_bind_int64(statement, 3, upto);
	return ask(statement, events);
}

/* A topic's counter is right up to a position of its own, but at least up to ${counted}. */
static int count_events(
	struct store_reader *reader, struct store_count *one, int64_t upto, int64_t counted)
{
	int64_t own[] = {0, 0}, more, fewer; /* events, upto */

	sqlite3_bind_int64(reader->statements[COUNTED], 1, one->topic->row);
	if (ask(reader->statements[COUNTED], own) != 0)
		return -1;
	counted = own[1] > counted ? own[1] : counted;
	if (count_between(reader, one->topic, counted, upto, &more) != 0 ||
		count_between(reader, one->topic, upto, counted, &fewer) != 0)
		return -1;
	one->events = (uint64_t)(own[0] + more - fewer);
	return 0;
}

static int count_topic(
	struct store_reader *reader, struct store_count *one, int64_t upto, int64_t counted)
{
	int64_t last[] = {0, 0}; /* position, time */

	sqlite3_bind_int64(reader->statements[LAST], 1, one->topic->row);
	sqlite3_bind_int64(reader->statements[LAST], 2, upto);
	if (ask(reader->statements[LAST], last) != 0)
		return -1;
	one->events = 0;
	one->newest = (uint64_t)last[0];
	one->time = last[1];
	return last[0] > 0 ? count_events(reader, one, upto, counted) : 0;
}

static int count_topics(
	struct store_reader *reader, struct store_count *counts, size_t number, int64_t upto)
{
	int64_t counted = 0;

	if (ask(reader->statements[ALL_COUNTED], &counted) != 0)
		return -1;
	for (size_t i = 0; i < number; i++) {
		if (count_topic(reader, &counts[i], upto, counted) != 0)
			return -1;
	}
	return 0;
}

int store_sqlite_reader_count(struct store_reader *reader, struct store_count *counts,
	size_t number, uint64_t upto, struct error *error)
{
	int result = 0;

	if (database_run(reader->statements[SNAPSHOT]) != 0 ||
		count_topics(reader, counts, number, (int64_t)upto) != 0)
		result = database_failed(reader->db, "cannot read the log", error);
	store_sqlite_reader_release(reader);
	return result;
}
