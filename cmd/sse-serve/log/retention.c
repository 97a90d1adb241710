/* SPDX-License-Identifier: MIT */
/* Retention; see prune.h. */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "database.h"
#include "retention.h"

/* Rows that are read before they are removed. */
#define SLICE 256

/* Save all counts after this many events: an opening after a crash counts about as many. */
#define SAVE_EVENTS 65536

/* The time of the oldest event is not known yet: older than all that could be. */
#define NOT_KNOWN INT64_MIN

/* What a topic, or all topics under `all`, hold. */
struct holding {
	int64_t events, bytes;
	int64_t oldest;	  /* time of the oldest event */
	uint64_t removed; /* of a topic: newest position that is gone; of all: nothing up to here */
};

struct kept {
	struct holding now, before; /* ${before} the transaction, if it was touched in it */
	const struct retain *rule;  /* NULL: under `all` */
	bool touched, unsaved;
};

enum statement { OF_TOPIC, OF_ALL, REMOVE, MARK, SAVE, STATEMENTS };

struct prune {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	struct topics *registry;
	const struct retention *retention;
	struct kept *topics; /* by the topic's row, from 0: here its number */
	uint32_t count, room;
	uint32_t *touched; /* numbers of the topics that this transaction touched */
	uint32_t touched_count;
	struct holding all, all_before;
	int64_t events, events_before;	 /* of all topics */
	uint32_t ruled;			 /* how many topics have a rule of their own */
	int64_t unsaved, unsaved_before; /* events counted since all counts were saved */
	bool saved;			 /* in this transaction */
};

/* A row to remove. */
struct victim {
	uint64_t position;
	uint32_t topic;
	int64_t size;
};

static bool is_over(const struct holding *held, const struct retain *limit, int64_t now)
{
	if (held->events <= 0)
		return false;
	return (limit->events > 0 && held->events > limit->events) ||
	       (limit->bytes > 0 && held->bytes > limit->bytes) ||
	       (limit->age > 0 && (held->oldest == NOT_KNOWN || held->oldest <= now - limit->age));
}

/* --- counting --- */

static int grow(struct prune *prune, uint32_t count)
{
	uint32_t room = prune->room ? prune->room : 16;
	struct kept *topics;
	uint32_t *touched;

	while (room < count)
		room *= 2;
	topics = realloc(prune->topics, room * sizeof(*topics));
	if (topics != NULL)
		prune->topics = topics;
	touched = realloc(prune->touched, room * sizeof(*touched));
	if (touched != NULL)
		prune->touched = touched;
	if (topics == NULL || touched == NULL)
		return -1;
	prune->room = room;
	return 0;
}

int prune_begin(struct prune *prune)
{
	uint32_t count = topics_kept(prune->registry);

	if (count > prune->room && grow(prune, count) != 0)
		return -1;
	for (; prune->count < count; prune->count++) {
		const struct topic *topic = topics_of_row(prune->registry, prune->count + 1);
		struct kept *kept = &prune->topics[prune->count];

		*kept = (struct kept){.rule = retention_of(prune->retention, topic->name)};
		kept->now.oldest = NOT_KNOWN;
		kept->now.removed = topic->removed;
		prune->ruled += kept->rule != NULL;
	}
	prune->touched_count = 0;
	prune->all_before = prune->all;
	prune->events_before = prune->events;
	prune->unsaved_before = prune->unsaved;
	prune->saved = false;
	return 0;
}

static struct kept *touch(struct prune *prune, uint32_t number)
{
	struct kept *kept = &prune->topics[number];

	if (!kept->touched) {
		kept->touched = true;
		kept->unsaved = true;
		kept->before = kept->now;
		prune->touched[prune->touched_count++] = number;
	}
	return kept;
}

static void hold(struct holding *held, int64_t events, int64_t bytes, int64_t time)
{
	if (held->events == 0 && events > 0)
		held->oldest = time;
	held->events += events;
	held->bytes += bytes;
}

