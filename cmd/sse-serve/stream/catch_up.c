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

/* Send `uptodate`.  False if it must wait for its socket, or is closed. */
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

/* It was sent everything before ${entry}: it becomes LIVE there, or ends. */
static void catch_up_end(struct subscriber *subscriber, uint64_t entry)
{
	uint64_t boundary = subscriber->fanout->boundary;
	/*
	 * A list that waits does not end with its topic: a client that polls would poll without a
	 * pause.
	 */
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
		/* Closing drops bytes that the TLS session still keeps, so send them first. */
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
	/* A subscriber may be ahead of the boundary: never read less than it has had. */
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

/* If the replay has something, the wait of a poll is over. */
static void take_for_poll(struct subscriber *subscriber, const struct replay *replay)
{
	bool list = form_is_list(subscriber->channel->selection->form);

	if (subscriber_waits(subscriber) && (replay->events > 0 || replay->gap)) {
		poll_begin(subscriber);
		if (list)
			poll_answer(subscriber, replay);
	} else if (list && replay->gap) {
		/* The head of the answer was sent, with the length of a list that has no gap. */
		subscriber_close(subscriber, STREAM_END_UNREADABLE);
	}
}

/*
 * All present values were sent.  The newest of them may be old, so send the position that the
 * client has reached: without it, the client would be told again of events that were deleted
 * before.
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
 * Must the log be asked, because something may be gone?  Retention may have removed an event that
 * the reader has not had, although the window still has it; or the event was deleted of which the
 * reader has had only the first bytes.
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
 * Find the entry to continue with, the first of the view that was not sent, and announce it.  False
 * if the subscriber must be served from the log, because
 * - the window does not reach back so far,
 * - the loop has not yet come to the event whose remaining bytes are to be sent, or
 * - events are gone: only the log can tell the gap, and a list would not show them.
 */
static bool find_entry(struct subscriber *subscriber, struct window_view *view, uint64_t *entry)
{
	const struct fanout *fanout = subscriber->fanout;
	struct window *window = fanout->shared->window;
	/* The remaining bytes of a frame come first, before any ephemeral event. */
	uint64_t position = subscriber->partial != 0 ? subscriber->partial - 1 : subscriber->cursor;

	if (subscriber->partial > fanout->position)
		return false;
	*entry = subscriber->entry;
	if ((*entry == TOPIC_NO_ENTRY || !window_announce(window, fanout->reader, *entry)) &&
		!window_seek(window, fanout->reader, position, entry))
		return false;
	/* Read this first: then has_lost() knows of every deletion that the view leaves out. */
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

/* Has it been sent everything it wants, from the window or from the log? */
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

/* The stream starts now.  Some of its topics may have been closed before. */
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
