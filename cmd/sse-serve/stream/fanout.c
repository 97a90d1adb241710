/* SPDX-License-Identifier: MIT */
/* The fan-out of one loop; see fanout.h. */
#include <stdlib.h>
#include <string.h>

#include "access/principal.h"
#include "catch_up.h"
#include "clock.h"
#include "ending.h"
#include "fanout.h"
#include "frames.h"
#include "poll.h"
#include "silence.h"
#include "subscriber.h"
#include "wheel.h"

/* Sends in one slice of a pass, and subscribers served in one slice of the ready list. */
#define SLICE_SENDS 256
#define SLICE_READY 64

void fanout_init(struct fanout *fanout, struct fanouts *shared, struct mailbox *mailbox, int epoll,
	unsigned reader, uint32_t now)
{
	*fanout = (struct fanout){.shared = shared,
		.mailbox = mailbox,
		.epoll = epoll,
		.reader = reader,
		.now = now,
		.boundary = window_head(shared->window),
		.position = window_position(shared->window),
		.denial_due = PRINCIPAL_FOREVER};
	fanout->wheel_due = now;
	pthread_mutex_init(&fanout->channels_lock, NULL);
}

void fanout_free(struct fanout *fanout)
{
	free(fanout->known);
	deadlines_free(&fanout->deadlines);
	pthread_mutex_destroy(&fanout->channels_lock);
}

/* --- all loops --- */

uint64_t fanout_count(const struct fanouts *shared, const char *topic)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < shared->count; i++)
		count += channel_count(shared->all[i], topic);
	return count;
}

void fanout_count_streams(const struct fanouts *shared, uint32_t *streams, uint32_t count)
{
	memset(streams, 0, count * sizeof(*streams));
	for (unsigned i = 0; i < shared->count; i++)
		channel_count_streams(shared->all[i], streams, count);
}

/* --- silent streams, and polls that have waited long enough --- */

/*
 * End the waits that are over, and return the ms until the next one is.  A poll whose channel a
 * pass is about to serve is left to that pass.
 */
static uint32_t end_waits(struct fanout *fanout, uint32_t next)
{
	struct deadline *first;

	while ((first = deadlines_first(&fanout->deadlines)) != NULL) {
		struct subscriber *subscriber = poll_of_deadline(first);
		int32_t left = (int32_t)(first->due - fanout->now);

		if (left > 0)
			return (uint32_t)left < next ? (uint32_t)left : next;
		if (subscriber->channel->touched)
			return 0;
		catch_up_finish(subscriber);
	}
	return next;
}

uint32_t fanout_tick(struct fanout *fanout)
{
	uint32_t step = wheel_step(fanout);

	while ((int32_t)(fanout->now - fanout->wheel_due) >= 0) {
		struct subscriber *due = fanout->wheel[fanout->wheel_slot];

		/*
		 * Take the whole list out first: a stream that is put back may get the same slot.
		 */
		fanout->wheel[fanout->wheel_slot] = NULL;
		if (due != NULL)
			due->wheel_back = &due;
		fanout->wheel_slot = (fanout->wheel_slot + 1) % WHEEL_SLOTS;
		fanout->wheel_due += step;
		while (due != NULL) {
			struct subscriber *subscriber = due;

			wheel_remove(subscriber);
			silence_look(subscriber, step);
			if (subscriber->state != CLOSED)
				wheel_put(fanout, subscriber);
		}
	}
	return end_waits(fanout, fanout->wheel_due - fanout->now);
}

/* --- a pass --- */

/* Streams that end so come back. */
static void end_channel(struct channel *channel, enum stream_end why)
{
	while (channel->count > 1)
		subscriber_close(channel->subscribers[channel->count - 1], why);
	/* Without its last subscriber the channel is removed, unless a pass has yet to serve it. */
	if (channel->count > 0)
		subscriber_close(channel->subscribers[0], why);
}

static void learn_topic(struct fanout *fanout, struct channel *channel, struct topic *topic)
{
	if (channel_learn(fanout, channel, topic) != 0)
		end_channel(channel, STREAM_END_MEMORY);
}

/* Give a new topic to the channels that want it by name. */
static void bind_by_name(struct fanout *fanout, struct topic *topic, enum form form)
{
	struct channel *streams = channel_find(fanout, topic->name, form, false),
		       *polls = channel_find(fanout, topic->name, form, true);

	if (streams != NULL)
		learn_topic(fanout, streams, topic);
	if (polls != NULL)
		learn_topic(fanout, polls, topic);
}

/* Were the channels given this topic, and not an earlier one with the same number? */
static bool knows(const struct fanout *fanout, const struct topic *topic)
{
	return topic->number < fanout->known_capacity &&
	       fanout->known[topic->number] == topic->serial;
}

