/* SPDX-License-Identifier: MIT */
/*
 * The database's files, which must stay where they are: SQLite has them open, and would go on
 * writing into what nobody finds.
 */
#ifndef DATABASE_FILES_H
#define DATABASE_FILES_H

#include <stdint.h>
#include <sys/stat.h>

#include "error.h"

/* The database and its WAL. */
#define DATABASE_FILES 2

struct database_file {
	char *path;
	struct stat status; /* when it was noted; all zero: it did not exist */
};

/* Constant once they are noted. */
struct database_files {
	struct database_file files[DATABASE_FILES];
};

/*
 * database_files_note(files, path, error):
 * Note which files the database at ${path} has now.  Return 0, or -1 with EX_OSERR; free ${files},
 * which were all zero before, in both cases.
 */
int database_files_note(struct database_files *files, const char *path, struct error *error);

/*
 * database_files_check(files, error):
 * Are the files that were noted still in place?  Return 0, or -1 with EX_IOERR.  Any thread.
 */
int database_files_check(const struct database_files *files, struct error *error);

/* database_files_size(files): the bytes of those that exist.  Any thread. */
int64_t database_files_size(const struct database_files *files);

/* database_files_free(files) */
void database_files_free(struct database_files *files);

#endif
