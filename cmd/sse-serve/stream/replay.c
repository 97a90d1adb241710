/* SPDX-License-Identifier: MIT */
/* Chunks of the log; see replay.h.  Making and freeing apart, all is the replay thread's. */
#include <stdlib.h>
#include <string.h>

#include "closings.h"
#include "encoding.h"
#include "latest.h"
#include "log/closing.h"
#include "log/store.h"
#include "replay.h"
#include "words.h"

/* A chunk is about this much, or one event if that is larger. */
#define CHUNK_BYTES ((size_t)256 << 10)
#define CHUNK_FRAMES 4096

/*
 * A read pauses after this many events of types that are not wanted: no snapshot is held for long.
 */
#define SKIPPED_MAX 32768

/* How many chunks are kept, and how large they may be: together well below REPLAY_THREAD_HELD. */
#define CACHE_CHUNKS 16
#define CACHE_LARGEST ((size_t)640 << 10)

struct replayer {
	struct store *store;
	struct topics *topics;
	struct replay_thread *replay_thread;
	struct replay_chunk *chunks[CACHE_CHUNKS]; /* held; the newest first; the replay thread's */
	struct latest_lists latest;		   /* the replay thread's */
};

/* --- chunks --- */

static void drop_chunk(struct replay_chunk *chunk)
{
	if (chunk == NULL ||
		atomic_fetch_sub_explicit(&chunk->references, 1, memory_order_acq_rel) != 1)
		return;
	replay_thread_release(chunk->replay_thread, chunk->held);
	selection_drop(chunk->selection);
	buf_free(&chunk->frames);
	free(chunk->marks);
	free(chunk);
}

static struct replay_chunk *hold_chunk(struct replay_chunk *chunk)
{
	atomic_fetch_add_explicit(&chunk->references, 1, memory_order_relaxed);
	return chunk;
}

static struct replay_chunk *new_chunk(const struct replay *replay)
{
	struct replay_chunk *chunk = calloc(1, sizeof(*chunk));

	if (chunk == NULL)
		return NULL;
	atomic_init(&chunk->references, 1);
	chunk->replay_thread = replay->replayer->replay_thread;
	chunk->selection = selection_hold(replay->selection);
	chunk->after = chunk->reached = replay->after;
	chunk->latest = replay->latest;
	chunk->erasures = atomic_load(&replay->replayer->store->erasures);
	buf_init(&chunk->frames, SIZE_MAX / 2);
	return chunk;
}

static bool add_mark(struct replay_chunk *chunk, const struct event *event)
{
	if (chunk->count == chunk->capacity) {
		size_t capacity = chunk->capacity ? chunk->capacity * 4 : 16;
		struct replay_mark *grown = realloc(chunk->marks, capacity * sizeof(*grown));

		if (grown == NULL)
			return false;
		chunk->marks = grown;
		chunk->capacity = capacity;
	}
	chunk->marks[chunk->count++] = (struct replay_mark){
		chunk->frames.len, event->position, event->time == EVENT_NO_TIME};
	return true;
}

/* Reading into a chunk. */
struct reading {
	struct replay *replay;
	struct replay_chunk *chunk;
	struct buf envelope; /* of the event that is being added */
	unsigned skipped;    /* events of types that are not wanted */
};

/* Append the event in the form of the selection, unless there is no room. */
static bool add_frame(struct reading *reading, const struct event *event, bool *full)
{
	struct replay_chunk *chunk = reading->chunk;
	struct encoding encoding;
	char id[IDENTITY_TEXT], *space;

	identity_format(&reading->replay->replayer->store->identity, event->position, id);
	if (!encoding_make(
		    &encoding, reading->replay->selection->form, event, id, &reading->envelope))
		return false;
	*full = chunk->count == CHUNK_FRAMES ||
		(chunk->count > 0 && chunk->frames.len + encoding.len > CHUNK_BYTES);
	if (*full)
		return true;
	space = buf_reserve(&chunk->frames, encoding.len);
	if (space == NULL)
		return false;
	encoding_write(&encoding, space);
	chunk->frames.len += encoding.len;
	return true;
}

