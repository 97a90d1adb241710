/* SPDX-License-Identifier: MIT */
/* Retention; see retention.h. */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "database.h"
#include "retention.h"
#include "retention_internal.h"

/* Save all counts after this many events: an opening after a crash counts about as many. */
#define SAVE_EVENTS 65536

/* The time of the oldest event is not known yet: older than all that could be. */
#define NOT_KNOWN INT64_MIN

static bool is_over(const struct holding *held, const struct retain *limit, int64_t now)
{
	if (held->events <= 0)
		return false;
	return (limit->events > 0 && held->events > limit->events) ||
	       (limit->bytes > 0 && held->bytes > limit->bytes) ||
	       (limit->age > 0 && (held->oldest == NOT_KNOWN || held->oldest <= now - limit->age));
}

/* --- counting --- */

static int grow(struct retention *retention, uint32_t count)
{
	uint32_t capacity = retention->capacity ? retention->capacity : 16;
	struct kept *topics;
	uint32_t *touched;

	while (capacity < count)
		capacity *= 2;
	topics = realloc(retention->topics, capacity * sizeof(*topics));
	if (topics != NULL)
		retention->topics = topics;
	touched = realloc(retention->touched, capacity * sizeof(*touched));
	if (touched != NULL)
		retention->touched = touched;
	if (topics == NULL || touched == NULL)
		return -1;
	retention->capacity = capacity;
	return 0;
}

int retention_begin(struct retention *retention)
{
	uint32_t count = topics_kept(retention->registry);

	if (count > retention->capacity && grow(retention, count) != 0)
		return -1;
	for (; retention->count < count; retention->count++) {
		const struct topic *topic =
			topics_of_row(retention->registry, retention->count + 1);
		struct kept *kept = &retention->topics[retention->count];

		*kept = (struct kept){
			.rule = retention_rules_of(retention->retention_rules, topic->name)};
		kept->now.oldest = NOT_KNOWN;
		kept->now.removed = topic->removed;
		kept->now.superseded = topic->superseded;
		kept->now.deleted = topic->deleted;
		kept->now.erased = topic->erased;
		retention->ruled += kept->rule != NULL;
	}
	retention->touched_count = 0;
	retention->all_before = retention->all;
	retention->events_before = retention->events;
	retention->unsaved_before = retention->unsaved;
	retention->saved = false;
	return 0;
}

struct kept *retention_touch(struct retention *retention, uint32_t number)
{
	struct kept *kept = &retention->topics[number];

