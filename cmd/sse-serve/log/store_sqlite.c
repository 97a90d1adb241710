/* SPDX-License-Identifier: MIT */
/*
 * The log in a SQLite database, the default; see store.h.  WAL with synchronous=FULL: what is
 * committed survives a power loss.  One connection writes (the log thread's), each reader has one
 * of its own, and a lock of ours on the file keeps a second server out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "database.h"
#include "store_sqlite_append.h"
#include "store_sqlite_copy.h"
#include "store_sqlite_erase.h"
#include "store_sqlite_reader.h"
#include "store_sqlite_tidy.h"
#include "store_sqlite_writer.h"

static struct store_reader *sqlite_reader_new(struct store *store, struct error *error)
{
	const struct sqlite_store *sqlite = (const struct sqlite_store *)store;

	return store_sqlite_reader_new(sqlite->path, store->topics, error);
}

static int sqlite_check(const struct store *store, struct error *error)
{
	return database_files_check(&((const struct sqlite_store *)store)->files, error);
}

static void sqlite_size(const struct store *store, int64_t *bytes, int64_t *events)
{
	const struct sqlite_store *sqlite = (const struct sqlite_store *)store;

	*events = sqlite->events;
	*bytes = database_files_size(&sqlite->files);
}

/* Rows that were counted need not be counted again. */
static void save_counts(struct sqlite_store *sqlite)
{
	if (store_sqlite_writer_begin(sqlite) != 0 ||
		retention_save(sqlite->retention, true, sqlite->store.head) != 0 ||
		store_sqlite_writer_commit(sqlite) != 0)
		store_sqlite_writer_rollback(sqlite);
}

static void sqlite_close(struct store *store)
{
	struct sqlite_store *sqlite = (struct sqlite_store *)store;

	if (sqlite->retention != NULL)
		save_counts(sqlite);
	retention_close(sqlite->retention);
	idempotency_table_close(&sqlite->keys);
	store_sqlite_copy_close(sqlite);
	database_finalize(sqlite->statements, WRITER_STATEMENTS);
	sqlite3_close(sqlite->db);
	if (sqlite->lock >= 0)
		close(sqlite->lock);
	identity_free(&store->identity);
	database_files_free(&sqlite->files);
	free(sqlite->path);
	free(sqlite);
}

static int open_database(struct sqlite_store *sqlite, struct error *error)
{
	int version = 0;

	if (sqlite3_open_v2(sqlite->path, &sqlite->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
		    NULL) != SQLITE_OK)
		return database_failed(sqlite->db, "cannot open the database", error);
	sqlite3_busy_timeout(sqlite->db, DATABASE_BUSY_MS);
	sqlite3_extended_result_codes(sqlite->db, 0);
	if (database_check(sqlite->db, sqlite->path, &version, error) != 0)
		return -1;
	if (scrub_start(&sqlite->scrub, sqlite->db) != 0)
		return database_failed(sqlite->db, "cannot use the database", error);
	/* auto_vacuum counts only before the first table. */
	if (version == 0 && database_exec(sqlite->db, sqlite->path,
				    "PRAGMA auto_vacuum=INCREMENTAL", error) != 0)
		return -1;
	/* What undoes a group alone is kept in memory: in a file it is five writes an event. */
	if (database_exec(sqlite->db, sqlite->path,
		    "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;"
		    "PRAGMA journal_size_limit=67108864;PRAGMA temp_store=MEMORY;"
		    "PRAGMA secure_delete=ON",
		    error) != 0)
		return -1;
	if (version == 0 && database_make(sqlite->db, sqlite->path, error) != 0)
		return -1;
	if (version > 0 && version < DATABASE_VERSION &&
		database_upgrade(sqlite->db, sqlite->path, version, error) != 0)
		return -1;
	return 0;
}

