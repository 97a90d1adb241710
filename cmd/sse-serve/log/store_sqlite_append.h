/* SPDX-License-Identifier: MIT */
/* Appending to the log in a SQLite database: groups of events, whole or not, and their keys. */
#ifndef STORE_SQLITE_APPEND_H
#define STORE_SQLITE_APPEND_H

#include "store.h"

/* store_sqlite_append(store, groups, count, error): the append of store_ops. */
int store_sqlite_append(
	struct store *store, struct store_group *const *groups, size_t count, struct error *error);

#endif
