/* SPDX-License-Identifier: MIT */
/* How a stream catches up; see catch_up.h. */
#include <stdlib.h>

#include "catch_up.h"
#include "frames.h"
#include "replay.h"
#include "subscriber.h"

/* All before the boundary was sent. */
static void become_live(struct subscriber *subscriber, uint64_t entry)
{
	uint64_t boundary = subscriber->fanout->boundary;

	subscriber_set_state(subscriber, LIVE);
	subscriber->resumed = false;
	subscriber->skip = 0;
	subscriber->partial = 0;
	subscriber->entry = entry > boundary ? entry : boundary;
}

/* --- from the log --- */

static void submit(struct subscriber *subscriber, struct replay *replay)
{
	struct fanout *fanout = subscriber->fanout;

	if (replay == NULL) {
		subscriber_close(subscriber);
		return;
	}
	/* One that is ahead of the boundary must not be taken back to it. */
	replay->upto = replay->after > fanout->position || replay->partial > fanout->position
			       ? window_position(fanout->shared->window)
			       : fanout->position;
	subscriber->entry = TOPIC_NO_ENTRY;
	subscriber->resumed = true;
	subscriber_set_state(subscriber, READING);
	replay_submit(replay, fanout->mailbox);
}

static void send_replay(struct subscriber *subscriber, const struct replay *replay)
{
	struct frames frames;

	if (replay->events > 0) {
		frames_of_replay(&frames, replay, subscriber->skip);
		if (!subscriber_send(subscriber, &frames))
			return;
	}
	subscriber_behind(subscriber, replay->reached, TOPIC_NO_ENTRY);
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
		subscriber_close(subscriber);
	} else {
		subscriber->told = replay->told;
		/* A start or a gap is sent once, so it is kept until then. */
		if (replay->prefix.len > 0) {
			subscriber->cursor = replay->after;
			subscriber_keep_pending(
				subscriber, replay->prefix.data, replay->prefix.len, 0);
		}
		if (subscriber->state == READY && subscriber_send_pending(subscriber))
			send_replay(subscriber, replay);
	}
	replay_free(replay);
}

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
	return replay;
}

/* --- from the window --- */

/* The view of the window that it wants now. */
static struct window_view view_of(const struct subscriber *subscriber)
{
	struct window_view view = subscriber->channel->view;

	view.stored = subscriber->resumed;
	return view;
}

/*
 * Find and announce the entry to go on with: all of the view before it was sent.  False if it
 * must come from the log: the window does not reach back so far, or the loop has not yet come to
 * the event of which the rest is to be sent, or retention has removed an event that the window may
 * still have: a list would not show it, and only the log tells the gap.
 */
static bool find_entry(struct subscriber *subscriber, uint64_t *entry)
{
	const struct fanout *fanout = subscriber->fanout;
	struct window *window = fanout->shared->window;
	/* The rest of a frame goes first, not an ephemeral event that comes before it. */
	uint64_t position = subscriber->partial != 0 ? subscriber->partial - 1 : subscriber->cursor;
	uint64_t removed = topic_set_removed(&subscriber->channel->topics);

	if ((subscriber->partial == 0 && removed > position) ||
		subscriber->partial > fanout->position)
		return false;
	*entry = subscriber->entry;
	return (*entry != TOPIC_NO_ENTRY && window_announce(window, fanout->reader, *entry)) ||
	       window_seek(window, fanout->reader, position, entry);
}

/* Send from the window.  False if the next frame is in the log only. */
static bool serve_from_window(struct subscriber *subscriber, uint64_t entry)
{
	struct fanout *fanout = subscriber->fanout;
	const struct window_view view = view_of(subscriber);
	struct window_chunk chunk;
	struct frames frames;

	if (entry >= fanout->boundary) {
		become_live(subscriber, entry);
		return true;
	}
	window_gather(fanout->shared->window, &view, entry, fanout->boundary, subscriber->cursor,
		subscriber->skip, &chunk);
	if (chunk.count == 0 && chunk.missing)
		return false;
	if (chunk.count > 0) {
		frames_of_window(&frames, fanout->shared->window, &chunk);
		if (!subscriber_send(subscriber, &frames))
			return true;
	}
	if (chunk.end < fanout->boundary) {
		subscriber_behind(subscriber, chunk.position, chunk.end);
	} else {
		subscriber->cursor = chunk.position;
		become_live(subscriber, chunk.end);
	}
	return true;
}

void catch_up_serve(struct subscriber *subscriber)
{
	struct fanout *fanout = subscriber->fanout;
	uint64_t entry;
	bool served;

	if (subscriber->state == CLOSED)
		subscriber_bury(subscriber);
	if (subscriber->state != READY || !subscriber_send_pending(subscriber))
		return;
	if (!find_entry(subscriber, &entry)) {
		submit(subscriber, new_replay(subscriber));
		return;
	}
	served = serve_from_window(subscriber, entry);
	window_withdraw(fanout->shared->window, fanout->reader);
	if (!served)
		submit(subscriber, new_replay(subscriber));
}

/* --- a new stream --- */

void catch_up_start(struct subscriber *subscriber, struct start *start)
{
	struct replay *replay;

	switch (start->kind) {
	case START_NOW:
		become_live(subscriber, subscriber->fanout->boundary);
		break;
	case START_AFTER:
		subscriber->resumed = true;
		subscriber_make_ready(subscriber);
		break;
	case START_UNKNOWN:
	case START_SINCE:
		replay = new_replay(subscriber);
		if (replay != NULL) {
			replay->after = 0;
			replay->from_time = start->kind == START_SINCE;
			replay->since = start->since;
			replay->unknown = start->unknown;
			start->unknown = NULL;
		}
		submit(subscriber, replay);
		break;
	}
}
