/* SPDX-License-Identifier: MIT */
/* The window of encoded frames; see window.h for the rules. */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "envelope.h"
#include "window.h"

/* What a reader announces when it reads nothing. */
#define NOTHING UINT64_MAX

/* Entries that a reader of several topics looks at in one go. */
#define LOOK_MAX 16384

/* The most memory that is kept for the next envelope. */
#define ENVELOPE_KEPT ((size_t)1 << 20)

/* One slot for each this many bytes of ring: smaller frames fill the slots first. */
#define BYTES_PER_ENTRY 128

/* A reader's announcement, alone on its cache line. */
struct announcement {
	_Alignas(64) _Atomic uint64_t oldest;
};

struct window {
	char *ring; /* ring[i] and ring[i + size] are the same byte */
	size_t size;
	struct window_entry *entries; /* entry n is in slot n & (slots - 1) */
	uint64_t slots;
	struct announcement *announcements;
	unsigned readers;
	bool is_log;

	/* The log thread's own. */
	uint64_t written;    /* bytes ever written to the ring */
	uint64_t kept;	     /* of these, the offset of the oldest still in the window */
	uint64_t added;	     /* the head with what is not visible yet */
	uint64_t oldest;     /* the tail, as the writer knows it */
	uint64_t position;   /* of the newest stored event added */
	struct buf envelope; /* the newest event in its envelope */

	_Alignas(64) _Atomic uint64_t tail;
	_Alignas(64) _Atomic uint64_t head;
	_Atomic uint64_t visible_position;
	_Atomic uint64_t used; /* bytes of the ring */
	_Atomic int envelopes; /* readers that want them */
};

/* A shared mapping can be mapped a second time by growing it from a length of 0 (mremap(2)). */
static char *map_twice(size_t size)
{
	char *ring = mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (ring == MAP_FAILED)
		return NULL;
	if (mmap(ring, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1,
		    0) == MAP_FAILED ||
		mremap(ring, 0, size, MREMAP_MAYMOVE | MREMAP_FIXED, ring + size) == MAP_FAILED) {
		munmap(ring, 2 * size);
		return NULL;
	}
	return ring;
}

struct window *window_new(
	size_t size, unsigned readers, uint64_t head, bool is_log, struct error *error)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct window *window = aligned_alloc(64, sizeof(*window));

	if (window == NULL)
		goto err0;
	memset(window, 0, sizeof(*window));
	window->size = (size + page - 1) / page * page;
	for (window->slots = 64; window->slots < window->size / BYTES_PER_ENTRY;)
		window->slots *= 2;
	buf_init(&window->envelope, SIZE_MAX / 2);
	window->readers = readers;
	window->is_log = is_log;
	window->position = head;
	atomic_init(&window->visible_position, head);
	window->announcements = aligned_alloc(64, readers * sizeof(*window->announcements));
	if (window->announcements == NULL)
		goto err1;
	for (unsigned i = 0; i < readers; i++)
		atomic_init(&window->announcements[i].oldest, NOTHING);
	/* Untouched slots and pages cost nothing. */
	window->entries = calloc(window->slots, sizeof(*window->entries));
	if (window->entries == NULL)
		goto err2;
	window->ring = map_twice(window->size);
	if (window->ring == NULL)
		goto err3;
	return window;

err3:
	free(window->entries);
err2:
	free(window->announcements);
err1:
	free(window);
err0:
	error_set(error, EX_OSERR,
		"cannot map the window of %zu bytes: %s; a smaller --window needs less memory",
		size, strerror(errno));
	return NULL;
}

void window_free(struct window *window)
{
	if (window == NULL)
		return;
	munmap(window->ring, 2 * window->size);
	buf_free(&window->envelope);
	free(window->entries);
	free(window->announcements);
	free(window);
}

static struct window_entry *slot(const struct window *window, uint64_t entry)
{
	return &window->entries[entry & (window->slots - 1)];
}

/* Wait until no reader looks at entries below the tail.  A reader's slice is short. */
static void wait_for_readers(const struct window *window, uint64_t tail)
{
	for (unsigned i = 0; i < window->readers; i++) {
		for (int turn = 0; atomic_load(&window->announcements[i].oldest) < tail; turn++) {
			if (turn < 16)
				sched_yield();
			else
				nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
		}
	}
}

/* Drop the oldest entries until there is a slot, and room for ${len} bytes. */
static void make_room(struct window *window, size_t len)
{
	uint64_t tail = window->oldest;

	while (tail < window->added &&
		(window->added - tail >= window->slots ||
			window->written + len - window->kept > window->size)) {
		const struct window_entry *entry = slot(window, tail);

		/* Before the tail moves: a reader that sees the new tail must see the mark. */
		if (window->is_log && !entry->ephemeral)
			atomic_store(&entry->topic->removed, entry->position);
		if (entry->frame != NULL)
			window->kept += entry->len + entry->envelope_len;
		tail++;
	}
	if (tail == window->oldest)
		return;
	/* Dropped entries were visible before: the tail never passes the head. */
	window_publish(window);
	window->oldest = tail;
	atomic_store(&window->tail, tail);
	wait_for_readers(window, tail);
}

