/* SPDX-License-Identifier: MIT */
/* The log that is its window and no more, for demonstrations and tests; see store.h. */
#include <stdlib.h>
#include <sysexits.h>

#include "clock.h"
#include "closing.h"
#include "idempotency_map.h"
#include "store.h"
#include "window_latest.h"

/* A reader of several topics pauses after this many entries of others. */
#define WALK_ENTRIES 32768

struct memory_store {
	struct store store;
	struct idempotency_map *keys;
	struct window *window;
	unsigned reader; /* the number that the one reader announces by */
};

struct store_reader {
	struct memory_store *memory;
	struct sse_parser *parser; /* turns a frame of the window back into an event */
	struct event *event;	   /* where the parser's callback puts the type and data */
	store_visit visit;
	void *context;
	uint64_t erasures; /* see struct window_view */
};

/* Number one, unless its key is known; the group is refused if that is for something else. */
static int number_append(struct memory_store *memory, struct store_group *group,
	struct store_append *append, int64_t now)
{
	struct event *event = &append->event;
	bool keyed = append->key.len > 0 && !event->ephemeral;

	append->duplicate = false;
	if (keyed && idempotency_map_find(memory->keys, append, now)) {
		group->conflict = !append->duplicate;
		return 0;
	}
	if (closing_meets(append)) {
		group->closed = !closing_settle(append);
		return 0;
	}
	event->time = now;
	event->position = event->ephemeral ? memory->store.head : ++memory->store.head;
	closing_note(append);
	return keyed ? idempotency_map_add(memory->keys, append) : 0;
}

/* The newest event of the topic among these groups, which are numbered, or in the window. */
static uint64_t find_newest(const struct memory_store *memory, struct store_group *const *groups,
	size_t count, const struct topic *topic)
{
	while (count-- > 0) {
		size_t i = store_group_refused(groups[count]) ? 0 : groups[count]->count;

		while (i-- > 0) {
			const struct store_append *append = &groups[count]->appends[i];

			if (append->event.topic == topic && !append->event.ephemeral &&
				!append->duplicate)
				return append->event.position;
		}
	}
	return window_newest(memory->window, topic);
}

static int number_group(struct memory_store *memory, struct store_group *group, int64_t now)
{
	uint64_t head = memory->store.head;

	group->conflict = group->closed = group->unmet = false;
	for (size_t i = 0; i < group->count && !store_group_refused(group); i++) {
		if (number_append(memory, group, &group->appends[i], now) != 0)
			return -1;
		group->conflicted = i;
	}
	group->unmet = !store_group_refused(group) && memory->store.head > head &&
		       !store_condition_met(group);
	if (store_group_refused(group)) {
		closing_undo(group);
		idempotency_map_undo(memory->keys, head);
		memory->store.head = head;
	}
	return 0;
}

static int find_topics(struct topics *topics, struct store_group *group, struct error *error)
{
	for (size_t i = 0; i < group->count; i++) {
		struct store_append *append = &group->appends[i];

		append->event.topic = topics_add(topics, append->topic);
		if (append->event.topic == NULL)
			return error_set(error, EX_IOERR, "out of memory for a new topic");
	}
	return 0;
}

static int memory_append(
	struct store *store, struct store_group *const *groups, size_t count, struct error *error)
{
	struct memory_store *memory = (struct memory_store *)store;
	uint64_t head = store->head;
	int64_t now = clock_wall_ms();

	for (size_t i = 0; i < count; i++) {
		if (find_topics(store->topics, groups[i], error) != 0)
			return -1;
	}
	for (size_t i = 0; i < count; i++) {
		if (groups[i]->condition != STORE_ALWAYS)
			groups[i]->newest =
				find_newest(memory, groups, i, groups[i]->appends[0].event.topic);
		if (number_group(memory, groups[i], now) != 0) {
			idempotency_map_undo(memory->keys, head);
			store->head = head;
			for (size_t j = 0; j <= i; j++)
				closing_undo(groups[j]);
			return error_set(error, EX_IOERR, "out of memory for a key");
		}
	}
	idempotency_map_sweep(memory->keys, now);
	store_deliver(store, groups, count);
	return 0;
}

/* The log thread erases them from the window, which is all that there is. */
static int memory_erase(struct store *store, struct store_deletion *deletion, struct error *error)
{
	struct window *window = ((struct memory_store *)store)->window;
	struct topic *topic = deletion->topic;
	uint64_t oldest = window_oldest(window), erasures = window_erasures(window);
	uint64_t entry = atomic_load_explicit(&topic->newest_entry, memory_order_relaxed);

	(void)error;
	for (; entry != TOPIC_NO_ENTRY && entry >= oldest && deletion->newest == 0;
		entry = window_entry(window, entry)->previous) {
		const struct window_entry *one = window_entry(window, entry);

		if (!one->ephemeral && one->position > deletion->after &&
			one->position <= deletion->upto &&
			!window_is_erased(window, entry, erasures))
			deletion->newest = one->position;
	}
	if (deletion->newest > atomic_load_explicit(&topic->deleted, memory_order_relaxed))
		atomic_store(&topic->deleted, deletion->newest);
	if (deletion->newest > 0)
		deletion->erased = ++store->head;
	deletion->after = deletion->upto;
	deletion->ended = true;
	return 0;
}

