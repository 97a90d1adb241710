/* SPDX-License-Identifier: MIT */
/* The readers of the log in a SQLite database: store.h's functions, for store_sqlite.c. */
#ifndef STORE_SQLITE_READER_H
#define STORE_SQLITE_READER_H

#include "store.h"

/* store_sqlite_reader_new(path, topics, error): a reader of the database, or NULL. */
struct store_reader *store_sqlite_reader_new(
	const char *path, struct topics *topics, struct error *error);

void store_sqlite_reader_free(struct store_reader *reader);
int store_sqlite_reader_read(struct store_reader *reader, struct store_query *query,
	store_visit visit, void *context, struct error *error);
int store_sqlite_reader_newest(struct store_reader *reader, const struct topic_set *topics,
	uint64_t upto, uint64_t count, uint64_t *after, struct error *error);
int store_sqlite_reader_latest(struct store_reader *reader, const struct topic_set *topics,
	uint64_t after, uint64_t upto, struct positions *positions, struct error *error);
int store_sqlite_reader_since(struct store_reader *reader, int64_t time, uint64_t upto,
	uint64_t *after, struct error *error);
int store_sqlite_reader_count(struct store_reader *reader, struct store_count *counts,
	size_t number, uint64_t upto, struct error *error);

#endif
