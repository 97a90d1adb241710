/* SPDX-License-Identifier: MIT */
/* Chunks of the log; see replay.h.  Making and freeing apart, all is the replay thread's. */
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "log/envelope.h"
#include "log/store.h"
#include "replay.h"

/* A chunk is about this much, or one event if that is larger. */
#define CHUNK_BYTES ((size_t)256 << 10)
#define CHUNK_FRAMES 4096

/* Chunks that are kept, and the largest that is: all in all well below REPLAY_THREAD_HELD. */
#define CACHE_CHUNKS 16
#define CACHE_LARGEST ((size_t)640 << 10)

struct replayer {
	struct store *store;
	struct topics *topics;
	struct replay_thread *replay_thread;
	struct replay_chunk *chunks[CACHE_CHUNKS]; /* held; the newest first; the replay thread's */
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
	buf_init(&chunk->frames, SIZE_MAX / 2);
	return chunk;
}

static bool add_mark(struct replay_chunk *chunk, uint64_t position)
{
	if (chunk->count == chunk->capacity) {
		size_t capacity = chunk->capacity ? chunk->capacity * 4 : 16;
		struct replay_mark *grown = realloc(chunk->marks, capacity * sizeof(*grown));

		if (grown == NULL)
			return false;
		chunk->marks = grown;
		chunk->capacity = capacity;
	}
	chunk->marks[chunk->count++] = (struct replay_mark){chunk->frames.len, position};
	return true;
}

/* Reading into a chunk. */
struct reading {
	struct replay *replay;
	struct replay_chunk *chunk;
	struct buf envelope; /* of the event that is being added */
};

static bool visit(void *context, const struct event *event)
{
	struct reading *reading = context;
	struct replay *replay = reading->replay;
	struct replay_chunk *chunk = reading->chunk;
	struct sse_frame frame = {.type = event->type, .data = event->data};
	char id[IDENTITY_TEXT], *space;
	size_t len;

	frame.id = (struct sse_text){
		id, identity_format(&replay->replayer->store->identity, event->position, id)};
	if (replay->selection->envelope) {
		reading->envelope.len = 0;
		if (!envelope_add(&reading->envelope, event, id)) {
			replay->failed = true;
			return false;
		}
		frame.data = (struct sse_text){reading->envelope.data, reading->envelope.len};
	}
	len = sse_frame_size(&frame);
	if (chunk->count == CHUNK_FRAMES ||
		(chunk->count > 0 && chunk->frames.len + len > CHUNK_BYTES))
		return false;
	space = buf_reserve(&chunk->frames, len);
	if (space != NULL) {
		sse_frame_write(&frame, space);
		chunk->frames.len += len;
	}
	replay->failed = space == NULL || !add_mark(chunk, event->position);
	return !replay->failed;
}

/*
 * Read the next events.  The log may take a pause before it finds one; then it is read on if there
 * is a gap, which must name the first event that is left, or an event of which the rest is to come.
 */
