/* SPDX-License-Identifier: MIT */
/* The database's files; see database_files.h. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "database_files.h"

int database_files_note(struct database_files *files, const char *path, struct error *error)
{
	static const char *const suffixes[DATABASE_FILES] = {"", "-wal"};

	for (size_t i = 0; i < DATABASE_FILES; i++) {
		struct database_file *file = &files->files[i];

		if (asprintf(&file->path, "%s%s", path, suffixes[i]) < 0) {
			file->path = NULL;
			return error_set(error, EX_OSERR, "out of memory for the store");
		}
		/* Some file systems allow no WAL. */
		if (stat(file->path, &file->status) != 0)
			file->status = (struct stat){0};
	}
	return 0;
}

static bool is_in_place(const struct database_file *file)
{
	struct stat now;

	if (file->status.st_ino == 0)
		return true;
	return stat(file->path, &now) == 0 && now.st_ino == file->status.st_ino &&
	       now.st_dev == file->status.st_dev;
}

int database_files_check(const struct database_files *files, struct error *error)
{
	for (size_t i = 0; i < DATABASE_FILES; i++) {
		const struct database_file *file = &files->files[i];

		if (!is_in_place(file))
			return error_set(error, EX_IOERR,
				"%s was removed or replaced while the server runs, so nothing can be stored: put "
				"it back, or restart the server",
				file->path);
	}
	return 0;
}

int64_t database_files_size(const struct database_files *files)
{
	struct stat status;
	int64_t bytes = 0;

	for (size_t i = 0; i < DATABASE_FILES; i++)
		bytes += stat(files->files[i].path, &status) == 0 ? status.st_size : 0;
	return bytes;
}

void database_files_free(struct database_files *files)
{
	for (size_t i = 0; i < DATABASE_FILES; i++)
		free(files->files[i].path);
}
