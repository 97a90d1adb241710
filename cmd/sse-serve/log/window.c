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

/* The most memory that is kept for the next envelope. */
#define ENVELOPE_KEPT ((size_t)1 << 20)

/* One slot for each this many bytes of ring: smaller frames fill the slots first. */
#define BYTES_PER_ENTRY 128

_Static_assert(EVENT_SUBJECT_MAX <= UINT8_MAX, "window_entry counts the bytes of a subject");

/* A reader's announcement, alone on its cache line. */
struct announcement {
	_Alignas(64) _Atomic uint64_t oldest;
};

struct window {
	char *ring; /* ring[i] and ring[i + size] are the same byte */
	size_t size;
	struct window_entry *entries; /* entry n is in slot n & (slots - 1) */
	uint64_t slots;
	_Atomic uint64_t *erased; /* [slot]: the number of the erasure that took the entry; or 0 */
	struct announcement *announcements;
	unsigned readers;
	bool is_log;

	/* The log thread's own. */
	uint64_t written;  /* bytes ever written to the ring */
	uint64_t kept;	   /* of these, the offset of the oldest still in the window */
	uint64_t added;	   /* the head with what is not visible yet */
	uint64_t oldest;   /* the tail, as the writer knows it */
	uint64_t position; /* of the newest stored event added */
	uint64_t system_events, system_bytes; /* of TOPIC_SYSTEM in the window */
	struct buf envelope;		      /* the newest event in its envelope */

	_Alignas(64) _Atomic uint64_t tail;
	_Atomic uint64_t erasures;
	_Alignas(64) _Atomic uint64_t head;
	_Atomic uint64_t visible_position;
	_Atomic uint64_t used, events; /* for window_use() */
	_Atomic uint64_t stamp;	       /* of window_stamp() */
	_Atomic int wanted[FORMS];     /* readers that want the form */
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
	window->erased = calloc(window->slots, sizeof(*window->erased));
	if (window->entries == NULL || window->erased == NULL)
		goto err2;
	window->ring = map_twice(window->size);
	if (window->ring == NULL)
		goto err2;
	return window;

err2:
	free(window->erased);
	free(window->entries);
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
	free(window->erased);
	free(window->entries);
	free(window->announcements);
	free(window);
}

static struct window_entry *slot(const struct window *window, uint64_t entry)
{
	return &window->entries[entry & (window->slots - 1)];
}