static void read_log(struct replay *replay, struct replay_chunk *chunk,
	const struct topic_set *topics, struct store_reader *reader)
{
	const struct store_ops *ops = replay->replayer->store->ops;
	struct reading reading = {.replay = replay, .chunk = chunk};
	struct store_query query = {.topics = topics, .upto = replay->upto};

	buf_init(&reading.envelope, SIZE_MAX / 2);
	do {
		query.after = chunk->reached;
		if (ops->read(reader, &query, visit, &reading, NULL) != 0)
			replay->failed = true;
		if (query.removed > chunk->removed)
			chunk->removed = query.removed;
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
	replay->job.held = chunk->held;
	return chunk;
}

/* --- sharing --- */

/*
 * Are events gone that it does not know of?  Of several topics one may have lost events that are
 * newer than all that another loses later, so the newest does not tell.
 */
static bool is_gap(const struct replay *replay, const struct replay_chunk *chunk)
{
	return chunk->removed > replay->after && chunk->removed_sum > replay->told;
}

/* Does the chunk hold what a new look at the log would give? */
static bool serves(const struct replay_chunk *chunk, const struct replay *replay, uint64_t removed)
{
	return chunk->after <= replay->after && replay->after < chunk->reached &&
	       replay->partial <= chunk->reached &&
	       (removed <= replay->after || removed == chunk->removed) &&
	       strcmp(chunk->selection->key, replay->selection->key) == 0;
}

static void put_first(struct replayer *replayer, struct replay_chunk *chunk, size_t from)
{
	memmove(replayer->chunks + 1, replayer->chunks, from * sizeof(*replayer->chunks));
	replayer->chunks[0] = chunk;
}

static struct replay_chunk *find_chunk(
	struct replayer *replayer, const struct replay *replay, uint64_t removed)
{
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
	free(replayer);
}

/* --- one subscriber --- */

static bool add_prefix(struct replay *replay, const struct sse_frame *frame)
{
	size_t len = sse_frame_size(frame);
	char *space = buf_reserve(&replay->prefix, len);

	if (space == NULL)
		return false;
	sse_frame_write(frame, space);
	replay->prefix.len += len;
	return true;
}

/* A gap's data: what is gone, and what is the first that is left. */
static bool add_gap_data(const struct replay *replay, const char *after, const char *reason,
	const struct replay_mark *oldest, struct buf *data)
{
	const struct identity *identity = &replay->replayer->store->identity;
	char id[IDENTITY_TEXT];

	if (oldest != NULL)
		identity_format(identity, oldest->position, id);
	return buf_add_text(data, "{\"after\":") && json_quote(after, strlen(after), data) &&
	       (oldest != NULL ? buf_addf(data, ",\"oldest\":\"%s\"", id)
			       : buf_add_text(data, ",\"oldest\":null")) &&
	       buf_addf(data, ",\"reason\":\"%s\"}", reason);
}

/* The gap event: what was removed, and where the stream continues. */
static bool add_gap(struct replay *replay, const char *after, const char *reason, uint64_t position)
{
	const struct replay_chunk *chunk = replay->chunk;
	char id[IDENTITY_TEXT];
	struct sse_frame frame = {.type = {"gap", 3}};
	struct buf data;
	bool added;

	buf_init(&data, 64 << 10);
	added = add_gap_data(replay, after, reason,
		replay->first < chunk->count ? &chunk->marks[replay->first] : NULL, &data);
	frame.id = (struct sse_text){
		id, identity_format(&replay->replayer->store->identity, position, id)};
	frame.data = (struct sse_text){data.data, data.len};
	added = added && add_prefix(replay, &frame);
	buf_free(&data);
	return added;
}

/* A block that holds only an id: the client stores it, and dispatches nothing. */
static bool add_start(struct replay *replay, uint64_t position)
{
	char id[IDENTITY_TEXT];
	struct sse_frame frame = {
		.id = {id, identity_format(&replay->replayer->store->identity, position, id)}};

	return add_prefix(replay, &frame);
}

/*
 * The position that the reader is at when it has been told what is gone: not beyond the next
 * event, since of several topics one may have lost events that are newer than what another kept.
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

/* What is said before the first event: where it starts, or that something is missing. */
static bool begin(struct replay *replay)
{
	bool gap = is_gap(replay, replay->chunk);
	uint64_t from = replay->after;
	char id[IDENTITY_TEXT];
	bool added = true;

	if (replay->from_time || replay->unknown != NULL || gap)
		from = go_on_from(replay);
	identity_format(&replay->replayer->store->identity, replay->after, id);
	if (replay->from_time)
		added = add_start(replay, from);
	else if (replay->unknown != NULL)
		added = add_gap(replay, replay->unknown, "unknown-log", from);
	else if (gap)
		added = add_gap(replay, id, "expired", from);
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
 * What is to be sent, and what before it.  A reader that has the first bytes of an event gets the
 * rest of it before anything is said in between.
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
	if (first->position != replay->partial)
		return false;
	if (is_gap(replay, chunk)) {
		replay->end = first->end;
		replay->events = 1;
		replay->reached = first->position;
	}
	return true;
}

static void run(struct job *job, struct store_reader *reader)
{
	struct replay *replay = (struct replay *)job;
	struct replayer *replayer = replay->replayer;
	struct topic_set topics = {0};

	replay->failed = selection_topics(replay->selection, replayer->topics, &topics) != 0 ||
			 (replay->from_time && replayer->store->ops->since(reader, replay->since,
						       replay->upto, &replay->after, NULL) != 0);
	if (!replay->failed)
		replay->chunk = find_chunk(replayer, replay, topic_set_removed(&topics));
	if (!replay->failed && replay->chunk == NULL) {
		replay->chunk = read_chunk(replay, &topics, reader);
		if (!replay->failed)
			keep_chunk(replayer, replay->chunk);
	}
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
	buf_init(&replay->prefix, 64 << 10);
	return replay;
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
	free(replay->unknown);
	buf_free(&replay->prefix);
	free(replay);
}
