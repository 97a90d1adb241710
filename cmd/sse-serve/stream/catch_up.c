/* SPDX-License-Identifier: MIT */
/* How a stream catches up; see catch_up.h. */
#include <stdio.h>
#include <stdlib.h>

#include "catch_up.h"
#include "ending.h"
#include "frames.h"
#include "log/identity.h"
#include "poll.h"
#include "replay.h"
#include "subscriber.h"
#include "words.h"

static const struct extended_subscriber *extended(const struct subscriber *subscriber)
{
	return (const struct extended_subscriber *)subscriber;
}

/* The entry of the window before which all is sent while it catches up. */
static uint64_t end_entry(const struct subscriber *subscriber)
{
	return subscriber->ends ? extended(subscriber)->end_entry : subscriber->fanout->boundary;
}

static uint64_t end_position(const struct subscriber *subscriber)
{
	return subscriber->ends ? extended(subscriber)->end_position : subscriber->fanout->position;
}

/* Is it sent only the newest event of each subject? */
static bool is_sent_present(const struct subscriber *subscriber)
{
	return subscriber->latest && subscriber->cursor < extended(subscriber)->latest_upto;
}

/* Tell it that it has caught up.  False if that must wait for its socket, or it is closed. */
static bool send_mark(struct subscriber *subscriber)
{
	enum form form = subscriber->channel->selection->form;
	uint64_t position = end_position(subscriber);
	char data[IDENTITY_TEXT + 16], id[IDENTITY_TEXT];
	struct buf event;

	if (subscriber->cursor > position)
		position = subscriber->cursor;
	identity_format(subscriber->fanout->shared->identity, position, id);
	snprintf(data, sizeof(data), "{\"id\":\"%s\"}", id);
	buf_init(&event, POLL_HEAD);
	subscriber_keep_words(subscriber,
		form_is_list(form) ? poll_write_end(subscriber, id, &event)
				   : words_event(form, "uptodate", NULL, data, &event),
		&event);
	subscriber->mark_sent = true;
	return subscriber->state != CLOSED && subscriber_send_pending(subscriber);
}

/* All before ${entry}, where the fan-out goes on or the stream ends, was sent. */
static void catch_up_end(struct subscriber *subscriber, uint64_t entry)
{
	uint64_t boundary = subscriber->fanout->boundary;
	/* A list has no end: who asks for it again and again would do so without a pause. */
	bool last = !form_is_list(subscriber->channel->selection->form) &&
		    ending_is_due(subscriber, end_position(subscriber));

	subscriber->skip = 0;
	subscriber->partial = 0;
	subscriber->entry = entry;
	if (subscriber_waits(subscriber) && (last || poll_is_over(subscriber)))
		poll_begin(subscriber);
	if (last && !ending_tell(subscriber))
		return;
	if (!subscriber_waits(subscriber) && subscriber->marked && !subscriber->mark_sent &&
		!send_mark(subscriber))
		return;
	if (subscriber->ends || last) {
		/* All of it must be on its way: closing drops what a session keeps. */
		if (!subscriber_send_pending(subscriber))
			return;
		subscriber_close(subscriber, last ? STREAM_END_CLOSED : STREAM_END_COMPLETE);
		return;
	}
	subscriber_set_state(subscriber, LIVE);
	subscriber->resumed = false;
	subscriber->entry = entry > boundary ? entry : boundary;
}

/* --- from the log --- */

static void submit(struct subscriber *subscriber, struct replay *replay)
{
	struct fanout *fanout = subscriber->fanout;

	if (replay == NULL) {
		subscriber_close(subscriber, STREAM_END_MEMORY);
		return;
	}
	/* One that is ahead of the boundary must not be taken back to it. */
	replay->upto = end_position(subscriber);
	if (replay->after > replay->upto || replay->partial > replay->upto)
		replay->upto = window_position(fanout->shared->window);
	if (replay->present)
		replay->upto = extended(subscriber)->latest_upto;
	replay->exact = subscriber->ends;
	subscriber->entry = TOPIC_NO_ENTRY;
	subscriber->resumed = true;
	subscriber_set_state(subscriber, READING);
	replay_submit(replay, fanout->mailbox);
}

/* From here on it is sent the newest event up to ${upto} of each subject. */
static void begin_present(struct subscriber *subscriber, uint64_t from, uint64_t upto)
{
	struct extended_subscriber *latest = (struct extended_subscriber *)subscriber;

	latest->latest_from = from;
	latest->latest_upto = upto;
}

/* A poll has waited for this, if it brings anything. */
static void take_for_poll(struct subscriber *subscriber, const struct replay *replay)
{
	bool list = form_is_list(subscriber->channel->selection->form);

	if (subscriber_waits(subscriber) && (replay->events > 0 || replay->gap)) {
		poll_begin(subscriber);
		if (list)
			poll_answer(subscriber, replay);
	} else if (list && replay->gap) {
		/* The head has said how long it would be. */
		subscriber_close(subscriber, STREAM_END_UNREADABLE);
	}
}

