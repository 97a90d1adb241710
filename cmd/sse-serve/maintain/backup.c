/* SPDX-License-Identifier: MIT */
/* Copying the database beside a server that uses it; see maintain.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "interrupt.h"
#include "log/database.h"
#include "log/scrub.h"
#include "maintain.h"

/* The pages of a step, 1 MiB: this much has to reach the disk while the server's sync waits. */
#define STEP_PAGES 256

struct backup {
	const char *path; /* of the database */
	const char *file; /* of the backup */
	char *name;	  /* of the copy until it is complete; owned */
	int fd;		  /* the copy */
	sqlite3 *from, *to;
	/*
	 * What the WAL holds may not be scrubbed yet, see scrub.h: neither gets into the copy so, nor
	 * into the database, if nobody else has it open and closing it ends its WAL.
	 */
	struct scrub from_scrub, to_scrub;
};

static int not_written(const struct backup *backup, struct error *error)
{
	return error_set(
		error, EX_IOERR, "cannot write the backup %s: %s", backup->file, strerror(errno));
}

/*
 * Open the database at one moment, which lasts until it is closed.  Otherwise each change of the
 * server would have SQLite begin the copy again.
 */
static int open_database(struct backup *backup, struct error *error)
{
	int version = 0;

	if (database_read(backup->path, false, &backup->from, &version, error) != 0)
		return -1;
	if (scrub_start(&backup->from_scrub, backup->from) != 0 ||
		sqlite3_exec(backup->from, "BEGIN", NULL, NULL, NULL) != SQLITE_OK ||
		database_head(backup->from, version) < 0)
		return database_failed(backup->from, "cannot read the database", error);
	return 0;
}

static int open_copy(struct backup *backup, struct error *error)
{
	/*
	 * Until it has its name nothing of it counts, so SQLite need not keep any of it safe.  What it
	 * kept in memory would be written all at once.
	 */
	if (sqlite3_open_v2(backup->name, &backup->to, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
		sqlite3_exec(backup->to,
			"PRAGMA journal_mode=OFF;PRAGMA synchronous=OFF;PRAGMA cache_size=16", NULL,
			NULL, NULL) != SQLITE_OK ||
		scrub_start(&backup->to_scrub, backup->to) != 0)
		return database_failed(backup->to, "cannot make the backup", error);
	return 0;
}

/* After each step the disk is the server's for as long as the step took. */
static void give_way(uint64_t took_us)
{
	nanosleep(&(struct timespec){.tv_sec = (time_t)(took_us / 1000000),
			  .tv_nsec = (long)(took_us % 1000000 * 1000)},
		NULL);
}

/*
 * Copy a step, and sync it: what waits to be written grows to no more than a step, and a sync of the
 * server has to wait for no more.
 */
static int copy_step(struct backup *backup, sqlite3_backup *copy, int *code, struct error *error)
{
	uint64_t began = clock_now_us();

	*code = sqlite3_backup_step(copy, STEP_PAGES);
	if (*code != SQLITE_OK && *code != SQLITE_DONE)
		return 0;
	if (fdatasync(backup->fd) != 0)
		return not_written(backup, error);
	if (*code == SQLITE_OK)
		give_way(clock_now_us() - began);
	return 0;
}

static int copy_pages(struct backup *backup, struct error *error)
{
	sqlite3_backup *copy = sqlite3_backup_init(backup->to, "main", backup->from, "main");
	int code = SQLITE_OK, result = 0;
	char doing[300];

	while (copy != NULL && code == SQLITE_OK && result == 0) {
		if (interrupt_came())
			result = error_set(error, EX_TEMPFAIL, "stopped: no backup was made");
		else
			result = copy_step(backup, copy, &code, error);
	}
	/* It leaves the reason of a failure in the connection. */
	sqlite3_backup_finish(copy);
	if (result != 0 || (copy != NULL && code == SQLITE_DONE))
		return result;
	snprintf(doing, sizeof(doing), "cannot write the backup %.200s", backup->file);
	return database_failed(backup->to, doing, error);
}

static int copy(struct backup *backup, struct error *error)
{
	int result = -1;

	if (open_database(backup, error) == 0 && open_copy(backup, error) == 0)
		result = copy_pages(backup, error);
	if (sqlite3_close(backup->to) != SQLITE_OK && result == 0)
		result = database_failed(backup->to, "cannot close the backup", error);
	sqlite3_close(backup->from);
	if (result == 0 && fsync(backup->fd) != 0)
		result = not_written(backup, error);
	return result;
}

static int already_there(const char *file, struct error *error)
{
	return error_set(error, EX_CANTCREAT,
		"%s exists, and a backup replaces nothing: give --backup a name that is free",
		file);
}

/* Give the copy its name, unless somebody else has taken that meanwhile. */
static int put_in_place(const struct backup *backup, struct error *error)
{
	if (file_move(AT_FDCWD, backup->name, AT_FDCWD, backup->file))
		return file_sync_name(backup->file) ? 0 : not_written(backup, error);
	return errno == EEXIST ? already_there(backup->file, error) : not_written(backup, error);
}

int maintain_backup(const char *path, const char *file, struct error *error)
{
	static struct backup backup;
	struct stat status;
	int result;

	backup = (struct backup){.path = path, .file = file};
	interrupt_watch();
	/* A link that leads nowhere is there, too. */
	if (lstat(file, &status) == 0)
		return already_there(file, error);
	if (asprintf(&backup.name, "%s.backup-XXXXXX", file) < 0)
		return error_set(error, EX_OSERR, "out of memory");
	backup.fd = mkostemp(backup.name, O_CLOEXEC);
	if (backup.fd < 0) {
		result = error_set(error, EX_CANTCREAT, "cannot make the backup %s: %s", file,
			strerror(errno));
	} else {
		result = copy(&backup, error);
		if (result == 0)
			result = put_in_place(&backup, error);
		if (result != 0)
			unlink(backup.name);
		close(backup.fd);
	}
	free(backup.name);
	return result;
}