static void count(struct prune *prune, uint32_t number, int64_t bytes, int64_t time)
{
	struct kept *kept = touch(prune, number);

	prune->events++;
	hold(&kept->now, 1, bytes, time);
	if (kept->rule == NULL)
		hold(&prune->all, 1, bytes, time);
	prune->unsaved++;
}

void prune_count(struct prune *prune, const struct event *event)
{
	count(prune, event->topic->row - 1, retention_size(event->type.len, event->data.len),
		event->time);
}

static int save(struct prune *prune, int64_t topic, const struct holding *held, uint64_t upto)
{
	sqlite3_stmt *statement = prune->statements[SAVE];

	sqlite3_bind_int64(statement, 1, topic);
	sqlite3_bind_int64(statement, 2, held->events);
	sqlite3_bind_int64(statement, 3, held->bytes);
	sqlite3_bind_int64(statement, 4, (int64_t)upto);
	return database_run(statement);
}

/* A topic stays `unsaved` if the transaction fails, or is saved once more: neither does harm. */
int prune_save(struct prune *prune, bool always, uint64_t head)
{
	static const struct holding none;

	if (prune->unsaved == 0 || (!always && prune->unsaved < SAVE_EVENTS))
		return 0;
	for (uint32_t i = 0; i < prune->count; i++) {
		if (prune->topics[i].unsaved &&
			save(prune, (int64_t)i + 1, &prune->topics[i].now, head) != 0)
			return -1;
	}
	prune->unsaved = 0;
	prune->saved = true;
	return save(prune, 0, &none, head);
}

/* --- removing --- */

/* Subtract the row's event from the held counts. */
static void take(struct prune *prune, const struct victim *victim)
{
	struct kept *kept = touch(prune, victim->topic);

	kept->now.removed = victim->position;
	prune->events--;
	hold(&kept->now, -1, -victim->size, 0);
	if (kept->rule == NULL)
		hold(&prune->all, -1, -victim->size, 0);
}

static int remove_rows(struct prune *prune, const struct victim *victims, int number)
{
	sqlite3_stmt *statement = prune->statements[REMOVE];

	for (int i = 0; i < number; i++) {
		sqlite3_bind_int64(statement, 1, (int64_t)victims[i].position);
		if (database_run(statement) != 0)
			return -1;
	}
	return 0;
}

/*
 * Take rows, the oldest first, until ${held} is within ${limit}, and remove them.  *${rows} is
 * lowered by the number of rows looked at; -1 if no row is left.
 */
static int remove_oldest(struct prune *prune, sqlite3_stmt *statement, struct holding *held,
	const struct retain *limit, int *rows, int64_t now)
{
	struct victim victims[SLICE];
	int number = 0, seen = 0, code = SQLITE_DONE;

	while (is_over(held, limit, now) && (code = sqlite3_step(statement)) == SQLITE_ROW) {
		struct event event;
		uint32_t topic = database_event_topic(statement) - 1;
		bool other = held == &prune->all && topic < prune->count &&
			     prune->topics[topic].rule != NULL;

		seen++;
		if (!other) {
			database_event(statement, &event);
			held->oldest = event.time;
			if (!is_over(held, limit, now))
				break;
			victims[number] = (struct victim){event.position, topic,
				retention_size(event.type.len, event.data.len)};
			take(prune, &victims[number++]);
		}
		if (held == &prune->all)
			held->removed = (uint64_t)sqlite3_column_int64(statement, 0);
	}
	sqlite3_reset(statement);
	*rows = seen > 0 ? *rows - seen : -1;
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return -1;
	if (held->events == 0)
		held->oldest = NOT_KNOWN;
	return remove_rows(prune, victims, number);
}

/* The same, as often as it takes or *${rows} allow. */
static int remove_excess(struct prune *prune, uint32_t number, struct holding *held,
	const struct retain *limit, int *rows, int64_t now)
{
	sqlite3_stmt *statement = prune->statements[held == &prune->all ? OF_ALL : OF_TOPIC];

	while (is_over(held, limit, now) && *rows > 0) {
		sqlite3_bind_int64(statement, 1, (int64_t)held->removed);
		sqlite3_bind_int(statement, 2, *rows < SLICE ? *rows : SLICE);
		if (held != &prune->all)
			sqlite3_bind_int64(statement, 3, (int64_t)number + 1);
		if (remove_oldest(prune, statement, held, limit, rows, now) != 0)
			return -1;
		/* Another program removed them: the counted rows do not exist. */
		if (*rows < 0 && held->events > 0 && is_over(held, limit, now))
			*held = (struct holding){.oldest = NOT_KNOWN, .removed = held->removed};
	}
	return 0;
}