/* What leaves the window is gone, and the keys are bounded as they come. */
static int64_t memory_tidy(struct store *store)
{
	(void)store;
	return -1;
}

/* The parser's callback: the event out of a frame, with the entry's other fields. */
static bool frame_event(void *context, const struct sse_event *parsed)
{
	struct store_reader *reader = context;

	reader->event->type = parsed->type;
	reader->event->data = parsed->data;
	return reader->visit(reader->context, reader->event);
}

static struct store_reader *memory_reader_new(struct store *store, struct error *error)
{
	static const struct sse_callbacks callbacks = {.event = frame_event};
	struct store_reader *reader = calloc(1, sizeof(*reader));

	if (reader != NULL) {
		reader->memory = (struct memory_store *)store;
		reader->parser = sse_parser_new(&callbacks, reader, SIZE_MAX / 2);
	}
	if (reader == NULL || reader->parser == NULL) {
		free(reader);
		error_set(error, EX_OSERR, "out of memory for a reader");
		return NULL;
	}
	return reader;
}

static void memory_reader_free(struct store_reader *reader)
{
	if (reader == NULL)
		return;
	sse_parser_free(reader->parser);
	free(reader);
}

static bool visit_entry(struct store_reader *reader, const struct window_entry *entry)
{
	struct event event = {.position = entry->position,
		.time = entry->time,
		.topic = entry->topic,
		.json = entry->json,
		.subject = window_subject(entry)};

	reader->event = &event;
	return sse_parser_feed(reader->parser, entry->frame, entry->len, NULL) == SSE_OK;
}

/*
 * What is gone of a topic as of the oldest entry that is held.  The topic's mark may already be
 * ahead of that; then the first of its entries says what was before it.
 */
static uint64_t removed_of(const struct window *window, const struct topic *topic, uint64_t from)
{
	uint64_t removed = atomic_load(&topic->removed), first;

	if (from >= window_head(window) || removed < window_entry(window, from)->position)
		return removed;
	first = window_first_of(window, topic, from);
	return first != TOPIC_NO_ENTRY ? window_entry(window, first)->before : removed;
}

/* Visit from ${entry} on.  One topic's entries are linked; of several, all entries are seen. */
static void visit_entries(struct store_reader *reader, struct store_query *query, uint64_t entry)
{
	const struct window *window = reader->memory->window;
	const struct topic_set *set = query->topics;
	uint64_t head = window_head(window);
	unsigned unwanted = 0;

	if (set->count == 1)
		entry = window_first_of(window, set->topics[0], entry);
	while (entry < head) {
		const struct window_entry *one = window_entry(window, entry);
		bool wanted = !one->ephemeral && topic_set_has(set, one->topic);

		if (one->position > query->upto)
			break;
		if (wanted && !window_is_erased(window, entry, reader->erasures) &&
			(query->only == NULL || positions_have(query->only, one->position)) &&
			!visit_entry(reader, one))
			return;
		/* The writer waits for us: not for long. */
		if (!wanted && ++unwanted == WALK_ENTRIES) {
			query->reached = one->position;
			return;
		}
		if (!one->ephemeral)
			query->reached = one->position;
		entry = set->count == 1 ? atomic_load_explicit(&one->next, memory_order_acquire)
					: entry + 1;
	}
	query->reached = query->upto;
}

static int memory_read(struct store_reader *reader, struct store_query *query, store_visit visit,
	void *context, struct error *error)
{
	struct window *window = reader->memory->window;
	unsigned number = reader->memory->reader;
	uint64_t from = window_announce_oldest(window, number);

	(void)error;
	reader->visit = visit;
	reader->context = context;
	reader->erasures = window_erasures(window);
	query->reached = query->after;
	query->removed = query->removed_sum = 0;
	for (uint32_t i = 0; i < query->topics->count; i++) {
		const struct topic *topic = query->topics->topics[i];

		store_query_removed(query, REMOVAL_EXPIRED, removed_of(window, topic, from));
		store_query_deleted(
			query, atomic_load(&topic->deleted), atomic_load(&topic->erased));
	}
	visit_entries(reader, query, window_after(window, from, window_head(window), query->after));
	window_withdraw(window, number);
	return 0;
}

