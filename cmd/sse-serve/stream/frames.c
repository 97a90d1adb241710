/* SPDX-License-Identifier: MIT */
/* Frames on their way to sockets; see frames.h. */
#include "frames.h"

void frames_of_window(
	struct frames *frames, const struct window *window, const struct window_chunk *chunk)
{
	*frames = (struct frames){.message.msg_iov = (struct iovec *)(uintptr_t)chunk->pieces,
		.message.msg_iovlen = (size_t)chunk->count,
		.events = chunk->events,
		.len = chunk->len,
		.skip = chunk->skip,
		.window = window,
		.chunk = chunk};
}

void frames_of_replay(struct frames *frames, const struct replay *replay, size_t skip)
{
	*frames = (struct frames){.message.msg_iov = &frames->piece,
		.message.msg_iovlen = 1,
		.events = replay->events,
		.len = replay->end - replay->offset - skip,
		.skip = skip,
		.replay = replay};
	frames->piece =
		(struct iovec){replay->chunk->frames.data + replay->offset + skip, frames->len};
}

/* ${sent} counts from the start of the first frame. */
static void stop_in_window(const struct frames *frames, size_t sent, struct frames_stop *stop)
{
	const struct window *window = frames->window;
	const struct window_chunk *chunk = frames->chunk;
	const struct window_entry *one;
	const char *frame;
	size_t len;

	stop->cursor = chunk->before;
	for (stop->entry = window_find(window, chunk->view, chunk->begin, chunk->end);;
		stop->entry = window_next(window, chunk->view, stop->entry, chunk->end)) {
		one = window_entry(window, stop->entry);
		frame = window_frame(chunk->view, one, &len);
		if (sent < len)
			break;
		sent -= len;
		stop->events++;
		stop->cursor = one->position;
	}
	stop->position = one->position;
	stop->sent = sent;
	stop->ephemeral = one->ephemeral;
	stop->unsent = (struct iovec){(char *)(uintptr_t)frame + sent, len - sent};
}

static void stop_in_replay(const struct frames *frames, size_t sent, struct frames_stop *stop)
{
	const struct replay *replay = frames->replay;
	const struct replay_mark *mark = &replay->chunk->marks[replay->first];
	size_t begin = replay->offset;

	stop->cursor = replay->after;
	for (; mark->end <= replay->offset + sent; mark++) {
		begin = mark->end;
		stop->events++;
		stop->cursor = mark->position;
	}
	stop->position = mark->position;
	stop->entry = TOPIC_NO_ENTRY;
	stop->sent = replay->offset + sent - begin;
	stop->once = replay->present;
	stop->unsent = (struct iovec){
		replay->chunk->frames.data + begin + stop->sent, mark->end - begin - stop->sent};
}

void frames_find_stop(const struct frames *frames, size_t sent, struct frames_stop *stop)
{
	*stop = (struct frames_stop){0};
	if (frames->replay != NULL)
		stop_in_replay(frames, frames->skip + sent, stop);
	else
		stop_in_window(frames, frames->skip + sent, stop);
}
