/* SPDX-License-Identifier: MIT */
/* Appending to the log in a SQLite database; see store_sqlite_append.h. */
#include <sysexits.h>

#include "clock.h"
#include "closing.h"
#include "database.h"
#include "store_sqlite_append.h"
#include "store_sqlite_copy.h"
#include "store_sqlite_tidy.h"
#include "store_sqlite_writer.h"

/* An append on its way: what becomes of the store if it gets there. */
struct transaction {
	struct store_group *const *groups;
	size_t count;
	uint32_t topics; /* rows that topics have with it */
	bool stores;	 /* there may be an event to be stored */
	uint64_t head;
	int64_t now;
	bool removed; /* store_sqlite_tidy_some() did, or tried to */
};

/* Is there no event of its topic, though its condition is about one?  Its topic was found. */
static bool is_hopeless(const struct store_group *group)
{
	return store_needs_event(group) && topic_row(group->appends[0].event.topic) == 0;
}

static int find_topics(struct sqlite_store *sqlite, struct transaction *all, struct error *error)
{
	for (size_t i = 0; i < all->count; i++) {
		struct store_group *group = all->groups[i];

		for (size_t j = 0; j < group->count; j++) {
			struct store_append *append = &group->appends[j];

			append->event.topic = topics_add(sqlite->store.topics, append->topic);
			if (append->event.topic == NULL)
				return error_set(error, EX_IOERR, "out of memory for a new topic");
			all->stores |= !append->event.ephemeral && !is_hopeless(group);
		}
	}
	return 0;
}

static int write_topic(struct sqlite_store *sqlite, uint32_t row, const struct topic *topic)
{
	sqlite3_stmt *statement = sqlite->statements[WRITER_ADD_TOPIC];

	sqlite3_bind_int64(statement, 1, row);
	sqlite3_bind_text(statement, 2, topic->name, -1, SQLITE_STATIC);
	return database_run(statement);
}

/* Topics got rows with a transaction that failed at its end. */
static int write_topics(struct sqlite_store *sqlite, struct transaction *all)
{
	all->topics = topics_kept(sqlite->store.topics);
	for (uint32_t row = sqlite->topics_stored + 1; row <= all->topics; row++) {
		if (write_topic(sqlite, row, topics_of_row(sqlite->store.topics, row)) != 0)
			return -1;
	}
	return 0;
}

/*
 * Its topic has its first event, unless the group is refused.  No other thread may see the row
 * before that is known: it would then be the row of another topic.
 */
static int give_row(
	struct sqlite_store *sqlite, struct transaction *all, const struct store_append *append)
{
	struct topic *topic = append->event.topic;

	if (topic_row(topic) != 0)
		return 0;
	topic->storing = ++all->topics;
	return write_topic(sqlite, topic->storing, topic);
}

/* Take back the rows after the first ${rows}. */
static void take_rows(const struct store_group *group, uint32_t rows)
{
	for (size_t i = 0; i < group->count; i++) {
		struct topic *topic = group->appends[i].event.topic;

		if (topic->storing > rows)
			topic->storing = 0;
	}
}

/* Its topic is closed: unless it was stored before that, the group is refused. */
static int meet_closed(struct sqlite_store *sqlite, struct store_group *group,
	struct store_append *append, const struct transaction *all)
{
	bool keyed = append->key.len > 0 && !append->event.ephemeral, known = false;

	if (keyed && idempotency_table_find(&sqlite->keys, append, all->now, &known) != 0)
		return -1;
	group->conflict = known && !append->duplicate;
	group->closed = !known && !closing_settle(append);
	return 0;
}

/* Its topic is closed with it. */
static int write_closing(struct sqlite_store *sqlite, const struct store_append *append)
{
	sqlite3_stmt *statement = sqlite->statements[WRITER_CLOSE];

	closing_note(append);
	sqlite3_bind_int64(statement, 1, (int64_t)append->event.position);
	sqlite3_bind_int64(statement, 2, topic_row(append->event.topic));
	return database_run(statement);
}

/* Store one, unless its key is known; the group is refused if that is for something else. */
static int write_append(struct sqlite_store *sqlite, struct store_group *group,
	struct store_append *append, struct transaction *all)
{
	struct event *event = &append->event;
	bool keyed = append->key.len > 0 && !event->ephemeral, known = false;

