/* SPDX-License-Identifier: MIT */
/* Comparing what the servers of a cluster have; see lists.h. */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "fail.h"
#include "hash.h"
#include "ledger.h"
#include "lists.h"
#include "net.h"

/* A hash of the list and its length, or 0 if the server does not answer with one. */
static uint64_t hash_list(int port, const char *topic, size_t limit, size_t *len)
{
	struct net_input input = {.who = "who compares the lists"};
	char request[300], head[2048];
	uint64_t hash = HASH_START;
	int fd = net_dial(port), size, byte;

	*len = 0;
	if (fd < 0)
		return 0;
	size = snprintf(request, sizeof(request),
		"GET /api/%s?envelope=1&limit=%zu HTTP/1.1\r\nAccept: application/x-ndjson\r\n"
		"Connection: close\r\nHost: localhost\r\n\r\n",
		topic, limit);
	if (!net_send(fd, request, (size_t)size) ||
		net_head(fd, &input, head, sizeof(head)) != 200) {
		close(fd);
		return 0;
	}
	while ((byte = net_next(fd, &input)) >= 0) {
		char letter = (char)byte;

		hash = hash_fnv1a(hash, &letter, 1);
		(*len)++;
	}
	close(fd);
	return hash;
}

static void check_topic(const int *ports, size_t count, const char *topic, size_t limit)
{
	int64_t end = clock_now_ms() + NET_PATIENCE_MS;
	size_t len, other_len, same;

	do {
		uint64_t hash = hash_list(ports[0], topic, limit, &len);

		for (same = 1; same < count && hash != 0; same++) {
			if (hash_list(ports[same], topic, limit, &other_len) != hash)
				break;
		}
		if (same == count && hash != 0)
			return;
		net_pause(10);
	} while (clock_now_ms() < end);
	fail("the lists of topic %s differ: server 1 has %zu bytes, server %zu has %zu", topic, len,
		same + 1, other_len);
}

void lists_check(const int *ports, size_t count, size_t limit)
{
	for (unsigned t = 0; t < LEDGER_TOPICS; t++)
		check_topic(ports, count, ledger_topic(t), limit);
}

/* --- databases --- */

static sqlite3 *open_database(const char *path)
{
	sqlite3 *db;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		fail("the database %s cannot be opened: %s", path, sqlite3_errmsg(db));
	return db;
}

/* A hash of all rows that the statement gives. */
static uint64_t hash_rows(sqlite3 *db, const char *path, const char *sql)
{
	sqlite3_stmt *row;
	uint64_t hash = HASH_START;
	int code;

	if (sqlite3_prepare_v2(db, sql, -1, &row, NULL) != SQLITE_OK)
		fail("%s: %s: %s", path, sql, sqlite3_errmsg(db));
	while ((code = sqlite3_step(row)) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(row); i++) {
			const char *text = (const char *)sqlite3_column_text(row, i);

			hash = hash_fnv1a(hash, text != NULL ? text : "-",
				text != NULL ? (size_t)sqlite3_column_bytes(row, i) + 1 : 1);
		}
	}
	if (code != SQLITE_DONE)
		fail("%s: %s: %s", path, sql, sqlite3_errmsg(db));
	sqlite3_finalize(row);
	return hash;
}

void lists_check_databases(const char *const *paths, size_t count)
{
	static const char *const tables[] = {"SELECT * FROM event ORDER BY position",
		"SELECT * FROM publish_key ORDER BY position", "SELECT * FROM topic ORDER BY id",
		"SELECT tag FROM incarnation ORDER BY number",
		"SELECT sequence, time, head FROM copy", "PRAGMA integrity_check"};
	const uint64_t ok = hash_fnv1a(HASH_START, "ok", 3);

	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
		uint64_t first = 0;

		for (size_t i = 0; i < count; i++) {
			sqlite3 *db = open_database(paths[i]);
			uint64_t hash = hash_rows(db, paths[i], tables[t]);

			sqlite3_close(db);
			if (strncmp(tables[t], "PRAGMA", 6) == 0 && hash != ok)
				fail("the database %s is damaged", paths[i]);
			if (i > 0 && hash != first)
				fail("the copies %s and %s differ: %s", paths[0], paths[i],
					tables[t]);
			first = hash;
		}
	}
}

void lists_spoil(const char *path)
{
	sqlite3 *db = open_database(path);

	if (sqlite3_exec(db,
		    "UPDATE event SET time = time + 1 WHERE position ="
		    " (SELECT max(position) FROM event)",
		    NULL, NULL, NULL) != SQLITE_OK)
		fail("the database cannot be spoilt: %s", sqlite3_errmsg(db));
	sqlite3_close(db);
}