static bool visit(void *context, const struct event *event)
{
	struct reading *reading = context;
	struct replay *replay = reading->replay;
	bool full = false;

	if (replay->present && replay->from == 0 && event->data.len == 0)
		return true;
	/* The data alone does not tell what closed the topic. */
	if (!event_types_have(&replay->selection->types, event->type) ||
		(form_is_bare(replay->selection->form) && closing_is_type(event->type)))
		return reading->skipped++ < SKIPPED_MAX;
	replay->failed =
		!add_frame(reading, event, &full) || (!full && !add_mark(reading->chunk, event));
	return !replay->failed && !full;
}

/*
 * Read the next events.  A read may pause before it has found one.  Continue it then if there is a
 * gap, which must name the first event that is left, or if the reader has had only a part of an
 * event.
 */
static void read_log(struct replay *replay, struct replay_chunk *chunk,
	const struct topic_set *topics, struct store_reader *reader)
{
	const struct store_ops *ops = replay->replayer->store->ops;
	struct reading reading = {.replay = replay, .chunk = chunk};
	struct store_query query = {
		.topics = topics, .upto = replay->upto, .latest = replay->latest};

	if (replay->present) {
		latest_forget(&replay->replayer->latest, chunk->erasures);
		query.only = latest_find(&replay->replayer->latest, replay->selection, topics,
			replay->after, replay->upto, ops, reader);
		replay->failed = query.only == NULL;
		if (replay->failed)
			return;
	}
	buf_init(&reading.envelope, SIZE_MAX / 2);
	do {
		query.after = chunk->reached;
		reading.skipped = 0;
		if (closings_read(ops, reader, &query, replay->selection, visit, &reading) != 0)
			replay->failed = true;
		if (query.removed > chunk->removed) {
			chunk->removed = query.removed;
			chunk->removal = query.removal;
		}
		if (query.removed_sum > chunk->removed_sum)
			chunk->removed_sum = query.removed_sum;
		chunk->reached = query.reached;
	} while (!replay->failed && chunk->count == 0 && chunk->reached < replay->upto &&
		 (chunk->removed > chunk->after || replay->partial > chunk->reached));
	buf_free(&reading.envelope);
}

static struct replay_chunk *read_chunk(
	struct replay *replay, const struct topic_set *topics, struct store_reader *reader)
{
	struct replay_chunk *chunk = new_chunk(replay);

	if (chunk == NULL) {
		replay->failed = true;
		return NULL;
	}
	if (topics->count > 0)
		read_log(replay, chunk, topics, reader);
	else
		chunk->reached = replay->upto;
	chunk->held = chunk->frames.size + chunk->capacity * sizeof(*chunk->marks);
	replay->job.held += chunk->held;
	return chunk;
}

/* --- sharing --- */

/*
 * Are events gone that the chunk does not know of?  The position of the newest removed event does
 * not tell: another topic may lose older events later.
 */
static bool is_gap(const struct replay *replay, const struct replay_chunk *chunk)
{
	return chunk->removed > replay->after && chunk->removed_sum > replay->told &&
	       (!replay->present || replay->from > 0);
}

/* Would reading the log again give the same events? */
static bool serves(const struct replay_chunk *chunk, const struct replay *replay, uint64_t removed)
{
	return chunk->latest == replay->latest && chunk->after <= replay->after &&
	       replay->after < chunk->reached && replay->partial <= chunk->reached &&
	       (!replay->exact || chunk->reached <= replay->upto) &&
	       (removed <= replay->after || removed == chunk->removed) &&
	       strcmp(chunk->selection->key, replay->selection->key) == 0;
}

static void put_first(struct replayer *replayer, struct replay_chunk *chunk, size_t from)
{
	memmove(replayer->chunks + 1, replayer->chunks, from * sizeof(*replayer->chunks));
	replayer->chunks[0] = chunk;
}

/* May it hold what was deleted since it was read? */
static bool is_stale(const struct replayer *replayer, const struct replay_chunk *chunk)
{
	return chunk->erasures != atomic_load(&replayer->store->erasures);
}

/* Drop those that may hold what was deleted since. */
static void drop_stale(struct replayer *replayer)
{
	size_t kept = 0;

	for (size_t i = 0; i < CACHE_CHUNKS; i++) {
		struct replay_chunk *chunk = replayer->chunks[i];

		replayer->chunks[i] = NULL;
		if (chunk != NULL && is_stale(replayer, chunk))
			drop_chunk(chunk);
		else
			replayer->chunks[kept++] = chunk;
	}
}