/* Put the new entry at the end of its topic's chain. */
static void link_entry(struct window *window, struct window_entry *entry, struct topic *topic)
{
	uint64_t newest = atomic_load_explicit(&topic->newest_entry, memory_order_relaxed);

	entry->topic = topic;
	entry->previous = newest;
	entry->before = 0;
	atomic_store_explicit(&entry->next, TOPIC_NO_ENTRY, memory_order_relaxed);
	if (newest != TOPIC_NO_ENTRY && newest >= window->oldest) {
		struct window_entry *last = slot(window, newest);

		entry->before = last->ephemeral ? last->before : last->position;
		atomic_store_explicit(&last->next, window->added, memory_order_release);
	} else {
		entry->previous = TOPIC_NO_ENTRY;
		entry->before = atomic_load_explicit(&topic->removed, memory_order_relaxed);
	}
	atomic_store_explicit(&topic->newest_entry, window->added, memory_order_release);
}

/* Encode the event in its envelope, if a reader wants it.  Return the size of the frame, or 0. */
static size_t prepare_envelope(
	struct window *window, const struct event *event, struct sse_frame *frame)
{
	struct buf *text = &window->envelope;

	if (atomic_load_explicit(&window->envelopes, memory_order_relaxed) == 0)
		return 0;
	/* One large event should not hold memory for ever. */
	if (text->size > ENVELOPE_KEPT)
		buf_free(text);
	text->len = 0;
	if (!envelope_add(text, event, event->ephemeral ? NULL : frame->id.data))
		return 0;
	frame->data = (struct sse_text){text->data, text->len};
	return sse_frame_size(frame);
}

static void write_frames(struct window *window, struct window_entry *entry,
	const struct sse_frame *plain, const struct sse_frame *envelope)
{
	char *space = window->ring + window->written % window->size;

	sse_frame_write(plain, space);
	if (entry->envelope_len > 0)
		sse_frame_write(envelope, space + entry->len);
	entry->frame = space;
	window->written += entry->len + entry->envelope_len;
}

void window_add(struct window *window, const struct event *event, const char *id, size_t id_len)
{
	struct sse_frame plain = {.type = event->type, .data = event->data}, envelope;
	struct window_entry *entry;
	size_t len, envelope_len;

	if (!event->ephemeral)
		plain.id = (struct sse_text){id, id_len};
	envelope = plain;
	len = sse_frame_size(&plain);
	envelope_len = prepare_envelope(window, event, &envelope);
	if (len + envelope_len > window->size)
		envelope_len = 0;
	if (len > window->size)
		len = 0;
	make_room(window, len + envelope_len);
	entry = slot(window, window->added);
	link_entry(window, entry, event->topic);
	if (!event->ephemeral)
		window->position = event->position;
	entry->position = window->position;
	entry->time = event->time;
	entry->json = event->json;
	entry->ephemeral = event->ephemeral;
	entry->len = (uint32_t)len;
	entry->envelope_len = (uint32_t)envelope_len;
	entry->frame = NULL;
	if (len > 0)
		write_frames(window, entry, &plain, &envelope);
	window->added++;
}

void window_publish(struct window *window)
{
	atomic_store_explicit(&window->visible_position, window->position, memory_order_release);
	atomic_store_explicit(&window->head, window->added, memory_order_release);
	atomic_store_explicit(&window->used, window->written - window->kept, memory_order_relaxed);
}

size_t window_size(const struct window *window)
{
	return window->size;
}

void window_use(const struct window *window, uint64_t *bytes, uint64_t *events)
{
	uint64_t tail = atomic_load(&window->tail);

	*bytes = atomic_load_explicit(&window->used, memory_order_relaxed);
	*events = window_head(window) - tail;
}

void window_want_envelopes(struct window *window, int more)
{
	atomic_fetch_add_explicit(&window->envelopes, more, memory_order_relaxed);
}

uint64_t window_head(const struct window *window)
{
	return atomic_load_explicit(&window->head, memory_order_acquire);
}

uint64_t window_position(const struct window *window)
{
	return atomic_load_explicit(&window->visible_position, memory_order_acquire);
}

bool window_announce(struct window *window, unsigned reader, uint64_t entry)
{
	atomic_store(&window->announcements[reader].oldest, entry);
	if (atomic_load(&window->tail) <= entry)
		return true;
	window_withdraw(window, reader);
	return false;
}

uint64_t window_announce_oldest(struct window *window, unsigned reader)
{
	for (;;) {
		uint64_t tail = atomic_load(&window->tail);

		if (window_announce(window, reader, tail))
			return tail;
	}
}

uint64_t window_after(const struct window *window, uint64_t from, uint64_t limit, uint64_t position)
{
	while (from < limit) {
		uint64_t middle = from + (limit - from) / 2;

		if (slot(window, middle)->position > position)
			limit = middle;
		else
			from = middle + 1;
	}
	return from;
}

