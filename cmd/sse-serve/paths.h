/* SPDX-License-Identifier: MIT */
/* The server's paths in the file system. */
#ifndef PLACE_H
#define PLACE_H

#include "error.h"

/*
 * place_database(given, error):
 * The path of the database: ${given}, or events.db in $STATE_DIRECTORY (systemd's), or in
 * sse-serve below $XDG_STATE_HOME or ~/.local/state, whose folders are created.  The caller frees
 * it; NULL with a reason.
 */
char *place_database(const char *given, struct error *error);

/* place_check_web(folder, error): can the folder be read?  NULL (no --web) is valid. */
int place_check_web(const char *folder, struct error *error);

#endif