static struct replay_chunk *find_chunk(
	struct replayer *replayer, const struct replay *replay, uint64_t removed)
{
	drop_stale(replayer);
	for (size_t i = 0; i < CACHE_CHUNKS && replayer->chunks[i] != NULL; i++) {
		struct replay_chunk *chunk = replayer->chunks[i];

		if (!serves(chunk, replay, removed))
			continue;
		put_first(replayer, chunk, i);
		return hold_chunk(chunk);
	}
	return NULL;
}

static void keep_chunk(struct replayer *replayer, struct replay_chunk *chunk)
{
	if (chunk->held > CACHE_LARGEST || chunk->reached == chunk->after)
		return;
	drop_chunk(replayer->chunks[CACHE_CHUNKS - 1]);
	put_first(replayer, hold_chunk(chunk), CACHE_CHUNKS - 1);
}

struct replayer *replayer_new(
	struct store *store, struct topics *topics, struct replay_thread *replay_thread)
{
	struct replayer *replayer = calloc(1, sizeof(*replayer));

	if (replayer == NULL)
		return NULL;
	replayer->store = store;
	replayer->topics = topics;
	replayer->replay_thread = replay_thread;
	return replayer;
}

void replayer_free(struct replayer *replayer)
{
	if (replayer == NULL)
		return;
	for (size_t i = 0; i < CACHE_CHUNKS; i++)
		drop_chunk(replayer->chunks[i]);
	latest_free(&replayer->latest);
	free(replayer);
}

/* --- one subscriber --- */

/* The gap event: what was removed, and where the stream continues. */
static bool add_gap(struct replay *replay, const char *after, const char *reason, uint64_t position)
{
	const struct identity *identity = &replay->replayer->store->identity;
	const struct replay_chunk *chunk = replay->chunk;
	bool has_more = replay->first < chunk->count;
	char id[IDENTITY_TEXT], oldest[IDENTITY_TEXT];

	replay->gap = true;
	identity_format(identity, position, id);
	if (has_more)
		identity_format(identity, chunk->marks[replay->first].position, oldest);
	return words_gap(replay->selection->form, id, after, has_more ? oldest : NULL, reason,
		&replay->prefix);
}

/* A client stores the id, and gets no event. */
static bool add_start(struct replay *replay, uint64_t position)
{
	char id[IDENTITY_TEXT];

	identity_format(&replay->replayer->store->identity, position, id);
	return words_start(replay->selection->form, id, &replay->prefix);
}

/*
 * The position of the reader after the gap event.  It is not beyond the next event that is left:
 * one topic may have lost events that are newer than those which another has kept.
 */
static uint64_t go_on_from(const struct replay *replay)
{
	const struct replay_chunk *chunk = replay->chunk;
	uint64_t next;

	if (replay->first == chunk->count)
		return chunk->reached;
	next = chunk->marks[replay->first].position - 1;
	if (chunk->removed <= replay->after)
		return replay->after;
	return chunk->removed < next ? chunk->removed : next;
}

/* Write the prefix, which goes before the first event: where the stream starts, or a gap. */
static bool begin(struct replay *replay)
{
	static const char *const reasons[REMOVALS] = {
		[REMOVAL_EXPIRED] = "expired",
		[REMOVAL_DELETED] = "deleted",
		[REMOVAL_SUPERSEDED] = "superseded",
	};
	const struct start *start = &replay->start;
	bool gap = is_gap(replay, replay->chunk);
	uint64_t from = replay->after;
	char id[IDENTITY_TEXT];
	bool added = true;

	if (!replay->present && (start->kind != START_AFTER || gap))
		from = go_on_from(replay);
	identity_format(&replay->replayer->store->identity, replay->after, id);
	if (replay->lost[0] != '\0')
		added = add_gap(replay, replay->lost, reasons[replay->chunk->removal], from);
	else if (start->unknown != NULL)
		added = add_gap(replay, start->unknown, "unknown-log", from);
	else if (start->kind != START_AFTER)
		added = add_start(replay, from);
	else if (gap)
		added = add_gap(replay, id, reasons[replay->chunk->removal], from);
	replay->after = from;
	if (replay->chunk->removed_sum > replay->told)
		replay->told = replay->chunk->removed_sum;
	return added;
}