/* One topic's entries are linked; of several, all entries are seen. */
static int memory_newest(struct store_reader *reader, const struct topic_set *topics, uint64_t upto,
	uint64_t count, uint64_t *after, struct error *error)
{
	struct window *window = reader->memory->window;
	unsigned number = reader->memory->reader;
	bool linked = topics->count == 1;
	uint64_t from = window_announce_oldest(window, number), head = window_head(window), entry;
	uint64_t erasures = window_erasures(window);

	(void)error;
	*after = 0;
	entry = linked ? atomic_load_explicit(
				 &topics->topics[0]->newest_entry, memory_order_acquire)
		       : head - 1;
	for (; entry != TOPIC_NO_ENTRY && entry >= from;
		entry = linked ? window_entry(window, entry)->previous : entry - 1) {
		const struct window_entry *one = window_entry(window, entry);

		if (entry >= head || one->ephemeral || one->position > upto ||
			!topic_set_has(topics, one->topic) ||
			window_is_erased(window, entry, erasures))
			continue;
		if (count-- == 0) {
			*after = one->position;
			break;
		}
	}
	window_withdraw(window, number);
	return 0;
}

static int memory_latest(struct store_reader *reader, const struct topic_set *topics,
	uint64_t after, uint64_t upto, struct positions *positions, struct error *error)
{
	struct window *window = reader->memory->window;
	unsigned number = reader->memory->reader;
	uint64_t from = window_announce_oldest(window, number);
	int result = window_latest(window, topics, from, after, upto, positions);

	window_withdraw(window, number);
	positions_order(positions);
	return result == 0 ? 0 : error_set(error, EX_OSERR, "out of memory for the subjects");
}

static int memory_since(struct store_reader *reader, int64_t time, uint64_t upto, uint64_t *after,
	struct error *error)
{
	struct window *window = reader->memory->window;
	unsigned number = reader->memory->reader;
	uint64_t entry = window_announce_oldest(window, number), head = window_head(window);

	(void)error;
	*after = upto;
	for (; entry < head; entry++) {
		const struct window_entry *one = window_entry(window, entry);

		if (one->time >= time && !one->ephemeral && one->position <= upto) {
			*after = one->position - 1;
			break;
		}
	}
	window_withdraw(window, number);
	return 0;
}

/* Its entries, from the newest to the oldest that is announced. */
static void count_entries(
	const struct window *window, struct store_count *one, uint64_t from, uint64_t upto)
{
	uint64_t entry = atomic_load_explicit(&one->topic->newest_entry, memory_order_acquire);
	uint64_t head = window_head(window), erasures = window_erasures(window);

	one->events = one->newest = 0;
	for (; entry != TOPIC_NO_ENTRY && entry >= from;
		entry = window_entry(window, entry)->previous) {
		const struct window_entry *event = window_entry(window, entry);

		if (entry >= head || event->ephemeral || event->position > upto ||
			window_is_erased(window, entry, erasures))
			continue;
		if (one->events++ == 0) {
			one->newest = event->position;
			one->time = event->time;
		}
	}
}

static int memory_count(struct store_reader *reader, struct store_count *counts, size_t number,
	uint64_t upto, struct error *error)
{
	struct window *window = reader->memory->window;
	uint64_t from = window_announce_oldest(window, reader->memory->reader);

	(void)error;
	for (size_t i = 0; i < number; i++)
		count_entries(window, &counts[i], from, upto);
	window_withdraw(window, reader->memory->reader);
	return 0;
}

static int memory_check(const struct store *store, struct error *error)
{
	(void)store;
	(void)error;
	return 0;
}

/* It is in the window. */
static void memory_size(const struct store *store, int64_t *bytes, int64_t *events)
{
	(void)store;
	*bytes = 0;
	*events = -1;
}

static void memory_close(struct store *store)
{
	idempotency_map_free(((struct memory_store *)store)->keys);
	identity_free(&store->identity);
	free(store);
}

static const struct store_ops memory_ops = {
	.quick = true,
	.append = memory_append,
	.tidy = memory_tidy,
	.erase = memory_erase,
	.reader_new = memory_reader_new,
	.reader_free = memory_reader_free,
	.read = memory_read,
	.newest = memory_newest,
	.latest = memory_latest,
	.since = memory_since,
	.count = memory_count,
	.check = memory_check,
	.size = memory_size,
	.close = memory_close,
};

struct store *store_memory_open(const struct store_config *config, struct error *error)
{
	struct memory_store *memory = calloc(1, sizeof(*memory));
	char tag[IDENTITY_TAG + 1];

	if (memory == NULL || identity_new_tag(tag) != 0 ||
		identity_add(&memory->store.identity, tag, 0) != 0 ||
		(memory->keys = idempotency_map_new(config->idempotency_window)) == NULL) {
		if (memory != NULL)
			identity_free(&memory->store.identity);
		free(memory);
		error_set(error, EX_OSERR, "cannot make the log in memory");
		return NULL;
	}
	memory->store.ops = &memory_ops;
	memory->store.topics = config->topics;
	return &memory->store;
}

void store_memory_attach(struct store *store, struct window *window, unsigned reader)
{
	struct memory_store *memory = (struct memory_store *)store;

	memory->window = window;
	memory->reader = reader;
}