	if (!kept->touched) {
		kept->touched = true;
		kept->unsaved = true;
		kept->before = kept->now;
		retention->touched[retention->touched_count++] = number;
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

static void count(struct retention *retention, uint32_t number, int64_t bytes, int64_t time)
{
	struct kept *kept = retention_touch(retention, number);

	retention->events++;
	hold(&kept->now, 1, bytes, time);
	if (kept->rule == NULL)
		hold(&retention->all, 1, bytes, time);
	retention->unsaved++;
}

void retention_count(struct retention *retention, const struct event *event)
{
	count(retention, event->topic->row - 1, retention_rules_size(event), event->time);
}

static int save(
	struct retention *retention, int64_t topic, const struct holding *held, uint64_t upto)
{
	sqlite3_stmt *statement = retention->statements[SAVE];

	sqlite3_bind_int64(statement, 1, topic);
	sqlite3_bind_int64(statement, 2, held->events);
	sqlite3_bind_int64(statement, 3, held->bytes);
	sqlite3_bind_int64(statement, 4, (int64_t)upto);
	return database_run(statement);
}

bool retention_save_due(const struct retention *retention)
{
	return retention->unsaved >= SAVE_EVENTS;
}

/* A topic stays `unsaved` if the transaction fails, or is saved once more: neither does harm. */
int retention_save(struct retention *retention, bool always, uint64_t head)
{
	static const struct holding none;

	if (retention->unsaved == 0 || (!always && !retention_save_due(retention)))
		return 0;
	for (uint32_t i = 0; i < retention->count; i++) {
		if (retention->topics[i].unsaved &&
			save(retention, (int64_t)i + 1, &retention->topics[i].now, head) != 0)
			return -1;
	}
	retention->unsaved = 0;
	retention->saved = true;
	return save(retention, 0, &none, head);
}

/* --- removing --- */

void retention_take(struct retention *retention, struct kept *kept, const struct victim *victim)
{
	kept->taken = true;
	retention->events--;
	hold(&kept->now, -1, -victim->size, 0);
	if (kept->rule == NULL)
		hold(&retention->all, -1, -victim->size, 0);
}

int retention_remove_rows(struct retention *retention, const struct victim *victims, int number)
{
	sqlite3_stmt *statement = retention->statements[REMOVE];

	for (int i = 0; i < number; i++) {
		sqlite3_bind_int64(statement, 1, (int64_t)victims[i].position);
		if (database_run(statement) != 0)
			return -1;
	}
	return 0;
}

static void take_oldest(struct retention *retention, const struct victim *victim)
{
	struct kept *kept = retention_touch(retention, victim->topic);

	kept->now.removed = victim->position;
	retention_take(retention, kept, victim);
}

/*
 * Take rows, the oldest first, until ${held} is within ${limit}, and remove them.  *${rows} is
 * lowered by the number of rows looked at; -1 if no row is left.
 */
static int remove_oldest(struct retention *retention, sqlite3_stmt *statement, struct holding *held,
	const struct retain *limit, int *rows, int64_t now)
{
	struct victim victims[SLICE];
	int number = 0, seen = 0, code = SQLITE_DONE;

	while (is_over(held, limit, now) && (code = sqlite3_step(statement)) == SQLITE_ROW) {
		struct event event;
		uint32_t topic = database_event_topic(statement) - 1;
		bool other = held == &retention->all && topic < retention->count &&
			     retention->topics[topic].rule != NULL;

		seen++;
		if (!other) {
			database_event(statement, &event);
			held->oldest = event.time;
			if (!is_over(held, limit, now))
				break;
			victims[number] = (struct victim){
				event.position, topic, retention_rules_size(&event)};
			take_oldest(retention, &victims[number++]);
		}
		if (held == &retention->all)
			held->removed = (uint64_t)sqlite3_column_int64(statement, 0);
	}
	sqlite3_reset(statement);
	*rows = seen > 0 ? *rows - seen : -1;
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return -1;
	if (held->events == 0)
		held->oldest = NOT_KNOWN;
	return retention_remove_rows(retention, victims, number);
}

/* The same, as often as it takes or *${rows} allow. */
static int remove_excess(struct retention *retention, uint32_t number, struct holding *held,
	const struct retain *limit, int *rows, int64_t now)
{
	sqlite3_stmt *statement =
		retention->statements[held == &retention->all ? OF_ALL : OF_TOPIC];

	while (is_over(held, limit, now) && *rows > 0) {
		sqlite3_bind_int64(statement, 1, (int64_t)held->removed);
		sqlite3_bind_int(statement, 2, *rows < SLICE ? *rows : SLICE);
		if (held != &retention->all)
			sqlite3_bind_int64(statement, 3, (int64_t)number + 1);
		if (remove_oldest(retention, statement, held, limit, rows, now) != 0)
			return -1;
		/* Another program removed them: the counted rows do not exist. */
		if (*rows < 0 && held->events > 0 && is_over(held, limit, now))
			*held = (struct holding){.oldest = NOT_KNOWN,
				.removed = held->removed,
				.superseded = held->superseded,
				.deleted = held->deleted,
				.erased = held->erased};
	}
	return 0;
}

int retention_write_marks(struct retention *retention, uint64_t head)
{
	sqlite3_stmt *statement = retention->statements[MARK];

	for (uint32_t i = 0; i < retention->touched_count; i++) {
		uint32_t number = retention->touched[i];
		const struct kept *kept = &retention->topics[number];

		if (!kept->taken)
			continue;
		sqlite3_bind_int64(statement, 1, (int64_t)kept->now.removed);
		sqlite3_bind_int64(statement, 2, (int64_t)kept->now.superseded);
		sqlite3_bind_int64(statement, 3, (int64_t)kept->now.deleted);
		sqlite3_bind_int64(statement, 4, (int64_t)kept->now.erased);
		sqlite3_bind_int64(statement, 5, (int64_t)number + 1);
		if (database_run(statement) != 0 ||
			save(retention, (int64_t)number + 1, &kept->now, head) != 0)
			return -1;
	}
	return 0;
}

static int retention_topic(struct retention *retention, uint32_t number, int *rows, int64_t now)
{
	struct kept *kept = &retention->topics[number];

	if (kept->rule == NULL || !is_over(&kept->now, kept->rule, now))
		return 0;
	retention_touch(retention, number);
	return remove_excess(retention, number, &kept->now, kept->rule, rows, now);
}

int retention_step(
	struct retention *retention, int rows, bool everywhere, uint64_t head, int64_t now)
{
	uint32_t number = everywhere ? retention->count : retention->touched_count;

	for (uint32_t i = 0; retention->ruled > 0 && i < number && rows > 0; i++) {
		if (retention_topic(
			    retention, everywhere ? i : retention->touched[i], &rows, now) != 0)
			return -1;
	}
	if (everywhere && retention_sweep(retention, &rows) != 0)
		return -1;
	if (remove_excess(retention, 0, &retention->all, &retention->retention_rules->all, &rows,
		    now) != 0)
		return -1;
	return retention_write_marks(retention, head);
}

int64_t retention_events(const struct retention *retention)
{
	return retention->events;
}

void retention_commit(struct retention *retention)
{
	for (uint32_t i = 0; i < retention->touched_count; i++) {
		struct kept *kept = &retention->topics[retention->touched[i]];
		struct topic *topic = topics_of_row(retention->registry, retention->touched[i] + 1);

		if (kept->replaced)
			atomic_fetch_add(&topic->superseded_before, 1);
		kept->touched = kept->taken = kept->replaced = false;
		if (kept->now.removed != kept->before.removed)
			atomic_store(&topic->removed, kept->now.removed);
		if (kept->now.superseded != kept->before.superseded)
			atomic_store(&topic->superseded, kept->now.superseded);
		if (kept->now.deleted != kept->before.deleted)
			atomic_store(&topic->deleted, kept->now.deleted);
	}
	retention->sweep.moved = false;
	for (uint32_t i = 0; retention->saved && i < retention->count; i++)
		retention->topics[i].unsaved = false;
	retention->touched_count = 0;
}

void retention_rollback(struct retention *retention)
{
	for (uint32_t i = 0; i < retention->touched_count; i++) {
		struct kept *kept = &retention->topics[retention->touched[i]];

		kept->touched = kept->taken = kept->replaced = false;
		kept->now = kept->before;
	}
	retention->touched_count = 0;
	if (retention->sweep.moved)
		retention_sweep_again(retention);
	retention->all = retention->all_before;
	retention->events = retention->events_before;
	retention->unsaved = retention->unsaved_before;
}

static int64_t due(const struct holding *held, const struct retain *limit, int64_t now)
{
	if (is_over(held, limit, now))
		return now;
	return limit->age > 0 && held->events > 0 ? held->oldest + limit->age : INT64_MAX;
}

int64_t retention_due(const struct retention *retention, int64_t now)
{
	int64_t first = due(&retention->all, &retention->retention_rules->all, now);

	for (uint32_t i = 0; retention->ruled > 0 && i < retention->count && first > now; i++) {
		const struct kept *kept = &retention->topics[i];
		int64_t then = kept->rule ? due(&kept->now, kept->rule, now) : INT64_MAX;

		first = then < first ? then : first;
	}
	return retention_sweeps(retention) && first > now ? now : first;
}

/* What is the oldest, and where it is, is found out again when something has to be removed. */
void retention_use(struct retention *retention, const struct retention_rules *retention_rules)
{
	retention->retention_rules = retention_rules;
	retention->all = (struct holding){.oldest = NOT_KNOWN};
	retention->ruled = 0;
	for (uint32_t i = 0; i < retention->count; i++) {
		struct kept *kept = &retention->topics[i];

		kept->rule = retention_rules_of(
			retention_rules, topics_of_row(retention->registry, i + 1)->name);
		kept->now.oldest = NOT_KNOWN;
		retention->ruled += kept->rule != NULL;
		if (kept->rule == NULL)
			hold(&retention->all, kept->now.events, kept->now.bytes, NOT_KNOWN);
	}
	retention_sweep_again(retention);
}

/* --- opening --- */

/* The counts that were saved; *${from} is the first position whose rows must be counted. */
static int load(struct retention *retention, uint64_t *upto, uint64_t *from)
{
	sqlite3_stmt *row = NULL;
	int code;

	if (sqlite3_prepare_v2(retention->db, "SELECT topic, events, bytes, upto FROM counter", -1,
		    &row, NULL) != SQLITE_OK)
		return -1;
	while ((code = sqlite3_step(row)) == SQLITE_ROW) {
		int64_t topic = sqlite3_column_int64(row, 0);
		struct kept *kept;

		if (topic == 0)
			*from = (uint64_t)sqlite3_column_int64(row, 3);
		if (topic < 1 || topic > retention->count)
			continue;
		kept = &retention->topics[topic - 1];
		hold(&kept->now, sqlite3_column_int64(row, 1), sqlite3_column_int64(row, 2),
			NOT_KNOWN);
		retention->events += kept->now.events;
		if (kept->rule == NULL)
			hold(&retention->all, kept->now.events, kept->now.bytes, NOT_KNOWN);
		upto[topic - 1] = (uint64_t)sqlite3_column_int64(row, 3);
	}
	sqlite3_finalize(row);
	return code == SQLITE_DONE ? 0 : -1;
}

static int count_rows(struct retention *retention, const uint64_t *upto, uint64_t from)
{
	sqlite3_stmt *row = NULL;
	int code;

	if (sqlite3_prepare_v2(retention->db,
		    "SELECT " DATABASE_EVENT " FROM event WHERE position > ? ORDER BY position", -1,
		    &row, NULL) != SQLITE_OK)
		return -1;
	sqlite3_bind_int64(row, 1, (int64_t)from);
	while ((code = sqlite3_step(row)) == SQLITE_ROW) {
		uint32_t topic = database_event_topic(row) - 1;
		struct event event;

		if (topic >= retention->count ||
			(uint64_t)sqlite3_column_int64(row, 0) <= upto[topic])
			continue;
		database_event(row, &event);
		count(retention, topic, retention_rules_size(&event), event.time);
	}
	sqlite3_finalize(row);
	return code == SQLITE_DONE ? 0 : -1;
}

static int start(struct retention *retention, struct error *error)
{
	static const char *const sql[STATEMENTS] = {
		[OF_TOPIC] = "SELECT " DATABASE_EVENT " FROM event WHERE topic = ?3 AND"
			     " position > ?1 ORDER BY position LIMIT ?2",
		[OF_ALL] = "SELECT " DATABASE_EVENT " FROM event WHERE position > ?1"
			   " ORDER BY position LIMIT ?2",
		[OF_SUBJECT] = "SELECT " DATABASE_EVENT " FROM event WHERE topic = ? AND"
			       " subject = ? AND position < ? ORDER BY position LIMIT ?",
		[REMOVE] = "DELETE FROM event WHERE position = ?",
		[MARK] = ("UPDATE topic SET removed = ?, superseded = ?, deleted = ?, erased = ?"
			  " WHERE id = ?"),
		[SAVE] = "REPLACE INTO counter(topic, events, bytes, upto) VALUES(?, ?, ?, ?)",
	};
	uint64_t from = 0, *upto;
	int result;

	if (database_prepare(retention->db, sql, retention->statements, STATEMENTS) != 0 ||
		subjects_open(&retention->subjects, retention->db) != 0)
		return database_failed(retention->db, "cannot use the database", error);
	upto = calloc(topics_kept(retention->registry) + 1, sizeof(*upto));
	if (upto == NULL || retention_begin(retention) != 0) {
		free(upto);
		return error_set(error, EX_OSERR, "out of memory for the topics");
	}
	if (retention->ruled > 0)
		retention_sweep_again(retention);
	result = load(retention, upto, &from);
	if (result == 0)
		result = count_rows(retention, upto, from);
	free(upto);
	retention_commit(retention);
	if (result != 0)
		return database_failed(retention->db, "cannot count the database's events", error);
	return 0;
}

struct retention *retention_open(sqlite3 *db, struct topics *topics,
	const struct retention_rules *retention_rules, struct error *error)
{
	struct retention *retention = calloc(1, sizeof(*retention));

	if (retention == NULL) {
		error_set(error, EX_OSERR, "out of memory for the store");
		return NULL;
	}
	retention->db = db;
	retention->registry = topics;
	retention->retention_rules = retention_rules;
	retention->all.oldest = NOT_KNOWN;
	if (start(retention, error) != 0) {
		retention_close(retention);
		return NULL;
	}
	return retention;
}

void retention_close(struct retention *retention)
{
	if (retention == NULL)
		return;
	database_finalize(retention->statements, STATEMENTS);
	subjects_close(&retention->subjects);
	free(retention->topics);
	free(retention->touched);
	free(retention);
}
