/* SPDX-License-Identifier: MIT */
/* What the parts of a reader of the SQLite database share; only store_sqlite_*.c see it. */
#ifndef STORE_SQLITE_READER_INTERNAL_H
#define STORE_SQLITE_READER_INTERNAL_H

#include <sqlite3.h>

#include "store.h"
#include "subjects.h"

/* The most topics whose indexes are merged, or that are looked at one by one. */
#define MERGED 8

enum statement {
	SNAPSHOT,
	RELEASE,
	REMOVED,
	ALL_REMOVED,
	WALK,
	WALK_BACK,
	NEWEST,
	FROM_TIME,
	LAST,
	ALL_COUNTED,
	COUNTED,
	COUNT,
	AT,
	STATEMENTS
};

struct store_reader {
	sqlite3 *db;
	struct topics *topics;
	sqlite3_stmt *statements[STATEMENTS];
	sqlite3_stmt *merges[MERGED + 1]; /* by the number of topics; made when first asked for */
	struct subjects subjects;
};

/* store_sqlite_reader_release(reader): no snapshot outlives a call, or the WAL would grow. */
void store_sqlite_reader_release(struct store_reader *reader);

/*
 * store_sqlite_reader_topic(reader, set, row): the topic that has this row, if it is in the set;
 * otherwise NULL.
 */
struct topic *store_sqlite_reader_topic(
	struct store_reader *reader, const struct topic_set *set, uint32_t row);

/*
 * store_sqlite_latest_visit(reader, query, visit, context):
 * Visit the events at the positions of query->only.  Return 0, or -1 if SQLite fails.
 */
int store_sqlite_latest_visit(
	struct store_reader *reader, struct store_query *query, store_visit visit, void *context);

#endif
