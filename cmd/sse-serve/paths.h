/* SPDX-License-Identifier: MIT */
/* The server's paths in the file system. */
#ifndef PATHS_H
#define PATHS_H

#include "error.h"
#include "options.h"

/*
 * paths_database(given, error):
 * The path of the database: ${given}, or events.db in $STATE_DIRECTORY (systemd's), or in
 * sse-serve below $XDG_STATE_HOME or ~/.local/state, whose folders are created.  The caller frees
 * it; NULL with a reason.
 */
char *paths_database(const char *given, struct error *error);

/* paths_find_database(given, error): the same path, but no folder is created. */
char *paths_find_database(const char *given, struct error *error);

/*
 * paths_copies(cluster, error): how the paths of copies of a shared log begin, in the same folder,
 * which is created.  The caller frees it; NULL with a reason.
 */
char *paths_copies(const char *cluster, struct error *error);

/*
 * paths_log(options, path, error):
 * Find where the log's database is, or how the paths of copies begin, with its folders created; *${path} is
 * NULL if there is none.  Return 0, or -1 with a reason.  The caller frees *${path}.
 */
int paths_log(const struct options *options, char **path, struct error *error);

/* paths_check_web(folder, error): can the folder be read?  NULL (no --web) is valid. */
int paths_check_web(const char *folder, struct error *error);

#endif