/* Store the removed positions of this transaction's topics. */
static int write_marks(struct prune *prune, uint64_t head)
{
	sqlite3_stmt *statement = prune->statements[MARK];

	for (uint32_t i = 0; i < prune->touched_count; i++) {
		uint32_t number = prune->touched[i];
		const struct kept *kept = &prune->topics[number];

		if (kept->now.removed == kept->before.removed)
			continue;
		sqlite3_bind_int64(statement, 1, (int64_t)kept->now.removed);
		sqlite3_bind_int64(statement, 2, (int64_t)number + 1);
		if (database_run(statement) != 0 ||
			save(prune, (int64_t)number + 1, &kept->now, head) != 0)
			return -1;
	}
	return 0;
}

static int prune_topic(struct prune *prune, uint32_t number, int *rows, int64_t now)
{
	struct kept *kept = &prune->topics[number];

	if (kept->rule == NULL || !is_over(&kept->now, kept->rule, now))
		return 0;
	touch(prune, number);
	return remove_excess(prune, number, &kept->now, kept->rule, rows, now);
}

int prune_step(struct prune *prune, int rows, bool everywhere, uint64_t head, int64_t now)
{
	uint32_t number = everywhere ? prune->count : prune->touched_count;

	for (uint32_t i = 0; prune->ruled > 0 && i < number && rows > 0; i++) {
		if (prune_topic(prune, everywhere ? i : prune->touched[i], &rows, now) != 0)
			return -1;
	}
	if (remove_excess(prune, 0, &prune->all, &prune->retention->all, &rows, now) != 0)
		return -1;
	return write_marks(prune, head);
}

int64_t prune_events(const struct prune *prune)
{
	return prune->events;
}

void prune_commit(struct prune *prune)
{
	for (uint32_t i = 0; i < prune->touched_count; i++) {
		struct kept *kept = &prune->topics[prune->touched[i]];

		kept->touched = false;
		if (kept->now.removed != kept->before.removed)
			atomic_store(
				&topics_of_row(prune->registry, prune->touched[i] + 1)->removed,
				kept->now.removed);
	}
	for (uint32_t i = 0; prune->saved && i < prune->count; i++)
		prune->topics[i].unsaved = false;
	prune->touched_count = 0;
}

void prune_rollback(struct prune *prune)
{
	for (uint32_t i = 0; i < prune->touched_count; i++) {
		struct kept *kept = &prune->topics[prune->touched[i]];

		kept->touched = false;
		kept->now = kept->before;
	}
	prune->touched_count = 0;
	prune->all = prune->all_before;
	prune->events = prune->events_before;
	prune->unsaved = prune->unsaved_before;
}

static int64_t due(const struct holding *held, const struct retain *limit, int64_t now)
{
	if (is_over(held, limit, now))
		return now;
	return limit->age > 0 && held->events > 0 ? held->oldest + limit->age : INT64_MAX;
}

int64_t prune_due(const struct prune *prune, int64_t now)
{
	int64_t first = due(&prune->all, &prune->retention->all, now);

	for (uint32_t i = 0; prune->ruled > 0 && i < prune->count && first > now; i++) {
		const struct kept *kept = &prune->topics[i];
		int64_t then = kept->rule ? due(&kept->now, kept->rule, now) : INT64_MAX;

		first = then < first ? then : first;
	}
	return first;
}

/* --- opening --- */