/*
 * All present values were sent, the newest of which may be old: the client is to know how far it has
 * come, so that it is not told again of what was deleted before.
 */
static void send_position(struct subscriber *subscriber, const struct replay *replay)
{
	char id[IDENTITY_TEXT];
	struct buf bytes;

	if (subscriber_waits(subscriber) ||
		(replay->events > 0 && replay_last(replay) == replay->reached))
		return;
	identity_format(subscriber->fanout->shared->identity, replay->reached, id);
	buf_init(&bytes, 256);
	subscriber_keep_words(subscriber, words_start(replay->selection->form, id, &bytes), &bytes);
}

static void send_replay(struct subscriber *subscriber, const struct replay *replay)
{
	struct frames frames;

	if (replay->events > 0) {
		frames_of_replay(&frames, replay, subscriber->skip);
		if (!subscriber_send(subscriber, &frames))
			return;
		ending_note(subscriber, replay);
	}
	subscriber_behind(subscriber, replay->reached, TOPIC_NO_ENTRY);
	if (replay->present && !is_sent_present(subscriber))
		send_position(subscriber, replay);
}

static void take_replay(struct message *message);

static struct replay *new_replay(struct subscriber *subscriber)
{
	struct replay *replay = replay_new(
		subscriber->fanout->shared->replayer, subscriber, subscriber->channel->selection);

	if (replay == NULL)
		return NULL;
	replay->job.message.handle = take_replay;
	replay->after = subscriber->cursor;
	replay->told = subscriber->told;
	replay->partial = subscriber->partial;
	replay->latest = subscriber->latest;
	replay->present = is_sent_present(subscriber);
	if (replay->present)
		replay->from = extended(subscriber)->latest_from;
	return replay;
}

/* Its log is read from the start that is asked for.  Takes ${start->unknown}. */
static void give_start(struct replay *replay, struct start *start)
{
	replay->present = start->kind == START_LATEST;
	replay->after = replay->present ? start->after : 0;
	replay->from = replay->after;
	replay->start = *start;
	start->unknown = NULL;
}

/* What was read may hold events that were deleted since. */
static void read_again(struct subscriber *subscriber, struct replay *old)
{
	struct replay *replay = new_replay(subscriber);

	if (replay != NULL && old->start.kind != START_AFTER)
		give_start(replay, &old->start);
	submit(subscriber, replay);
}

/* It begins where no id of its client says. */
static bool is_new_start(const struct replay *replay)
{
	return replay->start.kind == START_SINCE || replay->start.kind == START_LAST;
}

/* A chunk came back from the replay thread. */
static void take_replay(struct message *message)
{
	struct replay *replay = (struct replay *)message;
	struct subscriber *subscriber = replay->subscriber;

	if (subscriber->state == CLOSED) {
		subscriber_bury(subscriber);
		replay_free(replay);
		return;
	}
	subscriber_set_state(subscriber, READY);
	if (replay->failed) {
		subscriber_close(subscriber, STREAM_END_UNREADABLE);
	} else if (replay_is_stale(replay)) {
		read_again(subscriber, replay);
	} else {
		subscriber->told = replay->told;
		if (replay->present)
			begin_present(subscriber, replay->from, replay->upto);
		if (subscriber->polls)
			take_for_poll(subscriber, replay);
		if (is_new_start(replay) &&
			!ending_add_past(subscriber, replay->after, &replay->prefix))
			subscriber_close(subscriber, STREAM_END_MEMORY);
		/* A start or a gap is sent once, so it is kept until then. */
		if (subscriber->state == READY && replay->prefix.len > 0 &&
			!form_is_list(replay->selection->form)) {
			subscriber->cursor = replay->after;
			subscriber_keep_pending(
				subscriber, replay->prefix.data, replay->prefix.len, 0);
		}
		if (subscriber->state == READY && subscriber_send_pending(subscriber))
			send_replay(subscriber, replay);
	}
	replay_free(replay);
}

/* --- from the window --- */

/* The view of the window that it wants now. */
static struct window_view view_of(const struct subscriber *subscriber)
{
	struct window_view view = subscriber->channel->view;

	view.stored = view.stored || subscriber->resumed;
	return view;
}

/*
 * Is something gone that only the log tells of: an event that the reader lacks, which retention may
 * have removed while the window still has it; or perhaps the event whose rest is to be sent?
 */
static bool has_lost(const struct subscriber *subscriber)
{
	const struct topic_set *topics = &subscriber->channel->topics;

	if (subscriber->latest && topic_set_lost(topics) > subscriber->cursor)
		return true;
	if (subscriber->partial == 0)
		return !subscriber->latest && topic_set_removed(topics) > subscriber->cursor;
	for (uint32_t i = 0; i < topics->count; i++) {
		if (atomic_load(&topics->topics[i]->deleted) >= subscriber->partial)
			return true;
	}
	return false;
}

/*
 * Find and announce the entry to go on with: all of the view before it was sent.  False if it
 * must come from the log: the window does not reach back so far, or the loop has not yet come to
 * the event of which the rest is to be sent, or events are gone: a list would not show them, and
 * only the log tells the gap.
 */
