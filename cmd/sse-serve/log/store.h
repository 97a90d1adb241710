/* SPDX-License-Identifier: MIT */
/*
 * The event log, used through one table of functions.  A store keeps events in the order of their
 * positions, which grow by one; every event that the server shows comes from its `deliver`.
 *
 * append runs on one thread at a time: the log thread, or a loop if it is quick.  A reader belongs to
 * the one thread that made it.
 */
#ifndef STORE_H
#define STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/counter.h"
#include "error.h"
#include "event.h"
#include "identity.h"
#include "positions.h"
#include "retention_rules.h"
#include "topic.h"
#include "window.h"

/*
 * An event to append.  It names its topic, since the first event of a topic registers it.  An event
 * with a key is stored once: if the key is known for the topic, and not older than the window for
 * keys, the event is a duplicate if the fingerprint is the same, and a conflict if it differs.
 */
struct store_append {
	const char *topic;
	struct sse_text key;  /* UTF-8, 1 to EVENT_KEY_MAX bytes; len 0: none */
	uint64_t fingerprint; /* of what was published under the key */
	bool closes;	      /* it closes its topic; see closing.h */
	bool own;	      /* the server's own, and ephemeral: a closed topic takes it */
	bool duplicate;	      /* out: stored already; position is that of the first */
	struct event event;   /* in: json, ephemeral, type, data; out: position, time, topic */
};

/*
 * What must be so when it is a group's turn.  The newest event of a topic is the newest that was
 * ever stored: it counts too if it was removed.
 */
enum store_condition {
	STORE_ALWAYS,
	STORE_IF_NEWEST, /* the topic's newest event is the expected one */
	STORE_IF_ANY,	 /* the topic has a newest event */
	STORE_IF_NONE,	 /* the topic has none yet */
};

/*
 * Events that go into the log together or not at all.  Those of a group with a condition are of one
 * topic.  If all its events are duplicates, the condition was met when they were stored, and is not
 * looked at again.
 */
struct store_group {
	struct store_append *appends;
	size_t count;
	bool conflict;	   /* out: a key was known for something else: nothing was stored */
	bool closed;	   /* out: a topic was closed already: nothing was stored */
	size_t conflicted; /* out: the number of that append */

	int64_t time; /* of publishing, ms since 1970; 0: now */
	bool stored;  /* out, where append() fails: this one was stored all the same */

	enum store_condition condition;
	uint64_t expected; /* with STORE_IF_NEWEST: its position; 0: that of no event */
	bool unmet;	   /* out: the condition was not met: nothing was stored */
	uint64_t newest;   /* out, with a condition: the position of the topic's newest event; 0 */
};

/* The newest events that can be asked for of several topics. */
#define STORE_NEWEST_MAX 100000

/* store_group_refused(group): was nothing of it stored, after append() succeeded? */
static inline bool store_group_refused(const struct store_group *group)
{
	return group->conflict || group->closed || group->unmet;
}

/* store_group_ephemeral(group): is it passed on, not stored?  It is one or the other as a whole. */
static inline bool store_group_ephemeral(const struct store_group *group)
{
	return group->count > 0 && group->appends[0].event.ephemeral;
}

/* What a read asks for, and what it finds. */
struct store_query {
	const struct topic_set *topics; /* not empty */
	uint64_t after;			/* events with after < position <= upto, oldest first */
	uint64_t upto;
	const struct positions *only; /* if not NULL, of these only those at these positions */
	bool latest;	  /* what a newer event of its subject superseded does not count as gone */
	uint64_t removed; /* out, before the first visit: the newest position of these topics that
			     is gone from the log, as of the moment that the events show */
	enum removal removal; /* out: why that is gone */
	uint64_t
		removed_sum; /* out, likewise: the sum of the newest positions that are gone of each
				 topic, by why, and of what shows that others went
				 before them; it grows whenever something is removed */
	uint64_t reached;    /* out: all events up to here were visited; below upto if a visit said
			     so, or if the store takes a pause: then read again from there */
};

/* What is stored of a topic, up to some position. */
struct store_count {
	struct topic *topic; /* in: which the caller holds */
	uint64_t events;     /* out: how many */
	uint64_t newest;     /* out: the position of the newest, 0 if none is */
	int64_t time;	     /* out: and its time */
};

/*
 * Called for each event; valid during the call.  False stops: the event counts as not visited.
 */
typedef bool (*store_visit)(void *context, const struct event *event);

/* Events of a topic to be deleted, and how far that is. */
struct store_deletion {
	struct topic *topic; /* held by the caller */
	uint64_t after;	     /* those with after < position <= upto; out: those up to it are gone */
	uint64_t upto;
	uint64_t newest; /* out: the position of the newest that was deleted; 0: none was */
	uint64_t erased; /* out: the position that the deletion took, if any was */
	bool ended;	 /* out: all are gone, from the disk too as far as that is possible now */
	int64_t wait;	 /* out, if it has not ended: the ms after which to go on; 0: at once */
	int64_t until;	 /* the store's own; 0 before the first call */
};