/* The counts that were saved; *${from} is the first position whose rows must be counted. */
static int load(struct prune *prune, uint64_t *upto, uint64_t *from)
{
	sqlite3_stmt *row = NULL;
	int code;

	if (sqlite3_prepare_v2(prune->db, "SELECT topic, events, bytes, upto FROM counter", -1,
		    &row, NULL) != SQLITE_OK)
		return -1;
	while ((code = sqlite3_step(row)) == SQLITE_ROW) {
		int64_t topic = sqlite3_column_int64(row, 0);
		struct kept *kept;

		if (topic == 0)
			*from = (uint64_t)sqlite3_column_int64(row, 3);
		if (topic < 1 || topic > prune->count)
			continue;
		kept = &prune->topics[topic - 1];
		hold(&kept->now, sqlite3_column_int64(row, 1), sqlite3_column_int64(row, 2),
			NOT_KNOWN);
		prune->events += kept->now.events;
		if (kept->rule == NULL)
			hold(&prune->all, kept->now.events, kept->now.bytes, NOT_KNOWN);
		upto[topic - 1] = (uint64_t)sqlite3_column_int64(row, 3);
	}
	sqlite3_finalize(row);
	return code == SQLITE_DONE ? 0 : -1;
}

static int count_rows(struct prune *prune, const uint64_t *upto, uint64_t from)
{
	sqlite3_stmt *row = NULL;
	int code;

	if (sqlite3_prepare_v2(prune->db,
		    "SELECT " DATABASE_EVENT " FROM event WHERE position > ? ORDER BY position", -1,
		    &row, NULL) != SQLITE_OK)
		return -1;
	sqlite3_bind_int64(row, 1, (int64_t)from);
	while ((code = sqlite3_step(row)) == SQLITE_ROW) {
		uint32_t topic = database_event_topic(row) - 1;
		struct event event;

		if (topic >= prune->count || (uint64_t)sqlite3_column_int64(row, 0) <= upto[topic])
			continue;
		database_event(row, &event);
		count(prune, topic, retention_size(event.type.len, event.data.len), event.time);
	}
	sqlite3_finalize(row);
	return code == SQLITE_DONE ? 0 : -1;
}

static int start(struct prune *prune, struct error *error)
{
	static const char *const sql[STATEMENTS] = {
		[OF_TOPIC] = "SELECT " DATABASE_EVENT " FROM event WHERE topic = ?3 AND"
			     " position > ?1 ORDER BY position LIMIT ?2",
		[OF_ALL] = "SELECT " DATABASE_EVENT " FROM event WHERE position > ?1"
			   " ORDER BY position LIMIT ?2",
		[REMOVE] = "DELETE FROM event WHERE position = ?",
		[MARK] = "UPDATE topic SET removed = ? WHERE id = ?",
		[SAVE] = "REPLACE INTO counter(topic, events, bytes, upto) VALUES(?, ?, ?, ?)",
	};
	uint64_t from = 0, *upto;
	int result;

	if (database_prepare(prune->db, sql, prune->statements, STATEMENTS) != 0)
		return database_failed(prune->db, "cannot use the database", error);
	upto = calloc(topics_kept(prune->registry) + 1, sizeof(*upto));
	if (upto == NULL || prune_begin(prune) != 0) {
		free(upto);
		return error_set(error, EX_OSERR, "out of memory for the topics");
	}
	result = load(prune, upto, &from);
	if (result == 0)
		result = count_rows(prune, upto, from);
	free(upto);
	prune_commit(prune);
	if (result != 0)
		return database_failed(prune->db, "cannot count the database's events", error);
	return 0;
}

struct prune *prune_open(
	sqlite3 *db, struct topics *topics, const struct retention *retention, struct error *error)
{
	struct prune *prune = calloc(1, sizeof(*prune));

	if (prune == NULL) {
		error_set(error, EX_OSERR, "out of memory for the store");
		return NULL;
	}
	prune->db = db;
	prune->registry = topics;
	prune->retention = retention;
	prune->all.oldest = NOT_KNOWN;
	if (start(prune, error) != 0) {
		prune_close(prune);
		return NULL;
	}
	return prune;
}

void prune_close(struct prune *prune)
{
	if (prune == NULL)
		return;
	database_finalize(prune->statements, STATEMENTS);
	free(prune->topics);
	free(prune->touched);
	free(prune);
}