	append->duplicate = false;
	event->time = all->now;
	event->position = event->ephemeral ? all->head : all->head + 1;
	if (closing_meets(append))
		return meet_closed(sqlite, group, append, all);
	if (!event->ephemeral && give_row(sqlite, all, append) != 0)
		return -1;
	if (keyed && idempotency_table_add(&sqlite->keys, append, all->now, &known) != 0)
		return -1;
	group->conflict = known && !append->duplicate;
	if (known || event->ephemeral)
		return 0;
	all->head++;
	if (database_add_event(sqlite->statements[WRITER_ADD_EVENT], event) != 0)
		return -1;
	return append->closes ? write_closing(sqlite, append) : 0;
}

/*
 * Store DATABASE_ROWS of them at once, if all are to be stored and none is known; else ${stored}
 * stays false, and nothing is done.
 */
static int write_rows(struct sqlite_store *sqlite, struct store_append *appends,
	struct transaction *all, bool *stored)
{
	sqlite3_stmt *statement = sqlite->statements[WRITER_ADD_EVENTS];
	bool keyed = appends->key.len > 0, known = false;

	for (int i = 0; i < DATABASE_ROWS; i++) {
		struct store_append *append = &appends[i];

		if (append->event.ephemeral || (append->key.len > 0) != keyed || append->closes ||
			closing_meets(append))
			return 0;
		if (give_row(sqlite, all, append) != 0)
			return -1;
		append->duplicate = false;
		append->event.time = all->now;
		append->event.position = all->head + 1 + (uint64_t)i;
		database_bind_event(statement, i, &append->event);
	}
	if (keyed && idempotency_table_add_rows(&sqlite->keys, appends, &known) != 0)
		return -1;
	if (known)
		return 0;
	*stored = true;
	all->head += DATABASE_ROWS;
	return database_run(statement);
}

/* Those from ${at} on, up to DATABASE_ROWS or a conflict; ${at} moves on. */
static int write_some(
	struct sqlite_store *sqlite, struct store_group *group, size_t *at, struct transaction *all)
{
	size_t end = group->count - *at > DATABASE_ROWS ? *at + DATABASE_ROWS : group->count;
	bool stored = false;

	if (end == *at + DATABASE_ROWS &&
		write_rows(sqlite, &group->appends[*at], all, &stored) != 0)
		return -1;
	if (stored)
		*at = end;
	for (; *at < end && !store_group_refused(group); ++*at) {
		if (write_append(sqlite, group, &group->appends[*at], all) != 0)
			return -1;
		group->conflicted = *at;
	}
	return 0;
}

/* Can a group be written, in part or as a whole, when it turns out that it cannot be? */
static bool needs_savepoint(const struct store_group *group)
{
	if (group->condition != STORE_ALWAYS)
		return true;
	for (size_t i = 1; i < group->count; i++) {
		const struct store_append *append = &group->appends[i];

		if ((append->key.len > 0 && !append->event.ephemeral) || append[-1].closes ||
			closing_meets(append))
			return true;
	}
	return false;
}

/* Find the newest event of the group's topic. */
static int find_newest(struct sqlite_store *sqlite, struct store_group *group)
{
	sqlite3_stmt *statement = sqlite->statements[WRITER_NEWEST];
	const struct topic *topic = group->appends[0].event.topic;
	int code;

	group->newest = topic_gone(topic);
	sqlite3_bind_int64(statement, 1, topic_row(topic));
	code = sqlite3_step(statement);
	/* One that was deleted may be newer. */
	if (code == SQLITE_ROW && (uint64_t)sqlite3_column_int64(statement, 0) > group->newest)
		group->newest = (uint64_t)sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : -1;
}

static int write_group(
	struct sqlite_store *sqlite, struct store_group *group, struct transaction *all)
{
	bool savepoint = needs_savepoint(group);
	uint64_t head = all->head;
	uint32_t topics = all->topics;
	size_t at = 0;