bool window_seek(struct window *window, unsigned reader, uint64_t position, uint64_t *entry)
{
	uint64_t low = window_announce_oldest(window, reader), high = window_head(window);
	bool covered = position >= window_position(window);

	if (low < high) {
		const struct window_entry *oldest = slot(window, low);

		covered = position + !oldest->ephemeral >= oldest->position;
	}
	if (!covered) {
		window_withdraw(window, reader);
		return false;
	}
	*entry = window_after(window, low, high, position);
	return true;
}

void window_withdraw(struct window *window, unsigned reader)
{
	atomic_store_explicit(&window->announcements[reader].oldest, NOTHING, memory_order_release);
}

const struct window_entry *window_entry(const struct window *window, uint64_t entry)
{
	return slot(window, entry);
}

uint64_t window_first_of(const struct window *window, const struct topic *topic, uint64_t from)
{
	uint64_t first = TOPIC_NO_ENTRY;
	uint64_t entry = atomic_load_explicit(&topic->newest_entry, memory_order_acquire);

	while (entry != TOPIC_NO_ENTRY && entry >= from) {
		first = entry;
		entry = slot(window, entry)->previous;
	}
	return first;
}

/* An entry of a topic, or the next one that the view wants. */
static uint64_t find_linked(
	const struct window *window, const struct window_view *view, uint64_t entry, uint64_t limit)
{
	while (entry < limit && view->stored && slot(window, entry)->ephemeral)
		entry = atomic_load_explicit(&slot(window, entry)->next, memory_order_acquire);
	return entry < limit ? entry : limit;
}

static bool wants(const struct window_view *view, const struct window_entry *entry)
{
	return topic_set_has(view->topics, entry->topic) && !(view->stored && entry->ephemeral);
}

uint64_t window_find(
	const struct window *window, const struct window_view *view, uint64_t from, uint64_t limit)
{
	uint64_t entry = from;

	if (view->topics->count == 1) {
		const struct topic *topic = view->topics->topics[0];

		if (from < limit && slot(window, from)->topic != topic)
			entry = window_first_of(window, topic, from);
		return find_linked(window, view, entry, limit);
	}
	if (view->topics->count == 0)
		return limit;
	while (entry < limit && !wants(view, slot(window, entry)))
		entry++;
	return entry < limit ? entry : limit;
}

uint64_t window_next(
	const struct window *window, const struct window_view *view, uint64_t entry, uint64_t limit)
{
	if (view->topics->count != 1)
		return window_find(window, view, entry + 1, limit);
	entry = atomic_load_explicit(&slot(window, entry)->next, memory_order_acquire);
	return find_linked(window, view, entry, limit);
}

const char *window_frame(
	const struct window_view *view, const struct window_entry *entry, size_t *len)
{
	*len = view->envelope ? entry->envelope_len : entry->len;
	if (entry->frame == NULL || *len == 0)
		return NULL;
	return view->envelope ? entry->frame + entry->len : entry->frame;
}

/* Add a frame, without its first ${skip} bytes.  False if it is one too many. */
static bool add_piece(const struct window *window, struct window_chunk *chunk, const char *frame,
	size_t len, size_t skip)
{
	struct iovec *last = chunk->count > 0 ? &chunk->pieces[chunk->count - 1] : NULL;
	const char *end = last != NULL ? (char *)last->iov_base + last->iov_len : NULL;

	len -= skip;
	if (chunk->count > 0 && chunk->len + len > WINDOW_CHUNK)
		return false;
	/* Frames that follow each other in the ring are one piece, also over its end. */
	if (end != NULL && (frame == end || frame + window->size == end))
		last->iov_len += len;
	else if (chunk->count < WINDOW_PIECES)
		chunk->pieces[chunk->count++] =
			(struct iovec){(char *)(uintptr_t)frame + skip, len};
	else
		return false;
	chunk->len += len;
	return true;
}

void window_gather(const struct window *window, const struct window_view *view, uint64_t entry,
	uint64_t limit, uint64_t position, size_t skip, struct window_chunk *chunk)
{
	uint64_t seen =
		limit - entry > LOOK_MAX && view->topics->count > 1 ? entry + LOOK_MAX : limit;

	chunk->count = 0;
	chunk->events = 0;
	chunk->len = 0;
	chunk->view = view;
	chunk->begin = entry;
	chunk->before = position;
	chunk->skip = skip;
	chunk->position = position;
	chunk->missing = false;
	for (entry = window_find(window, view, entry, seen); entry < seen;
		entry = window_next(window, view, entry, seen)) {
		const struct window_entry *one = slot(window, entry);
		size_t len;
		const char *frame = window_frame(view, one, &len);

		chunk->missing = frame == NULL;
		if (frame == NULL || !add_piece(window, chunk, frame, len, skip))
			break;
		skip = 0;
		chunk->events++;
		chunk->position = one->position;
	}
	chunk->end = entry;
}