/* Another node, whose id has STORE_NODE bytes, told this.  Valid during the call. */
#define STORE_NODE 16
typedef void store_heard(void *context, const char *node, const void *data, size_t len);

struct store;
struct store_reader;

struct store_ops {
	/* append() waits for no disk and no network. */
	bool quick;

	/*
	 * append(store, groups, count, error):
	 * Store all groups durably, in their order, but those that are refused; or none of them.
	 * Fill in the members marked `out`, and deliver the new events.  Return 0, or -1 with
	 * EX_IOERR, or EX_TEMPFAIL if the log is busy.
	 */
	int (*append)(struct store *store, struct store_group *const *groups, size_t count,
		struct error *error);

	/*
	 * tidy(store):
	 * Remove, in a small step, events that retention no longer keeps, and expired keys.  Return
	 * the ms after which to call again (0: more is left), or -1 for not before the next append.
	 * Log thread.
	 */
	int64_t (*tidy)(struct store *store);

	/*
	 * follow(store): show what other nodes published.  Return the ms after which to call again, or
	 * -1 for not before the store calls `wake`.  NULL: there are no other nodes.  Log thread.
	 */
	int64_t (*follow)(struct store *store);

	/*
	 * unfollow(store): call `wake` no more; when this returns, no call of it is under way.  Of a
	 * store with `follow`, when the log thread has ended.
	 */
	void (*unfollow)(struct store *store);

	/*
	 * behind(store): may the log have events that this node lacks?  Of a store with `follow`.  Log
	 * thread.
	 */
	bool (*behind)(const struct store *store);

	/*
	 * tell(store, data, len):
	 * Send these bytes to the other nodes that listen now, beside the log; they may be lost.  It
	 * may block for some seconds.  NULL, as listen: there are no other nodes.  Any thread.
	 * listen(store, heard, context, error):
	 * From now on, until the store is closed, call this for what others tell, on a thread of the
	 * store's own.  Once.  Return 0, or -1 (EX_TEMPFAIL).
	 */
	void (*tell)(struct store *store, const void *data, size_t len);
	int (*listen)(struct store *store, store_heard *heard, void *context, struct error *error);

	/*
	 * retain(store, retention_rules):
	 * From now on, keep what these rules say; they outlive the store, or the next call.  NULL:
	 * the store has no rules.  Log thread.
	 */
	void (*retain)(struct store *store, const struct retention_rules *retention_rules);

	/*
	 * erase(store, deletion, error):
	 * Delete some of these events, durably, and raise topic->deleted; if any is deleted, and in a
	 * log that nodes share in any case, that takes the next position.  The caller then erases them from the window, and calls again
	 * until the deletion has ended; then it raises topic->erased.  Keys stay known.
	 * Return 0, or -1 as append().  Log thread.
	 */
	int (*erase)(struct store *store, struct store_deletion *deletion, struct error *error);

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
	 * newest(reader, topics, upto, count, after, error):
	 * Find *${after} so that the ${count} newest events of the topics up to ${upto} are those
	 * after it; 0 if there are fewer.  ${topics} is not empty; ${count} is at least 1 and, of
	 * several topics, at most STORE_NEWEST_MAX.  The time grows with the number of topics, not
	 * with that of the events.
	 */
	int (*newest)(struct store_reader *reader, const struct topic_set *topics, uint64_t upto,
		uint64_t count, uint64_t *after, struct error *error);

	/*
	 * latest(reader, topics, after, upto, positions, error):
	 * Add the position of the newest event up to ${upto} of each subject of these topics, if it
	 * is after ${after}, and put ${positions} into order.  The time does not depend on how many
	 * events a database holds of each subject.
	 */
	int (*latest)(struct store_reader *reader, const struct topic_set *topics, uint64_t after,
		uint64_t upto, struct positions *positions, struct error *error);

	/* since(reader, time, upto, after, error): *${after} so that events after it are not older.
	 */
	int (*since)(struct store_reader *reader, int64_t time, uint64_t upto, uint64_t *after,
		struct error *error);

	/*
	 * count(reader, counts, number, upto, error):
	 * Find out what is stored up to ${upto} of each topic, all as of one moment.  The time does
	 * not depend on how many events are stored in a database.  Return 0, or -1 (EX_IOERR).
	 */
	int (*count)(struct store_reader *reader, struct store_count *counts, size_t number,
		uint64_t upto, struct error *error);

	/*
	 * check(store, error):
	 * Can events be stored, as far as the store knows without trying: are the log's files still
	 * in place?  Return 0, or -1 with EX_IOERR.  Any thread.
	 */
	int (*check)(const struct store *store, struct error *error);

	/*
	 * size(store, bytes, events):
	 * The bytes that the log takes on the disk, and the number of stored events, -1 if unknown.
	 * Any thread.
	 */
	void (*size)(const struct store *store, int64_t *bytes, int64_t *events);

