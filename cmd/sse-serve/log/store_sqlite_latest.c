/* SPDX-License-Identifier: MIT */
/* The newest events of subjects, read from the SQLite database; see store.h. */
#include "database.h"
#include "store_sqlite_reader.h"
#include "store_sqlite_reader_internal.h"

/* Topics without subjects cost nothing, however many they are. */
static int find_of_many(struct store_reader *reader, const struct topic_set *topics, uint64_t after,
	uint64_t upto, struct positions *positions)
{
	int64_t row = 0;

	while ((row = subjects_topic(&reader->subjects, (uint32_t)row)) > 0) {
		if (store_sqlite_reader_topic(reader, topics, (uint32_t)row) != NULL &&
			subjects_latest(&reader->subjects, (uint32_t)row, after, upto, positions) !=
				0)
			return -1;
	}
	return (int)row;
}

/* So few events are looked at one by one, rather than all subjects that there are. */
#define FEW 1024

static int find_between(struct store_reader *reader, const struct topic_set *topics, uint64_t after,
	uint64_t upto, struct positions *positions)
{
	sqlite3_stmt *row = reader->subjects.between;
	int code, result = 0;

	sqlite3_bind_int64(row, 1, (int64_t)after);
	sqlite3_bind_int64(row, 2, (int64_t)upto);
	while (result == 0 && (code = sqlite3_step(row)) == SQLITE_ROW) {
		struct subjects_cursor cursor = {.row = database_event_topic(row)};
		uint64_t position = (uint64_t)sqlite3_column_int64(row, 0);

		if (store_sqlite_reader_topic(reader, topics, cursor.row) == NULL)
			continue;
		subjects_take(&cursor, database_text(row, 2));
		if (subjects_upto(&reader->subjects, &cursor, upto) != 0 ||
			(cursor.position == position && !positions_add(positions, position)))
			result = -1;
	}
	sqlite3_reset(row);
	return result == 0 && code == SQLITE_DONE ? 0 : -1;
}

static int find_latest(struct store_reader *reader, const struct topic_set *topics, uint64_t after,
	uint64_t upto, struct positions *positions)
{
	if (upto <= after + FEW)
		return find_between(reader, topics, after, upto, positions);
	if (topics->count > MERGED)
		return find_of_many(reader, topics, after, upto, positions);
	for (uint32_t i = 0; i < topics->count; i++) {
		if (subjects_latest(
			    &reader->subjects, topics->topics[i]->row, after, upto, positions) != 0)
			return -1;
	}
	return 0;
}

int store_sqlite_reader_latest(struct store_reader *reader, const struct topic_set *topics,
	uint64_t after, uint64_t upto, struct positions *positions, struct error *error)
{
	int result = 0;

	if (database_run(reader->statements[SNAPSHOT]) != 0 ||
		find_latest(reader, topics, after, upto, positions) != 0)
		result = database_failed(reader->db, "cannot read the log", error);
	store_sqlite_reader_release(reader);
	positions_order(positions);
	return result;
}

int store_sqlite_latest_visit(
	struct store_reader *reader, struct store_query *query, store_visit visit, void *context)
{
	sqlite3_stmt *row = reader->statements[AT];
	const struct positions *only = query->only;
	size_t i = positions_after(only, query->after);
	bool more = true;

	query->reached = query->after;
	for (; i < only->count && only->all[i] <= query->upto && more; i++) {
		int code;

		sqlite3_bind_int64(row, 1, (int64_t)only->all[i]);
		code = sqlite3_step(row);
		if (code == SQLITE_ROW) {
			struct event event;

			database_event(row, &event);
			event.topic = store_sqlite_reader_topic(
				reader, query->topics, database_event_topic(row));
			more = event.topic == NULL || visit(context, &event);
		}
		sqlite3_reset(row);
		if (code != SQLITE_ROW && code != SQLITE_DONE)
			return -1;
		if (more)
			query->reached = only->all[i];
	}
	if (more)
		query->reached = query->upto;
	return 0;
}
