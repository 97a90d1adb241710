/* SPDX-License-Identifier: MIT */
/* Do the servers of a cluster list the same, and do their databases have the same? */
#ifndef LISTS_H
#define LISTS_H

#include <stddef.h>

/*
 * lists_check(ports, count, limit):
 * Nobody publishes.  Wait until all list the same newest ${limit} events of each topic, byte for byte; they
 * have some time to catch up.
 */
void lists_check(const int *ports, size_t count, size_t limit);

/* lists_check_databases(paths, count): none is in use, none is damaged, and all have the same rows. */
void lists_check_databases(const char *const *paths, size_t count);

/* lists_spoil(path): for the test of the test: the database's newest event becomes another. */
void lists_spoil(const char *path);

#endif