/* The chunk's first event after where the reader is. */
static void find_first(struct replay *replay)
{
	const struct replay_chunk *chunk = replay->chunk;
	size_t low = 0, high = chunk->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (chunk->marks[middle].position > replay->after)
			high = middle;
		else
			low = middle + 1;
	}
	replay->first = low;
	replay->offset = low > 0 ? chunk->marks[low - 1].end : 0;
}

/*
 * Find out what to send, and the prefix to send before it.  A reader that has the first bytes of an
 * event gets its remaining bytes first, without a prefix.
 */
static bool choose(struct replay *replay)
{
	const struct replay_chunk *chunk = replay->chunk;
	const struct replay_mark *first;

	replay->end = chunk->frames.len;
	replay->events = (uint32_t)(chunk->count - replay->first);
	replay->reached = chunk->reached;
	if (replay->partial == 0)
		return begin(replay);
	if (replay->first == chunk->count)
		return false;
	first = &chunk->marks[replay->first];
	if (first->position != replay->partial || first->made)
		return false;
	if (is_gap(replay, chunk)) {
		replay->end = first->end;
		replay->events = 1;
		replay->reached = first->position;
	}
	return true;
}

/* Find the position to read from, if the start does not name it.  Return 0, or -1. */
static int find_after(
	struct replay *replay, const struct topic_set *topics, struct store_reader *reader)
{
	const struct store_ops *ops = replay->replayer->store->ops;
	const struct start *start = &replay->start;

	if (start->kind == START_SINCE)
		return ops->since(reader, start->since, replay->upto, &replay->after, NULL);
	if (start->kind == START_LAST && topics->count > 0)
		return ops->newest(reader, topics, replay->upto, start->last, &replay->after, NULL);
	return 0;
}

/*
 * A reader of present values that missed an event may show a value that no later event
 * corrects.  So it gets a gap, and all present values again.
 */
static void begin_anew(
	struct replay *replay, const struct topic_set *topics, struct store_reader *reader)
{
	identity_format(&replay->replayer->store->identity, replay->after, replay->lost);
	replay->present = true;
	replay->after = replay->from = 0;
	drop_chunk(replay->chunk);
	replay->chunk = read_chunk(replay, topics, reader);
}

static void run(struct job *job, struct store_reader *reader)
{
	struct replay *replay = (struct replay *)job;
	struct replayer *replayer = replay->replayer;
	struct topic_set topics = {0};

	replay->failed = selection_topics(replay->selection, replayer->topics, &topics) != 0 ||
			 find_after(replay, &topics, reader) != 0;
	if (!replay->failed && !replay->present)
		replay->chunk = find_chunk(replayer, replay,
			replay->latest ? topic_set_lost(&topics) : topic_set_removed(&topics));
	if (!replay->failed && replay->chunk == NULL) {
		replay->chunk = read_chunk(replay, &topics, reader);
		if (!replay->failed && !replay->present)
			keep_chunk(replayer, replay->chunk);
	}
	if (!replay->failed && replay->latest && replay->partial == 0 &&
		is_gap(replay, replay->chunk))
		begin_anew(replay, &topics, reader);
	if (!replay->failed) {
		find_first(replay);
		replay->failed = !choose(replay);
	}
	topic_set_free(&topics);
}

struct replay *replay_new(
	struct replayer *replayer, struct subscriber *subscriber, struct selection *selection)
{
	struct replay *replay = calloc(1, sizeof(*replay));

	if (replay == NULL)
		return NULL;
	replay->job.run = run;
	replay->replayer = replayer;
	replay->subscriber = subscriber;
	replay->selection = selection_hold(selection);
	replay->start.kind = START_AFTER;
	buf_init(&replay->prefix, 64 << 10);
	return replay;
}

bool replay_is_stale(const struct replay *replay)
{
	return replay->chunk != NULL && is_stale(replay->replayer, replay->chunk);
}

void replay_submit(struct replay *replay, struct mailbox *mailbox)
{
	replay->job.mailbox = mailbox;
	replay_thread_submit(replay->replayer->replay_thread, &replay->job);
}

void replay_free(struct replay *replay)
{
	if (replay == NULL)
		return;
	drop_chunk(replay->chunk);
	selection_drop(replay->selection);
	free(replay->start.unknown);
	buf_free(&replay->prefix);
	free(replay);
}
