/* SPDX-License-Identifier: MIT */
/* Snapshots of a shared log; see store_nats_snapshot.h. */
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/condition.h"
#include "base/logger.h"
#include "clock.h"
#include "database.h"
#include "nats/snapshot.h"
#include "store_nats_snapshot.h"
#include "store_sqlite_copy.h"

/* How often a node looks whether one is due, in ms. */
#define LOOK_MS 10000
#define SPREAD_MS 1000

/* While a node makes one, no other does; after this time it is taken for dead, in ms. */
#define CLAIM_MS 600000

struct snapshots {
	struct jetstream *jetstream;
	const char *path;
	int64_t least;
	const _Atomic bool *never;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t end;
	_Atomic bool ending;
};

/* --- making one --- */

static int stop_if_ending(void *context)
{
	const struct snapshots *snapshots = context;

	return snapshots->ending;
}

/* The copy as it is at one moment, without what was deleted.  Return 0, or -1. */
static int write_file(struct snapshots *snapshots, const char *file, struct error *error)
{
	sqlite3 *db = NULL;
	char *sql = sqlite3_mprintf("VACUUM INTO %Q", file);
	int result = -1;

	unlink(file);
	if (sql != NULL &&
		sqlite3_open_v2(snapshots->path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK) {
		sqlite3_busy_timeout(db, DATABASE_BUSY_MS);
		sqlite3_progress_handler(db, 10000, stop_if_ending, snapshots);
		result = sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : -1;
	}
	if (result != 0)
		database_failed(db, "cannot copy the database for a snapshot", error);
	sqlite3_free(sql);
	sqlite3_close(db);
	return result;
}

static int make(struct snapshots *snapshots, struct error *error)
{
	char file[PATH_MAX];
	uint64_t sequence = 0;
	int result = -1;

	snprintf(file, sizeof(file), "%s.snapshot", snapshots->path);
	if (write_file(snapshots, file, error) == 0 &&
		store_sqlite_copy_sequence(file, &sequence, error) == 0)
		result = snapshot_put(
			snapshots->jetstream, sequence, file, &snapshots->ending, error);
	unlink(file);
	if (result == 0)
		logger_write(LOGGER_INFO,
			"stored a snapshot of the log in NATS, as of message %" PRIu64, sequence);
	return result;
}

static bool is_due(const struct snapshots *snapshots)
{
	struct stat status;
	uint64_t least = (uint64_t)snapshots->least;

	if (*snapshots->never || stat(snapshots->path, &status) != 0)
		return false;
	if (2 * (uint64_t)status.st_size > least)
		least = 2 * (uint64_t)status.st_size;
	return snapshot_due(snapshots->jetstream, least) &&
	       snapshot_claim(snapshots->jetstream, CLAIM_MS);
}

static void *run(void *context)
{
	struct snapshots *snapshots = context;

	while (!snapshots->ending) {
		struct error error = {0};
		/* Not all at once. */
		int64_t until = clock_now_ms() + LOOK_MS + (int64_t)(clock_now_us() % SPREAD_MS);

		pthread_mutex_lock(&snapshots->lock);
		while (!snapshots->ending &&
			condition_wait(&snapshots->end, &snapshots->lock, until))
			;
		pthread_mutex_unlock(&snapshots->lock);
		if (!snapshots->ending && is_due(snapshots) && make(snapshots, &error) != 0 &&
			!snapshots->ending)
			logger_write(LOGGER_WARNING, "%s", error.text);
	}
	return NULL;
}

struct snapshots *snapshots_start(
	struct jetstream *jetstream, const char *path, int64_t least, const _Atomic bool *never,
	struct error *error)
{
	struct snapshots *snapshots = calloc(1, sizeof(*snapshots));

	if (snapshots == NULL) {
		error_set(error, EX_OSERR, "out of memory for snapshots");
		return NULL;
	}
	snapshots->jetstream = jetstream;
	snapshots->path = path;
	snapshots->least = least;
	snapshots->never = never;
	pthread_mutex_init(&snapshots->lock, NULL);
	condition_init(&snapshots->end);
	if (pthread_create(&snapshots->thread, NULL, run, snapshots) == 0)
		return snapshots;
	free(snapshots);
	error_set(error, EX_OSERR, "cannot start a thread for snapshots");
	return NULL;
}

void snapshots_stop(struct snapshots *snapshots)
{
	if (snapshots == NULL)
		return;
	pthread_mutex_lock(&snapshots->lock);
	snapshots->ending = true;
	pthread_cond_signal(&snapshots->end);
	pthread_mutex_unlock(&snapshots->lock);
	pthread_join(snapshots->thread, NULL);
	pthread_cond_destroy(&snapshots->end);
	pthread_mutex_destroy(&snapshots->lock);
	free(snapshots);
}

/* --- beginning with one --- */

static void remove_files(const char *path)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	char file[PATH_MAX];

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		snprintf(file, sizeof(file), "%s%s", path, suffixes[i]);
		unlink(file);
	}
}

/* What the file has, if it is a copy of the log; nothing, if it is empty.  0, or -1. */
static int look(
	const char *path, const char *tag, bool ours, uint64_t *sequence, struct error *error)
{
	struct error fault = {0};

	*sequence = 0;
	if (store_sqlite_copy_peek(path, tag, sequence, &fault) == 0)
		return 0;
	if (!ours)
		return error_set(error, fault.status, "%s", fault.text);
	logger_write(LOGGER_WARNING, "%s: it is made anew", fault.text);
	remove_files(path);
	return 0;
}

/* Put the newest snapshot in its place, if it has more. */
static int replace(struct jetstream *jetstream, const struct jetstream_stream *stream,
	const char *path, uint64_t sequence, struct error *error)
{
	struct snapshot snapshot = {.sequence = 0};
	int found;

	if (sequence > 0 && sequence + 1 >= stream->first)
		return 0;
	found = snapshot_newest(jetstream, &snapshot, error);
	if (found < 0)
		return -1;
	if (found == 1 && snapshot.sequence > sequence) {
		logger_write(LOGGER_INFO, "reading the snapshot of the log, %" PRIu64 " bytes",
			snapshot.bytes);
		remove_files(path);
		return snapshot_get(jetstream, &snapshot, path, error);
	}
	if (sequence + 1 >= stream->first)
		return 0;
	return error_set(error, EX_DATAERR,
		"the log in NATS begins at message %" PRIu64
		", and it has no snapshot of what was before: somebody removed messages from it",
		stream->first);
}

int snapshots_prepare(struct jetstream *jetstream, const struct jetstream_stream *stream,
	const char *path, const char *tag, bool ours, struct error *error)
{
	uint64_t sequence;
	int lock = -1, result;

	/* Who replaces the file has locked it out; the next who opens it locks the new one. */
	if (database_lock(path, &lock, error) != 0)
		return -1;
	result = look(path, tag, ours, &sequence, error);
	if (result == 0 && replace(jetstream, stream, path, sequence, error) != 0) {
		/* This is not because another process uses the file. */
		if (error->status == EX_TEMPFAIL)
			error->status = EX_UNAVAILABLE;
		result = -1;
	}
	close(lock);
	return result;
}
