/* SPDX-License-Identifier: MIT */
/*
 * The event log behind one table of functions.  A store keeps events in the order of their
 * positions, which grow by one; everything that the server shows comes out of its `deliver`.
 *
 * append runs on the log thread; a reader belongs to the one thread that made it.
 */
#ifndef STORE_H
#define STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "event.h"
#include "identity.h"
#include "topic.h"
#include "window.h"

/* An event to append: the topic by name, since its first event registers it. */
struct store_append {
	const char *topic;
	struct event event; /* in: json, ephemeral, type, data; out: position, time, topic */
};

/* What a read asks for, and what it finds. */
struct store_query {
	const struct topic *topic;
	uint64_t after; /* events with after < position <= upto, oldest first */
	uint64_t upto;
	uint64_t removed; /* out, before the first visit: the newest position of the topic that is
			     gone from the log, as of the moment that the visited events show */
};

/*
 * Called for each event; valid during the call.  False stops: the event counts as not visited.
 */
typedef bool (*store_visit)(void *context, const struct event *event);

struct store;
struct store_reader;

struct store_ops {
	const char *name;

	/*
	 * append(store, batch, count, error):
	 * Put all of the batch on stable storage, or none of it, fill in what is `out`, and deliver
	 * it.  Return 0, or -1 with EX_IOERR, or EX_TEMPFAIL if the log is busy.
	 */
	int (*append)(struct store *store, struct store_append *const *batch, size_t count,
		struct error *error);

	/* reader_new(store, error): a reader, or NULL. */
	struct store_reader *(*reader_new)(struct store *store, struct error *error);
	void (*reader_free)(struct store_reader *reader);

	/*
	 * read(reader, query, visit, context, error):
	 * Visit the events that the query asks for.  Return 0, or -1 (EX_IOERR).  Holds no
	 * resource of the log after it returns.
	 */
	int (*read)(struct store_reader *reader, struct store_query *query, store_visit visit,
		void *context, struct error *error);

	/*
	 * newest(reader, topic, upto, count, after, error):
	 * Find *${after} so that the ${count} newest events up to ${upto} are those after it.
	 */
	int (*newest)(struct store_reader *reader, const struct topic *topic, uint64_t upto,
		uint64_t count, uint64_t *after, struct error *error);

	/* since(reader, time, upto, after, error): *${after} so that events after it are not older.
	 */
	int (*since)(struct store_reader *reader, int64_t time, uint64_t upto, uint64_t *after,
		struct error *error);

	/* close(store): after all readers are freed. */
	void (*close)(struct store *store);
};

struct store {
	const struct store_ops *ops;
	struct topics *topics;	  /* the log's topics are registered when it is opened */
	struct identity identity; /* the log's incarnations; constant once it is open */
	uint64_t head;		  /* the newest position; the log thread's */

	/*
	 * Called on the log thread for each event that is safely in the log, in order: the only
	 * way by which an event gets to be seen.  Set before the first append.
	 */
	void (*deliver)(void *context, const struct event *event);
	void *deliver_context;
};

/* store_deliver(store, batch, count): deliver a batch; for the stores' own use. */
void store_deliver(const struct store *store, struct store_append *const *batch, size_t count);

struct store_config {
	const char *path; /* the database file */
	struct topics *topics;
};

/*
 * store_sqlite_open(config, error):
 * Open or make the database.  NULL with EX_TEMPFAIL if another server has it, EX_CANTCREAT or
 * EX_IOERR if it cannot be used, EX_DATAERR if it is another program's or a newer version's.
 */
struct store *store_sqlite_open(const struct store_config *config, struct error *error);

/*
 * store_memory_open(config, error): a log that is its window and no more.
 * store_memory_attach(store, window, reader): the window it reads, and its reader's number in it.
 */
struct store *store_memory_open(const struct store_config *config, struct error *error);
void store_memory_attach(struct store *store, struct window *window, unsigned reader);

/* store_now(): the time for events, ms since 1970. */
int64_t store_now(void);

#endif
