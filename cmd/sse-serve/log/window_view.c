/* SPDX-License-Identifier: MIT */
/* What a view wants from the window, and its frames for one send; see window.h. */
#include <string.h>

#include "window.h"

/* Entries that a reader of several topics looks at in one go. */
#define LOOK_MAX 16384

/* Each frame begins with its type. */
#define TYPE_FIELD "event: "

/*
 * Does the view want the entry's type?  That of an entry without a frame is in the log only.  What
 * tells of events that were deleted is for all that could have had them.
 */
static bool wants_type(const struct window_view *view, const struct window_entry *entry)
{
	const char *type, *end;

	if (entry->frame == NULL || entry->deletion)
		return true;
	type = entry->frame + sizeof(TYPE_FIELD) - 1;
	end = memchr(type, '\n', entry->len - (sizeof(TYPE_FIELD) - 1));
	return event_types_have(&view->types, (struct sse_text){type, (size_t)(end - type)});
}

/* Does the view leave out this entry of one of its topics? */
static bool leaves_out(const struct window *window, const struct window_view *view, uint64_t number)
{
	const struct window_entry *entry = window_entry(window, number);

	return (view->stored && entry->ephemeral) ||
	       (view->erasures > 0 && window_is_erased(window, number, view->erasures)) ||
	       (view->types.count > 0 && !wants_type(view, entry));
}

/* An entry of a topic, or the next one that the view wants. */
static uint64_t find_linked(
	const struct window *window, const struct window_view *view, uint64_t entry, uint64_t limit)
{
	while (entry < limit && leaves_out(window, view, entry))
		entry = atomic_load_explicit(
			&window_entry(window, entry)->next, memory_order_acquire);
	return entry < limit ? entry : limit;
}

static bool wants(const struct window *window, const struct window_view *view, uint64_t entry)
{
	return topic_set_has(view->topics, window_entry(window, entry)->topic) &&
	       !leaves_out(window, view, entry);
}

uint64_t window_find(
	const struct window *window, const struct window_view *view, uint64_t from, uint64_t limit)
{
	uint64_t entry = from;

	if (view->topics->count == 1) {
		const struct topic *topic = view->topics->topics[0];

		if (from < limit && window_entry(window, from)->topic != topic)
			entry = window_first_of(window, topic, from);
		return find_linked(window, view, entry, limit);
	}
	if (view->topics->count == 0)
		return limit;
	while (entry < limit && !wants(window, view, entry))
		entry++;
	return entry < limit ? entry : limit;
}

uint64_t window_next(
	const struct window *window, const struct window_view *view, uint64_t entry, uint64_t limit)
{
	if (view->topics->count != 1)
		return window_find(window, view, entry + 1, limit);
	entry = atomic_load_explicit(&window_entry(window, entry)->next, memory_order_acquire);
	return find_linked(window, view, entry, limit);
}

const char *window_frame(
	const struct window_view *view, const struct window_entry *entry, size_t *len)
{
	const char *frame = entry->frame;

	*len = entry->len;
	if (form_is_list(view->form)) {
		*len = 0;
	} else if (view->form >= FORM_ENVELOPE) {
		frame += entry->len;
		*len = entry->envelope_len;
	}
	if (view->form == FORM_LINE) {
		frame += entry->envelope_len;
		*len = entry->line_len;
	}
	return entry->frame != NULL && *len > 0 ? frame : NULL;
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
	if (end != NULL && (frame == end || frame + window_size(window) == end))
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
	bool looks = view->topics->count > 1 || view->types.count > 0;
	uint64_t seen = looks && limit - entry > LOOK_MAX ? entry + LOOK_MAX : limit;

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
		const struct window_entry *one = window_entry(window, entry);
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