/* Without memory, the next entry of the topic tries again. */
static void note_known(struct fanout *fanout, const struct topic *topic)
{
	if (topic->number >= fanout->known_capacity) {
		uint32_t capacity = topic->number * 2 + 16;
		uint32_t *grown = realloc(fanout->known, capacity * sizeof(*grown));

		if (grown == NULL)
			return;
		memset(grown + fanout->known_capacity, 0,
			(capacity - fanout->known_capacity) * sizeof(*grown));
		fanout->known = grown;
		fanout->known_capacity = capacity;
	}
	fanout->known[topic->number] = topic->serial;
}

/*
 * Give a new topic to the channels that want it.  The topic is held, or one of its entries
 * announced.
 */
static void learn(struct fanout *fanout, struct topic *topic)
{
	struct channel *next;

	for (int form = 0; form < FORMS; form++)
		bind_by_name(fanout, topic, (enum form)form);
	for (struct channel *one = fanout->many; one != NULL; one = next) {
		next = one->next_many;
		if (selection_matches(one->selection, topic->name))
			learn_topic(fanout, one, topic);
	}
	note_known(fanout, topic);
}

/* The topics that appeared in entries which this loop never saw. */
static void learn_all(struct fanout *fanout)
{
	struct topics *topics = fanout->shared->topics;

	for (uint32_t number = 0; number < topics_count(topics); number++) {
		struct topic *topic = topics_hold(topics, number);

		if (topic == NULL)
			continue;
		if (!knows(fanout, topic))
			learn(fanout, topic);
		topic_drop(topic);
	}
}