	/* close(store): after all readers are freed. */
	void (*close)(struct store *store);
};

struct store {
	const struct store_ops *ops;
	struct topics *topics;	   /* the log's topics are registered when it is opened */
	struct identity identity;  /* the log's incarnations; constant once it is open */
	uint64_t head;		   /* the newest position; of whom may append */
	struct counter_times sync; /* the syncs that made appends durable */
	_Atomic uint64_t erasures; /* grows when events were deleted from it and from the window */

	/*
	 * The log thread calls it for each event that is stored, in order: the only way in which an
	 * event becomes visible.  Set before the first append.
	 */
	void (*deliver)(void *context, const struct event *event);
	void *deliver_context;

	/*
	 * Of a store with `follow`, likewise.  It calls `show` after events of other nodes were
	 * delivered, `erased` after another node deleted events, those after deletion->after, and
	 * `wake`, on any thread, when there is something to follow.
	 */
	void (*show)(void *context);
	void (*erased)(void *context, const struct store_deletion *deletion);
	void (*wake)(void *context);
};

/* store_deliver(store, groups, count): deliver the new events; only the stores call it. */
void store_deliver(const struct store *store, struct store_group *const *groups, size_t count);

/* For how long keys are kept unless an option says it, in ms. */
#define STORE_KEYS_DEFAULT (INT64_C(7) * 86400000)

struct store_config {
	const char *path;   /* the database file, for a store that is in one; else what --db says */
	const char *copies; /* how the files of copies begin, if path is NULL */
	struct topics *topics;
	const struct retention_rules *retention_rules; /* NULL: everything is kept */
	int64_t idempotency_window;		       /* ms for which keys are kept */
	const char *copy_of; /* the tag of the shared log that the database is a copy of, or NULL */
	const struct servers *servers; /* that keep the shared log, for a store of nodes */
};

/* A sort of store: a row of the table in store.c. */
struct store_kind {
	/* Do --store or --db name it?  NULL: it takes what no row before it takes. */
	bool (*is_named)(const char *servers, const char *db);
	bool in_file; /* it is a database file, which --verify, --export and --import work on */
	bool shared;  /* other nodes use it, too; it needs servers */

	/* open(config, error): the open log, with its topics registered; NULL with a reason. */
	struct store *(*open)(const struct store_config *config, struct error *error);

	/*
	 * attach(store, window, reader):
	 * Only of a log that is its window and no more, otherwise NULL: give it the window, and the
	 * number that its own reader has there.  Before the first append.
	 */
	void (*attach)(struct store *store, struct window *window, unsigned reader);
};

/*
 * store_query_removed(query, removal, removed):
 * For stores: count in that the newest event of one more of the topics that is gone for this reason
 * is at ${removed}; 0 if none is.
 */
void store_query_removed(struct store_query *query, enum removal removal, uint64_t removed);

/*
 * store_query_deleted(query, deleted, erased):
 * The same of the deletions of one more of the topics: where the newest deleted event is, and which
 * position the newest deletion took.
 */
void store_query_deleted(struct store_query *query, uint64_t deleted, uint64_t erased);

/*
 * store_condition_met(group), store_needs_event(group):
 * For stores: is the group's condition met, where group->newest is known?  Can it only be met if
 * the topic has a newest event?
 */
bool store_condition_met(const struct store_group *group);
bool store_needs_event(const struct store_group *group);

/* store_kind_of(servers, db): the sort that --store and --db choose; each is NULL without it. */
const struct store_kind *store_kind_of(const char *servers, const char *db);

/*
 * store_sqlite_open(config, error):
 * Open or create the database.  NULL with EX_TEMPFAIL if another server has it, EX_CANTCREAT or
 * EX_IOERR if it cannot be used, EX_DATAERR if it belongs to another program or a newer version.
 */
struct store *store_sqlite_open(const struct store_config *config, struct error *error);

/*
 * store_nats_open(config, error):
 * Open, or make, the log that config->servers keep, and this node's copy of it: config->path, or one
 * of the files that begin with config->copies and that no other node uses.  NULL as jetstream_open(),
 * or as store_sqlite_open().
 */
struct store *store_nats_open(const struct store_config *config, struct error *error);

/*
 * store_nats_path(store): the path of the copy; valid as long as the store.
 *
 * store_nats_begin_import(config, error), store_nats_import(config, path, error):
 * Is the log new?  Then make it begin with what the database has, which becomes a copy of it.  Return 0, or
 * -1 with EX_CANTCREAT if it is not new.
 */
const char *store_nats_path(const struct store *store);
int store_nats_begin_import(const struct store_config *config, struct error *error);
int store_nats_import(const struct store_config *config, const char *path, struct error *error);

/* store_memory_open(config, error), store_memory_attach(): a log that is its window and no more. */
struct store *store_memory_open(const struct store_config *config, struct error *error);
void store_memory_attach(struct store *store, struct window *window, unsigned reader);

#endif