static _Atomic uint64_t *erased(const struct window *window, uint64_t entry)
{
	return &window->erased[entry & (window->slots - 1)];
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

/* What it takes of the ring. */
static size_t size_of(const struct window_entry *entry)
{
	return (size_t)entry->len + entry->envelope_len + entry->line_len + entry->subject_len;
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
			window->kept += size_of(entry);
		if (entry->system) {
			window->system_events--;
			window->system_bytes -= size_of(entry);
		}
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

/* The newest entry of the topic that was not dropped, or TOPIC_NO_ENTRY. */
static uint64_t newest_entry(const struct window *window, const struct topic *topic)
{
	uint64_t newest = atomic_load_explicit(&topic->newest_entry, memory_order_relaxed);

	return newest != TOPIC_NO_ENTRY && newest >= window->oldest ? newest : TOPIC_NO_ENTRY;
}

uint64_t window_newest(const struct window *window, const struct topic *topic)
{
	uint64_t newest = newest_entry(window, topic);
	const struct window_entry *last;

	if (newest == TOPIC_NO_ENTRY)
		return atomic_load_explicit(&topic->removed, memory_order_relaxed);
	last = slot(window, newest);
	return last->ephemeral ? last->before : last->position;
}

/* Put the new entry at the end of its topic's chain. */
static void link_entry(struct window *window, struct window_entry *entry, struct topic *topic)
{
	entry->topic = topic;
	entry->previous = newest_entry(window, topic);
	entry->before = window_newest(window, topic);
	atomic_store_explicit(&entry->next, TOPIC_NO_ENTRY, memory_order_relaxed);
	if (entry->previous != TOPIC_NO_ENTRY)
		atomic_store_explicit(
			&slot(window, entry->previous)->next, window->added, memory_order_release);
	atomic_store_explicit(&topic->newest_entry, window->added, memory_order_release);
}

static bool is_wanted(const struct window *window, enum form form)
{
	return atomic_load_explicit(&window->wanted[form], memory_order_relaxed) > 0;
}

/* Put the event in its envelope, if a reader wants it, and note the sizes of these frames. */
static void prepare_envelope(struct window *window, const struct event *event,
	struct sse_frame *frame, struct window_entry *sizes)
{
	struct buf *text = &window->envelope;

	if (!is_wanted(window, FORM_ENVELOPE) && !is_wanted(window, FORM_LINE))
		return;
	/* One large event should not hold memory for ever. */
	if (text->size > ENVELOPE_KEPT)
		buf_free(text);
	text->len = 0;
	if (!envelope_add(text, event, event->ephemeral ? NULL : frame->id.data))
		return;
	frame->data = (struct sse_text){text->data, text->len};
	if (is_wanted(window, FORM_ENVELOPE))
		sizes->envelope_len = (uint32_t)sse_frame_size(frame);
	if (is_wanted(window, FORM_LINE))
		sizes->line_len = (uint32_t)text->len + 1;
}

static void write_frames(struct window *window, struct window_entry *entry,
	const struct sse_frame *plain, const struct sse_frame *envelope, struct sse_text subject)
{
	char *space = window->ring + window->written % window->size;

	entry->frame = space;
	sse_frame_write(plain, space);
	space += entry->len;
	if (entry->envelope_len > 0)
		sse_frame_write(envelope, space);
	space += entry->envelope_len;
	if (entry->line_len > 0)
		envelope_write_line(envelope->data, space);
	space += entry->line_len;
	if (entry->subject_len > 0)
		memcpy(space, subject.data, entry->subject_len);
	window->written += size_of(entry);
}

void window_add(struct window *window, const struct event *event, const char *id, size_t id_len)
{
	struct sse_frame plain = {.type = event->type, .data = event->data}, envelope;
	struct window_entry *entry, sizes = {0};
	uint8_t subject_len = window->is_log ? (uint8_t)event->subject.len : 0;
	size_t len;

	if (!event->ephemeral)
		plain.id = (struct sse_text){id, id_len};
	envelope = plain;
	len = sse_frame_size(&plain);
	prepare_envelope(window, event, &envelope, &sizes);
	if (len + subject_len + size_of(&sizes) > window->size)
		sizes = (struct window_entry){0};
	if (len + subject_len <= window->size) {
		sizes.len = (uint32_t)len;
		sizes.subject_len = subject_len;
	}
	make_room(window, size_of(&sizes));
	entry = slot(window, window->added);
	link_entry(window, entry, event->topic);
	if (!event->ephemeral || event->deletion)
		window->position = event->position;
	entry->position = window->position;
	entry->time = event->time;
	entry->json = event->json;
	entry->ephemeral = event->ephemeral;
	entry->deletion = event->deletion;
	entry->system = topic_is_system(event->topic->name);
	if (atomic_load_explicit(&window->erasures, memory_order_relaxed) > 0)
		atomic_store_explicit(erased(window, window->added), 0, memory_order_relaxed);
	entry->len = sizes.len;
	entry->envelope_len = sizes.envelope_len;
	entry->line_len = sizes.line_len;
	entry->subject_len = sizes.subject_len;
	entry->frame = NULL;
	if (entry->len > 0)
		write_frames(window, entry, &plain, &envelope, event->subject);
	if (entry->system) {
		window->system_events++;
		window->system_bytes += size_of(entry);
	}
	window->added++;
}

void window_stamp(struct window *window, uint64_t us)
{
	atomic_store_explicit(&window->stamp, us, memory_order_relaxed);
}

uint64_t window_stamped(const struct window *window)
{
	return atomic_load_explicit(&window->stamp, memory_order_relaxed);
}

void window_publish(struct window *window)
{
	atomic_store_explicit(&window->visible_position, window->position, memory_order_release);
	atomic_store_explicit(&window->head, window->added, memory_order_release);
	atomic_store_explicit(&window->used, window->written - window->kept - window->system_bytes,
		memory_order_relaxed);
	atomic_store_explicit(&window->events,
		window->added - window->oldest - window->system_events, memory_order_relaxed);
}

/* Mark the topic's stored events of these entries.  Return how many are newly marked. */
static uint64_t mark_erased(struct window *window, const struct topic *topic, uint64_t from,
	uint64_t end, uint64_t erasure)
{
	uint64_t count = 0;

	for (uint64_t i = from; i < end; i++) {
		const struct window_entry *entry = slot(window, i);

		if (entry->topic != topic || entry->ephemeral ||
			atomic_load_explicit(erased(window, i), memory_order_relaxed) != 0)
			continue;
		atomic_store_explicit(erased(window, i), erasure, memory_order_relaxed);
		count++;
	}
	return count;
}

void window_erase(struct window *window, const struct topic *topic, uint64_t after, uint64_t upto)
{
	uint64_t erasure = atomic_load_explicit(&window->erasures, memory_order_relaxed) + 1;
	uint64_t from = window_after(window, window->oldest, window->added, after);
	uint64_t end = window_after(window, from, window->added, upto);

	/* The newest event, which may be one of them. */
	buf_free(&window->envelope);
	if (mark_erased(window, topic, from, end, erasure) == 0)
		return;
	atomic_store(&window->erasures, erasure);
	wait_for_readers(window, end);
	for (uint64_t i = from; i < end; i++) {
		const struct window_entry *entry = slot(window, i);

		if (atomic_load_explicit(erased(window, i), memory_order_relaxed) == erasure &&
			entry->frame != NULL)
			memset((char *)(uintptr_t)entry->frame, 0, size_of(entry));
	}
}

uint64_t window_oldest(const struct window *window)
{
	return window->oldest;
}

size_t window_size(const struct window *window)
{
	return window->size;
}

void window_use(const struct window *window, uint64_t *bytes, uint64_t *events)
{
	*bytes = atomic_load_explicit(&window->used, memory_order_relaxed);
	*events = atomic_load_explicit(&window->events, memory_order_relaxed);
}

void window_want_form(struct window *window, enum form form, int more)
{
	atomic_fetch_add_explicit(&window->wanted[form], more, memory_order_relaxed);
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

struct sse_text window_subject(const struct window_entry *entry)
{
	const char *frames_end = entry->frame;

	if (entry->subject_len == 0)
		return (struct sse_text){"", 0};
	frames_end += (size_t)entry->len + entry->envelope_len + entry->line_len;
	return (struct sse_text){frames_end, entry->subject_len};
}

uint64_t window_erasures(const struct window *window)
{
	return atomic_load(&window->erasures);
}

bool window_is_erased(const struct window *window, uint64_t entry, uint64_t erasures)
{
	uint64_t erasure;

	if (erasures == 0)
		return false;
	erasure = atomic_load_explicit(erased(window, entry), memory_order_relaxed);
	return erasure != 0 && erasure <= erasures;
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