	if (group->time != 0)
		all->now = group->time;
	group->conflict = group->closed = group->unmet = false;
	if (group->condition != STORE_ALWAYS && find_newest(sqlite, group) != 0)
		return -1;
	if (is_hopeless(group)) {
		group->unmet = true;
		return 0;
	}
	if (savepoint && store_sqlite_writer_run(sqlite, WRITER_SAVE) != 0)
		return -1;
	while (at < group->count && !store_group_refused(group)) {
		if (write_some(sqlite, group, &at, all) != 0)
			return -1;
	}
	group->unmet =
		!store_group_refused(group) && all->head > head && !store_condition_met(group);
	if (store_group_refused(group)) {
		all->head = head;
		all->topics = topics;
		take_rows(group, topics);
		closing_undo(group);
		if (savepoint && store_sqlite_writer_run(sqlite, WRITER_UNDO) != 0)
			return -1;
	}
	return savepoint ? store_sqlite_writer_run(sqlite, WRITER_RELEASE) : 0;
}

/* Nothing of it was stored. */
static void roll_back(struct sqlite_store *sqlite, const struct transaction *all)
{
	store_sqlite_writer_rollback(sqlite);
	for (size_t i = 0; i < all->count; i++) {
		take_rows(all->groups[i], 0);
		closing_undo(all->groups[i]);
	}
}

static bool is_stored(const struct store_append *append)
{
	return !append->event.ephemeral && !append->duplicate;
}

/* No group can be refused any more: the rows are those of their topics from now on. */
static int keep_topics(struct sqlite_store *sqlite, const struct transaction *all)
{
	struct topics *topics = sqlite->store.topics;

	if (topics_kept(topics) == all->topics)
		return 0;
	for (size_t i = 0; i < all->count; i++) {
		const struct store_group *group = all->groups[i];

		for (size_t j = 0; j < group->count && !store_group_refused(group); j++) {
			struct topic *topic = group->appends[j].event.topic;

			if (!is_stored(&group->appends[j]) || topic->storing == 0)
				continue;
			/* In the order in which they were given. */
			if (topics_keep(topics, topic) != 0)
				return -1;
			topic->storing = 0;
		}
	}
	return retention_begin(sqlite->retention);
}

static int count_events(struct sqlite_store *sqlite, struct transaction *all)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct store_group *group = all->groups[i];

		for (size_t j = 0; j < group->count && !store_group_refused(group); j++) {
			const struct store_append *append = &group->appends[j];

			if (!is_stored(append))
				continue;
			retention_count(sqlite->retention, &append->event);
			if (store_sqlite_tidy_superseded(sqlite, &append->event, &all->removed) !=
				0)
				return -1;
		}
	}
	return 0;
}

static int write_all(struct sqlite_store *sqlite, struct transaction *all)
{
	/* Ephemeral events do not touch the database. */
	bool writes = all->stores;

	all->now = clock_wall_ms();
	all->head = sqlite->store.head;
	if (writes && (store_sqlite_writer_begin(sqlite) != 0 || write_topics(sqlite, all) != 0))
		return -1;
	for (size_t i = 0; i < all->count; i++) {
		if (write_group(sqlite, all->groups[i], all) != 0)
			return -1;
	}
	if (!writes)
		return 0;
	if (keep_topics(sqlite, all) != 0 || count_events(sqlite, all) != 0 ||
		store_sqlite_tidy_some(sqlite, all->head, all->now, &all->removed) != 0 ||
		store_sqlite_copy_note(sqlite, all->head) != 0)
		return -1;
	return store_sqlite_writer_commit(sqlite);
}

int store_sqlite_append(
	struct store *store, struct store_group *const *groups, size_t count, struct error *error)
{
	struct sqlite_store *sqlite = (struct sqlite_store *)store;
	struct transaction all = {.groups = groups, .count = count};
	int result;

	if (find_topics(sqlite, &all, error) != 0)
		return -1;
	/* A stored event must be found again. */
	if (all.stores && database_files_check(&sqlite->files, error) != 0)
		return -1;
	if (retention_begin(sqlite->retention) != 0)
		return error_set(error, EX_IOERR, "out of memory for a new topic");
	result = write_all(sqlite, &all);
	if (result != 0 && all.removed) {
		/* There may be space for the events alone. */
		roll_back(sqlite, &all);
		store_sqlite_tidy_rest(sqlite);
		all.removed = false;
		result = write_all(sqlite, &all);
	}
	if (result != 0) {
		database_failed(sqlite->db, "cannot store the event", error);
		roll_back(sqlite, &all);
		return -1;
	}
	store->head = all.head;
	if (all.stores)
		sqlite->topics_stored = all.topics;
	store_deliver(store, groups, count);
	return 0;
}