static bool find_entry(struct subscriber *subscriber, struct window_view *view, uint64_t *entry)
{
	const struct fanout *fanout = subscriber->fanout;
	struct window *window = fanout->shared->window;
	/* The rest of a frame goes first, not an ephemeral event that comes before it. */
	uint64_t position = subscriber->partial != 0 ? subscriber->partial - 1 : subscriber->cursor;

	if (subscriber->partial > fanout->position)
		return false;
	*entry = subscriber->entry;
	if ((*entry == TOPIC_NO_ENTRY || !window_announce(window, fanout->reader, *entry)) &&
		!window_seek(window, fanout->reader, position, entry))
		return false;
	/* In this order: what the view leaves out because it was deleted is then known to be. */
	view->erasures = window_erasures(window);
	if (!has_lost(subscriber))
		return true;
	window_withdraw(window, fanout->reader);
	return false;
}

/* Send from the window.  False if the next frame is in the log only. */
static bool serve_from_window(
	struct subscriber *subscriber, const struct window_view *view, uint64_t entry)
{
	struct fanout *fanout = subscriber->fanout;
	uint64_t end = end_entry(subscriber);
	struct window_chunk chunk;
	struct frames frames;

	if (entry >= end) {
		catch_up_end(subscriber, entry);
		return true;
	}
	window_gather(fanout->shared->window, view, entry, end, subscriber->cursor,
		subscriber->skip, &chunk);
	if (chunk.count == 0 && chunk.missing)
		return false;
	if (chunk.count > 0) {
		if (subscriber_waits(subscriber))
			poll_begin(subscriber);
		frames_of_window(&frames, fanout->shared->window, &chunk);
		if (!subscriber_send(subscriber, &frames))
			return true;
		subscriber_note_taken(subscriber, chunk.position);
		subscriber->mark_sent = false;
	}
	if (chunk.end < end) {
		subscriber_behind(subscriber, chunk.position, chunk.end);
	} else {
		subscriber->cursor = chunk.position;
		catch_up_end(subscriber, chunk.end);
	}
	return true;
}

/* Was all that it wanted sent, wherever it came from? */
static bool is_at_end(const struct subscriber *subscriber)
{
	return subscriber->ends && subscriber->partial == 0 &&
	       subscriber->cursor >= extended(subscriber)->end_position;
}

void catch_up_serve(struct subscriber *subscriber)
{
	struct fanout *fanout = subscriber->fanout;
	struct window_view view;
	uint64_t entry;
	bool served;

	if (subscriber->state == CLOSED)
		subscriber_bury(subscriber);
	if (subscriber->state != READY || !subscriber_send_pending(subscriber))
		return;
	if (is_at_end(subscriber)) {
		catch_up_end(subscriber, subscriber->entry);
		return;
	}
	view = view_of(subscriber);
	if (is_sent_present(subscriber) || !find_entry(subscriber, &view, &entry)) {
		submit(subscriber, new_replay(subscriber));
		return;
	}
	served = serve_from_window(subscriber, &view, entry);
	window_withdraw(fanout->shared->window, fanout->reader);
	if (!served)
		submit(subscriber, new_replay(subscriber));
}

void catch_up_anew(struct channel *channel)
{
	for (uint32_t i = 0; i < channel->count; i++) {
		struct subscriber *subscriber = channel->subscribers[i];

		if (subscriber->latest && subscriber->state == LIVE)
			subscriber_behind(subscriber, channel->erased - 1, TOPIC_NO_ENTRY);
	}
	channel->erased = 0;
}

void catch_up_finish(struct subscriber *subscriber)
{
	poll_end_wait(subscriber);
	if (subscriber->state != LIVE || subscriber->channel->touched)
		return;
	subscriber_reach_boundary(subscriber);
	catch_up_end(subscriber, subscriber->entry);
}

/* --- a new stream --- */

/* From now on; topics may have been closed before. */
static void start_now(struct subscriber *subscriber)
{
	struct buf past;

	buf_init(&past, SIZE_MAX / 2);
	subscriber_keep_words(subscriber,
		ending_add_past(subscriber, subscriber->fanout->position, &past), &past);
	if (subscriber->state != CLOSED && subscriber_send_pending(subscriber))
		catch_up_end(subscriber, subscriber->fanout->boundary);
}

void catch_up_start(struct subscriber *subscriber, struct start *start)
{
	uint64_t head = subscriber->fanout->position;
	struct replay *replay;

	switch (start->kind) {
	case START_NOW:
		start_now(subscriber);
		return;
	case START_AFTER:
		subscriber->resumed = true;
		subscriber_make_ready(subscriber);
		return;
	case START_LATEST:
		/* Up to the head: what comes after that is sent as to any stream. */
		subscriber->cursor = start->after;
		begin_present(subscriber, start->after, start->after > head ? start->after : head);
		break;
	case START_UNKNOWN:
	case START_SINCE:
	case START_LAST:
		break;
	}
	replay = new_replay(subscriber);
	if (replay != NULL)
		give_start(replay, start);
	submit(subscriber, replay);
}