static void touch(struct fanout *fanout, struct channel *channel, uint64_t entry)
{
	if (channel->touched)
		return;
	channel->touched = true;
	channel->chunk = entry;
	channel->chunk_position = fanout->position;
	channel->turn = channel->count;
	channel->next_touched = fanout->touched;
	fanout->touched = channel;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/*
 * Those of subscribers [0, turn) that are LIVE and have not had the entries before ${end} continue
 * on their own, from ${position}.
 */
static void leave_behind(struct channel *channel, uint32_t turn, uint64_t position, uint64_t end)
{
	for (uint32_t i = 0; i < turn; i++) {
		struct subscriber *subscriber = channel->subscribers[i];

		if (subscriber->state != LIVE || subscriber->entry >= end)
			continue;
		/*
		 * A subscriber that joined ahead of the boundary, or has had the chunk, has had
		 * more.
		 */
		if (subscriber->cursor >= position)
			subscriber_behind(subscriber, subscriber->cursor, subscriber->entry);
		else
			subscriber_behind(subscriber, position, TOPIC_NO_ENTRY);
	}
}

/*
 * The loop is so late that the window lost entries which it never saw: all continue from the log.
 */
static void skip_to_head(struct fanout *fanout)
{
	struct window *window = fanout->shared->window;
	uint64_t oldest = window_announce_oldest(window, fanout->reader);
	uint64_t head = window_head(window);

	/* Empty for a moment, while the log thread makes room: it will wake us. */
	if (oldest < head) {
		learn_all(fanout);
		for (struct channel *channel = fanout->channels; channel != NULL;
			channel = channel->next) {
			channel_find_end(fanout, channel);
			leave_behind(channel, channel->count, fanout->position, head);
		}
		fanout->boundary = head;
		fanout->position = window_entry(window, head - 1)->position;
	}
	window_withdraw(window, fanout->reader);
}

/* A topic was closed.  Channels for which it is the last open one end there. */
static void find_endings(const struct fanout *fanout, uint32_t number)
{
	for (uint32_t i = 0; i < fanout->by_topic[number].count; i++)
		channel_find_end(fanout, fanout->by_topic[number].channels[i]);
}

/* Events were deleted: after the pass has announced it, streams of present values begin anew. */
static void note_deletion(const struct fanout *fanout, const struct topic *topic)
{
	const struct wanted *wanted = &fanout->by_topic[topic->number];
	uint64_t erased = atomic_load(&topic->erased);

	for (uint32_t i = 0; i < wanted->count; i++)
		wanted->channels[i]->erased = later(wanted->channels[i]->erased, erased);
}

/* Take the new entries, and note whom they are for. */
static void start_pass(struct fanout *fanout)
{
	struct window *window = fanout->shared->window;
	uint64_t head = window_head(window);

	if (!window_announce(window, fanout->reader, fanout->boundary)) {
		skip_to_head(fanout);
		return;
	}
	for (uint64_t i = fanout->boundary; i < head; i++) {
		const struct window_entry *entry = window_entry(window, i);
		uint32_t number = entry->topic->number;

		if (!knows(fanout, entry->topic))
			learn(fanout, entry->topic);
		if (number >= fanout->capacity)
			continue;
		for (uint32_t j = 0; j < fanout->by_topic[number].count; j++)
			touch(fanout, fanout->by_topic[number].channels[j], i);
		if (entry->topic->closed != 0)
			find_endings(fanout, number);
		if (entry->deletion)
			note_deletion(fanout, entry->topic);
	}
	fanout->boundary = head;
	fanout->position = window_entry(window, head - 1)->position;
	window_withdraw(window, fanout->reader);
	fanout->pass_began = fanout->touched != NULL ? window_stamped(window) : 0;
}

/* The pass has served all: count how long its events took. */
static void end_pass(struct fanout *fanout)
{
	if (fanout->pass_began != 0)
		counter_took(&fanout->sent, clock_now_us() - fanout->pass_began);
	fanout->pass_began = 0;
}

/* Send the channel's chunk to one subscriber. */
static void send_chunk(const struct channel *channel, struct subscriber *subscriber,
	const struct frames *frames, const struct window_chunk *chunk)
{
	if (subscriber->state != LIVE || subscriber->entry >= chunk->end)
		return;
	if (subscriber->entry > channel->chunk) {
		subscriber_behind(subscriber, subscriber->cursor, subscriber->entry);
	} else if (subscriber_send(subscriber, frames)) {
		/* Where the subscriber continues if the window overtakes the pass. */
		subscriber->cursor = later(subscriber->cursor, chunk->position);
		subscriber->entry = chunk->end;
	}
}

/* Send the channel's chunk to as many subscribers as the budget allows.  True if to all of them. */
static bool serve_chunk(struct fanout *fanout, struct channel *channel, int *budget)
{
	struct window *window = fanout->shared->window;
	struct window_chunk chunk;
	struct frames frames;

	if (!window_announce(window, fanout->reader, channel->chunk)) {
		/* Those that have had this chunk too, since it may end before the boundary. */
		leave_behind(channel, channel->count, channel->chunk_position, fanout->boundary);
		return true;
	}
	channel->view.erasures = window_erasures(window);
	window_gather(window, &channel->view, channel->chunk, fanout->boundary,
		channel->chunk_position, 0, &chunk);
	if (chunk.count == 0 ? chunk.missing : channel->selection->polls) {
		/*
		 * Too large for the window, or not in this form: it is in the log.  Polls end with
		 * what they get, so each continues on its own.
		 */
		leave_behind(channel, channel->turn, channel->chunk_position, fanout->boundary);
		channel->turn = 0;
		chunk.end = fanout->boundary;
	}
	if (chunk.count == 0)
		channel->turn = 0;
	frames_of_window(&frames, window, &chunk);
	while (channel->turn > 0 && *budget > 0) {
		--*budget;
		send_chunk(channel, channel->subscribers[--channel->turn], &frames, &chunk);
	}
	window_withdraw(window, fanout->reader);
	if (channel->turn > 0)
		return false;
	if (chunk.end >= fanout->boundary)
		return true;
	channel->chunk = chunk.end;
	channel->chunk_position = chunk.position;
	channel->turn = channel->count;
	return false;
}

static void serve_touched(struct fanout *fanout)
{
	int budget = SLICE_SENDS;

	while (fanout->touched != NULL && budget > 0) {
		struct channel *channel = fanout->touched;

		if (!serve_chunk(fanout, channel, &budget))
			continue;
		fanout->touched = channel->next_touched;
		channel->touched = false;
		if (channel->erased != 0)
			catch_up_anew(channel);
		ending_pass(fanout, channel);
		if (channel->count == 0)
			channel_remove(fanout, channel);
	}
	if (fanout->touched == NULL)
		end_pass(fanout);
}

static void serve_ready(struct fanout *fanout)
{
	for (int i = 0; i < SLICE_READY && fanout->ready != NULL; i++) {
		struct subscriber *subscriber = fanout->ready;

		fanout->ready = subscriber->next;
		subscriber->queued = false;
		catch_up_serve(subscriber);
	}
}

bool fanout_work(struct fanout *fanout)
{
	serve_ready(fanout);
	if (fanout->touched == NULL && window_head(fanout->shared->window) > fanout->boundary)
		start_pass(fanout);
	serve_touched(fanout);
	return fanout->touched != NULL || fanout->ready != NULL ||
	       window_head(fanout->shared->window) > fanout->boundary;
}

void fanout_bury(struct fanout *fanout)
{
	while (fanout->closed != NULL) {
		struct subscriber *subscriber = fanout->closed;

		fanout->closed = subscriber->next;
		subscriber_free(subscriber);
	}
}

void fanout_close(struct fanout *fanout)
{
	struct deadline *first;

	while ((first = deadlines_first(&fanout->deadlines)) != NULL)
		catch_up_finish(poll_of_deadline(first));
	while (fanout->channels != NULL) {
		struct channel *channel = fanout->channels;

		channel->touched = false;
		if (channel->count > 0)
			end_channel(channel, STREAM_END_STOPPED);
		else
			channel_remove(fanout, channel);
	}
	fanout->touched = NULL;
	fanout->ended = true;
	serve_ready(fanout);
	fanout_bury(fanout);
	channel_forget(fanout);
}
