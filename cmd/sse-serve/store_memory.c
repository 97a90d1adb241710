/* SPDX-License-Identifier: MIT */
/* The log that is its window and no more, for demonstrations and tests; see store.h. */
#include <stdlib.h>
#include <sysexits.h>

#include "store.h"

struct memory_store {
	struct store store;
	struct window *window;
	unsigned reader; /* the number that the one reader announces by */
};

struct store_reader {
	struct memory_store *memory;
	struct sse_parser *parser; /* turns a frame of the window back into an event */
	struct event *event;	   /* where the parser's callback puts the type and data */
	store_visit visit;
	void *context;
};

static int memory_append(
	struct store *store, struct store_append *const *batch, size_t count, struct error *error)
{
	int64_t now = store_now();

	for (size_t i = 0; i < count; i++) {
		struct event *event = &batch[i]->event;

		event->topic = topics_add(store->topics, batch[i]->topic);
		if (event->topic == NULL)
			return error_set(error, EX_IOERR, "out of memory for a new topic");
		event->time = now;
	}
	for (size_t i = 0; i < count; i++) {
		struct event *event = &batch[i]->event;

		event->position = event->ephemeral ? store->head : ++store->head;
	}
	store_deliver(store, batch, count);
	return 0;
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
		.json = entry->json};

	reader->event = &event;
	return sse_parser_feed(reader->parser, entry->frame, entry->len, NULL) == SSE_OK;
}

static int memory_read(struct store_reader *reader, struct store_query *query, store_visit visit,
	void *context, struct error *error)
{
	struct window *window = reader->memory->window;
	unsigned number = reader->memory->reader;
	uint64_t from = window_announce_oldest(window, number), head = window_head(window);
	uint64_t entry = window_first_of(window, query->topic, from);

	(void)error;
	reader->visit = visit;
	reader->context = context;
	/* What is gone is known from the oldest entry that is still there, if there is one: the
	 * topic's mark may already be ahead of what we hold. */
	query->removed = entry != TOPIC_NO_ENTRY ? window_entry(window, entry)->before
						 : atomic_load(&query->topic->removed);
	while (entry != TOPIC_NO_ENTRY && entry < head) {
		const struct window_entry *one = window_entry(window, entry);

		if (one->position > query->upto)
			break;
		if (one->position > query->after && !one->ephemeral && !visit_entry(reader, one))
			break;
		entry = atomic_load_explicit(&one->next, memory_order_acquire);
	}
	window_withdraw(window, number);
	return 0;
}

static int memory_newest(struct store_reader *reader, const struct topic *topic, uint64_t upto,
	uint64_t count, uint64_t *after, struct error *error)
{
	struct window *window = reader->memory->window;
	unsigned number = reader->memory->reader;
	uint64_t from = window_announce_oldest(window, number);
	uint64_t entry = atomic_load_explicit(&topic->newest_entry, memory_order_acquire);
	uint64_t head = window_head(window);

	(void)error;
	*after = 0;
	for (; entry != TOPIC_NO_ENTRY && entry >= from;
		entry = window_entry(window, entry)->previous) {
		const struct window_entry *one = window_entry(window, entry);

		if (entry >= head || one->ephemeral || one->position > upto)
			continue;
		if (count-- == 0) {
			*after = one->position;
			break;
		}
	}
	window_withdraw(window, number);
	return 0;
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

static void memory_close(struct store *store)
{
	identity_free(&store->identity);
	free(store);
}

static const struct store_ops memory_ops = {
	.name = "memory",
	.append = memory_append,
	.reader_new = memory_reader_new,
	.reader_free = memory_reader_free,
	.read = memory_read,
	.newest = memory_newest,
	.since = memory_since,
	.close = memory_close,
};

struct store *store_memory_open(const struct store_config *config, struct error *error)
{
	struct memory_store *memory = calloc(1, sizeof(*memory));
	char tag[IDENTITY_TAG + 1];

	if (memory == NULL || identity_new_tag(tag) != 0 ||
		identity_add(&memory->store.identity, tag, 0) != 0) {
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