static int load(struct sqlite_store *sqlite, struct error *error)
{
	int64_t head;

	if (database_topics(
		    sqlite->db, sqlite->path, DATABASE_VERSION, sqlite->store.topics, error) != 0)
		return -1;
	sqlite->topics_stored = topics_kept(sqlite->store.topics);
	/* A kill may have come between a deletion and the end of the WAL that has it. */
	for (uint32_t row = 1; row <= sqlite->topics_stored && !sqlite->unwashed; row++)
		sqlite->unwashed = topics_of_row(sqlite->store.topics, row)->deleted > 0;
	/* Positions are never used twice, also when all events are gone. */
	head = database_head(sqlite->db, DATABASE_VERSION);
	if (head < 0)
		return database_failed(sqlite->db, "cannot read the database's head", error);
	sqlite->store.head = (uint64_t)head;
	return 0;
}

/*
 * Begin an incarnation.  One that wrote nothing gave out no id of its own (but the first, for
 * position 0), so it need not be kept, and restarting a server often costs nothing.
 */
static int begin_incarnation(struct sqlite_store *sqlite, struct error *error)
{
	char tag[IDENTITY_TAG + 1], text[300];

	if (identity_new_tag(tag) != 0)
		return error_set(error, EX_OSERR, "the system provides no random numbers");
	snprintf(text, sizeof(text),
		"BEGIN IMMEDIATE;"
		"DELETE FROM incarnation WHERE opened = %lld"
		" AND number > (SELECT min(number) FROM incarnation);"
		"INSERT INTO incarnation(tag, opened) VALUES('%s', %lld);"
		"COMMIT",
		(long long)sqlite->store.head, tag, (long long)sqlite->store.head);
	return database_exec(sqlite->db, sqlite->path, text, error);
}

static int open_parts(
	struct sqlite_store *sqlite, const struct store_config *config, struct error *error)
{
	static const struct retention_rules all_is_kept;
	const struct retention_rules *rules = config->retention_rules;

	if (store_sqlite_writer_prepare(sqlite) != 0 ||
		idempotency_table_open(&sqlite->keys, sqlite->db, config->idempotency_window) != 0)
		return database_failed(sqlite->db, "cannot use the database", error);
	sqlite->vacuum.db = sqlite->db;
	sqlite->retention = retention_open(
		sqlite->db, config->topics, rules != NULL ? rules : &all_is_kept, error);
	if (sqlite->retention == NULL)
		return -1;
	sqlite->events = retention_events(sqlite->retention);
	if (retention_save_due(sqlite->retention))
		save_counts(sqlite);
	return 0;
}

struct store *store_sqlite_open(const struct store_config *config, struct error *error)
{
	static const struct store_ops ops = {
		.append = store_sqlite_append,
		.tidy = store_sqlite_tidy,
		.retain = store_sqlite_retain,
		.erase = store_sqlite_erase,
		.reader_new = sqlite_reader_new,
		.reader_free = store_sqlite_reader_free,
		.read = store_sqlite_reader_read,
		.newest = store_sqlite_reader_newest,
		.latest = store_sqlite_reader_latest,
		.since = store_sqlite_reader_since,
		.count = store_sqlite_reader_count,
		.check = sqlite_check,
		.size = sqlite_size,
		.close = sqlite_close,
	};
	struct sqlite_store *sqlite = calloc(1, sizeof(*sqlite));

	if (sqlite == NULL || (sqlite->path = strdup(config->path)) == NULL) {
		free(sqlite);
		error_set(error, EX_OSERR, "out of memory for the store");
		return NULL;
	}
	sqlite->store.ops = &ops;
	sqlite->store.topics = config->topics;
	sqlite->lock = -1;
	if (database_lock(sqlite->path, &sqlite->lock, error) == 0 &&
		open_database(sqlite, error) == 0 && load(sqlite, error) == 0 &&
		(config->copy_of != NULL
				? store_sqlite_copy_open(sqlite, config->copy_of, error)
				: begin_incarnation(sqlite, error)) == 0 &&
		database_incarnations(sqlite->db, &sqlite->store.identity, error) == 0 &&
		open_parts(sqlite, config, error) == 0 &&
		database_files_note(&sqlite->files, sqlite->path, error) == 0)
		return &sqlite->store;
	sqlite_close(&sqlite->store);
	return NULL;
}
