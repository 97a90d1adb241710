/* SPDX-License-Identifier: MIT */
/* The fan-out of one loop; see fanout.h. */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "fanout.h"

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
		.position = window_position(shared->window)};
	fanout->wheel_due = now;
	pthread_mutex_init(&fanout->census, NULL);
}

void fanout_free(struct fanout *fanout)
{
	pthread_mutex_destroy(&fanout->census);
}

/* --- channels --- */

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct channel *)a)->selection->key,
		((const struct channel *)b)->selection->key);
}

/* Of the selection only the key is looked at.  The loop itself, or under the census. */
static struct channel *find_channel(struct fanout *fanout, const struct selection *selection)
{
	struct channel key = {.selection = (struct selection *)(uintptr_t)selection};
	struct channel **node = tfind(&key, &fanout->by_key, compare);

	return node != NULL ? *node : NULL;
}

/* Room for the topic in by_topic.  NULL without memory. */
static struct wanted *wanted_of(struct fanout *fanout, const struct topic *topic)
{
	if (topic->number >= fanout->room) {
		uint32_t room = topic->number * 2 + 16;
		struct wanted *grown = realloc(fanout->by_topic, room * sizeof(*grown));

		if (grown == NULL)
			return NULL;
		memset(grown + fanout->room, 0, (room - fanout->room) * sizeof(*grown));
		fanout->by_topic = grown;
		fanout->room = room;
	}
	return &fanout->by_topic[topic->number];
}

static void forget_topic(struct fanout *fanout, const struct channel *channel, uint32_t number)
{
	struct wanted *wanted = number < fanout->room ? &fanout->by_topic[number] : NULL;

	for (uint32_t i = 0; wanted != NULL && i < wanted->count; i++) {
		if (wanted->channels[i] == channel) {
			wanted->channels[i] = wanted->channels[--wanted->count];
			return;
		}
	}
}

/* Let entries of the topic find the channel; under the census.  0, or -1 without memory. */
static int bind_topic(struct fanout *fanout, struct channel *channel, struct topic *topic)
{
	struct wanted *wanted = wanted_of(fanout, topic);

	if (wanted == NULL)
		return -1;
	if (wanted->count == wanted->room) {
		uint32_t room = wanted->room ? wanted->room * 2 : 1;
		struct channel **grown = realloc(wanted->channels, room * sizeof(struct channel *));

		if (grown == NULL)
			return -1;
		wanted->channels = grown;
		wanted->room = room;
	}
	if (topic_set_has(&channel->topics, topic))
		return 0;
	if (topic_set_add(&channel->topics, topic) != 0)
		return -1;
	wanted->channels[wanted->count++] = channel;
	return 0;
}

/* Does its key say all about which topics it wants? */
static bool is_one_name(const struct selection *selection)
{
	return selection->count == 1 && !selection->wildcards;
}

/* Under the census, if it was bound to a topic. */
static void free_channel(struct fanout *fanout, struct channel *channel)
{
	for (uint32_t i = 0; i < channel->topics.count; i++)
		forget_topic(fanout, channel, channel->topics.topics[i]->number);
	topic_set_free(&channel->topics);
	selection_drop(channel->selection);
	free(channel->subscribers);
	free(channel);
}

/* Bind the topics; under the census. */
static int bind_topics(
	struct fanout *fanout, struct channel *channel, const struct topic_set *known)
{
	int result = 0;

	for (uint32_t i = 0; i < known->count && result == 0; i++)
		result = bind_topic(fanout, channel, known->topics[i]);
	return result;
}

static void link_channel(struct fanout *fanout, struct channel *channel)
{
	channel->back = &fanout->channels;
	channel->next = fanout->channels;
	if (channel->next != NULL)
		channel->next->back = &channel->next;
	fanout->channels = channel;
	if (is_one_name(channel->selection))
		return;
	channel->back_many = &fanout->many;
	channel->next_many = fanout->many;
	if (channel->next_many != NULL)
		channel->next_many->back_many = &channel->next_many;
	fanout->many = channel;
}

static void unlink_channel(struct channel *channel)
{
	*channel->back = channel->next;
	if (channel->next != NULL)
		channel->next->back = channel->back;
	if (channel->back_many == NULL)
		return;
	*channel->back_many = channel->next_many;
	if (channel->next_many != NULL)
		channel->next_many->back_many = channel->back_many;
}

/* Let it be found, by its key and by its topics.  0, or -1 without memory. */
static int put_channel(
	struct fanout *fanout, struct channel *channel, const struct topic_set *known)
{
	int result;

	pthread_mutex_lock(&fanout->census);
	result = bind_topics(fanout, channel, known);
	if (result == 0 && tsearch(channel, &fanout->by_key, compare) == NULL)
		result = -1;
	if (result == 0)
		link_channel(fanout, channel);
	else
		free_channel(fanout, channel);
	pthread_mutex_unlock(&fanout->census);
	return result;
}

/* There are now ${more} (1 or -1) channels more for $sys. */
static void read_system(struct fanouts *shared, int more)
{
	shared->system_readers += more;
	if (more > 0)
		mailbox_wake(shared->teller);
}

static struct channel *add_channel(struct fanout *fanout, struct selection *selection)
{
	struct channel *channel = calloc(1, sizeof(*channel));
	struct topic_set known = {0};
	int result;

	if (channel == NULL)
		return NULL;
	channel->selection = selection_hold(selection);
	channel->view =
		(struct window_view){.topics = &channel->topics, .envelope = selection->envelope};
	channel->system = topic_is_system(selection->patterns[0]);
	result = selection_topics(selection, fanout->shared->topics, &known);
	if (result == 0)
		result = put_channel(fanout, channel, &known);
	else
		free_channel(fanout, channel);
	topic_set_free(&known);
	if (result != 0)
		return NULL;
	if (selection->envelope)
		window_want_envelopes(fanout->shared->window, 1);
	if (channel->system)
		read_system(fanout->shared, 1);
	return channel;
}

static void remove_channel(struct fanout *fanout, struct channel *channel)
{
	if (channel->selection->envelope)
		window_want_envelopes(fanout->shared->window, -1);
	if (channel->system)
		read_system(fanout->shared, -1);
	pthread_mutex_lock(&fanout->census);
	tdelete(channel, &fanout->by_key, compare);
	unlink_channel(channel);
	free_channel(fanout, channel);
	pthread_mutex_unlock(&fanout->census);
}

/* The subscribers of the channel of just this topic; under the census. */
static uint32_t count_by_name(struct fanout *fanout, const char *topic, bool envelope)
{
	char key[SELECTION_KEY];
	const struct selection selection = {.key = key};
	const struct channel *channel;

	selection_key(topic, envelope, key);
	channel = find_channel(fanout, &selection);
	return channel != NULL ? channel->count : 0;
}

/* The streams of one loop that want the topic. */
static uint64_t count_streams(struct fanout *fanout, const char *topic)
{
	uint64_t count;

	pthread_mutex_lock(&fanout->census);
	count = count_by_name(fanout, topic, false) + count_by_name(fanout, topic, true);
	for (const struct channel *one = fanout->many; one != NULL; one = one->next_many) {
		if (selection_matches(one->selection, topic))
			count += one->count;
	}
	pthread_mutex_unlock(&fanout->census);
	return count;
}

uint64_t fanout_count(const struct fanouts *shared, const char *topic)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < shared->count; i++)
		count += count_streams(shared->all[i], topic);
	return count;
}

static void add_census(struct fanout *fanout, uint32_t *streams, uint32_t count)
{
	pthread_mutex_lock(&fanout->census);
	for (uint32_t i = 0; i < count && i < fanout->room; i++) {
		for (uint32_t j = 0; j < fanout->by_topic[i].count; j++)
			streams[i] += fanout->by_topic[i].channels[j]->count;
	}
	pthread_mutex_unlock(&fanout->census);
}

void fanout_census(const struct fanouts *shared, uint32_t *streams, uint32_t count)
{
	memset(streams, 0, count * sizeof(*streams));
	for (unsigned i = 0; i < shared->count; i++)
		add_census(shared->all[i], streams, count);
}

/* --- the wheel of silent streams --- */

static uint32_t interval_of(const struct fanout *fanout)
{
	const struct fanouts *shared = fanout->shared;

	return shared->heartbeat < shared->stall_timeout ? shared->heartbeat
							 : shared->stall_timeout;
}

/* Look at the subscriber again when it will have been silent for the interval. */
static void wheel_put(struct fanout *fanout, struct subscriber *subscriber)
{
	uint32_t step = interval_of(fanout) / FANOUT_WHEEL + 1;
	uint32_t silent = fanout->now - subscriber->sent;
	uint32_t wait = silent < interval_of(fanout) ? interval_of(fanout) - silent : 0;
	uint32_t slot = (fanout->wheel_slot + wait / step) % FANOUT_WHEEL;
	struct subscriber **head = &fanout->wheel[slot];

	subscriber->wheel_next = *head;
	subscriber->wheel_back = head;
	if (*head != NULL)
		(*head)->wheel_back = &subscriber->wheel_next;
	*head = subscriber;
}

static void wheel_remove(struct subscriber *subscriber)
{
	if (subscriber->wheel_back == NULL)
		return;
	*subscriber->wheel_back = subscriber->wheel_next;
	if (subscriber->wheel_next != NULL)
		subscriber->wheel_next->wheel_back = subscriber->wheel_back;
	subscriber->wheel_back = NULL;
}

struct fanout *fanout_place(const struct fanouts *shared)
{
	struct fanout *best = shared->all[0];

	for (unsigned i = 1; i < shared->count; i++) {
		if (atomic_load_explicit(&shared->all[i]->placed, memory_order_relaxed) <
			atomic_load_explicit(&best->placed, memory_order_relaxed))
			best = shared->all[i];
	}
	atomic_fetch_add_explicit(&best->placed, 1, memory_order_relaxed);
	return best;
}

void fanout_unplace(struct fanout *fanout)
{
	atomic_fetch_sub_explicit(&fanout->placed, 1, memory_order_relaxed);
}

static int add_to_channel(struct channel *channel, struct subscriber *subscriber)
{
	if (channel->count == channel->room) {
		uint32_t room = channel->room ? channel->room * 2 : 1;
		struct subscriber **grown =
			realloc(channel->subscribers, room * sizeof(struct subscriber *));

		if (grown == NULL)
			return -1;
		channel->subscribers = grown;
		channel->room = room;
	}
	subscriber->channel = channel;
	subscriber->index = channel->count;
	channel->subscribers[channel->count++] = subscriber;
	return 0;
}

int fanout_join(struct fanout *fanout, struct subscriber *subscriber, struct selection *selection)
{
	struct channel *channel = find_channel(fanout, selection);

	if (channel == NULL)
		channel = add_channel(fanout, selection);
	if (channel == NULL)
		return -1;
	if (add_to_channel(channel, subscriber) != 0) {
		if (channel->count == 0 && !channel->touched)
			remove_channel(fanout, channel);
		return -1;
	}
	/* The wheel stood still while there was nobody. */
	if (fanout->streams++ == 0)
		fanout->wheel_due = fanout->now;
	wheel_put(fanout, subscriber);
	return 0;
}

uint32_t fanout_tick(struct fanout *fanout)
{
	uint32_t step = interval_of(fanout) / FANOUT_WHEEL + 1;

	while ((int32_t)(fanout->now - fanout->wheel_due) >= 0) {
		struct subscriber *due = fanout->wheel[fanout->wheel_slot];

		/* Taken out whole first: who is put back may land in the same slot. */
		fanout->wheel[fanout->wheel_slot] = NULL;
		if (due != NULL)
			due->wheel_back = &due;
		fanout->wheel_slot = (fanout->wheel_slot + 1) % FANOUT_WHEEL;
		fanout->wheel_due += step;
		while (due != NULL) {
			struct subscriber *subscriber = due;

			wheel_remove(subscriber);
			subscriber_look(subscriber, step);
			if (subscriber->state != CLOSED)
				wheel_put(fanout, subscriber);
		}
	}
	return fanout->wheel_due - fanout->now;
}

void fanout_leave(struct fanout *fanout, struct subscriber *subscriber)
{
	struct channel *channel = subscriber->channel;
	struct subscriber *last = channel->subscribers[--channel->count];

	/* A pass goes from the last to the first, so who moves down was served already. */
	channel->subscribers[subscriber->index] = last;
	last->index = subscriber->index;
	if (channel->turn > channel->count)
		channel->turn = channel->count;
	wheel_remove(subscriber);
	fanout->streams--;
	fanout_unplace(fanout);
	if (channel->count == 0 && !channel->touched)
		remove_channel(fanout, channel);
}

/* --- a pass --- */

/* Without memory to serve them, streams end, and come back. */
static void end_channel(struct channel *channel)
{
	while (channel->count > 1)
		subscriber_close(channel->subscribers[channel->count - 1]);
	/* With the last one goes the channel, unless a pass has still to come to it. */
	if (channel->count > 0)
		subscriber_close(channel->subscribers[0]);
}

static void learn_topic(struct fanout *fanout, struct channel *channel, struct topic *topic)
{
	int result;

	pthread_mutex_lock(&fanout->census);
	result = bind_topic(fanout, channel, topic);
	pthread_mutex_unlock(&fanout->census);
	if (result != 0)
		end_channel(channel);
}

/* Give a new topic to the channels that wait for it by name. */
static void bind_by_name(struct fanout *fanout, struct topic *topic, bool envelope)
{
	char key[SELECTION_KEY];
	const struct selection selection = {.key = key};
	struct channel *channel;

	selection_key(topic->name, envelope, key);
	channel = find_channel(fanout, &selection);
	if (channel != NULL)
		learn_topic(fanout, channel, topic);
}

/* Give topics that came up since to the channels that want them. */
static void learn_topics(struct fanout *fanout, uint32_t upto)
{
	for (; fanout->topics <= upto; fanout->topics++) {
		struct topic *topic = topics_get(fanout->shared->topics, fanout->topics);
		struct channel *next;

		bind_by_name(fanout, topic, false);
		bind_by_name(fanout, topic, true);
		for (struct channel *one = fanout->many; one != NULL; one = next) {
			next = one->next_many;
			if (selection_matches(one->selection, topic->name))
				learn_topic(fanout, one, topic);
		}
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
 * Those of subscribers [0, turn) that are LIVE and have not had the entries before ${end} go on by
 * themselves, from ${position}.
 */
static void leave_behind(struct channel *channel, uint32_t turn, uint64_t position, uint64_t end)
{
	for (uint32_t i = 0; i < turn; i++) {
		struct subscriber *subscriber = channel->subscribers[i];

		/* One that joined ahead of the boundary has a cursor beyond it. */
		if (subscriber->state == LIVE && subscriber->entry < end)
			subscriber_behind(
				subscriber, later(subscriber->cursor, position), TOPIC_NO_ENTRY);
	}
}

/* So late that entries which this loop never saw are gone: all go on from the log. */
static void skip_to_head(struct fanout *fanout)
{
	struct window *window = fanout->shared->window;
	uint64_t oldest = window_announce_oldest(window, fanout->reader);
	uint64_t head = window_head(window);

	/* Empty for a moment, while the log thread makes room: it will wake us. */
	if (oldest < head) {
		while (topics_get(fanout->shared->topics, fanout->topics) != NULL)
			learn_topics(fanout, fanout->topics);
		for (struct channel *channel = fanout->channels; channel != NULL;
			channel = channel->next)
			leave_behind(channel, channel->count, fanout->position, head);
		fanout->boundary = head;
		fanout->position = window_entry(window, head - 1)->position;
	}
	window_withdraw(window, fanout->reader);
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

		if (number >= fanout->topics)
			learn_topics(fanout, number);
		if (number >= fanout->room)
			continue;
		for (uint32_t j = 0; j < fanout->by_topic[number].count; j++)
			touch(fanout, fanout->by_topic[number].channels[j], i);
	}
	fanout->boundary = head;
	fanout->position = window_entry(window, head - 1)->position;
	window_withdraw(window, fanout->reader);
}

/* Send the chunk to one subscriber. */
static void send_chunk(
	struct channel *channel, struct subscriber *subscriber, const struct window_chunk *chunk)
{
	ssize_t sent;

	if (subscriber->state != LIVE || subscriber->entry >= chunk->end)
		return;
	if (subscriber->entry > channel->chunk) {
		subscriber_behind(subscriber, subscriber->cursor, subscriber->entry);
		return;
	}
	sent = window_send(subscriber->fd, chunk);
	if (sent == (ssize_t)chunk->len) {
		subscriber->entry = chunk->end;
		subscriber->sent = subscriber->fanout->now;
		subscriber_delivered(subscriber, chunk->events);
	} else if (sent >= 0) {
		subscriber_stopped(subscriber, later(subscriber->cursor, channel->chunk_position),
			channel->chunk, (size_t)sent);
	} else {
		subscriber_close(subscriber);
	}
}

/* Send the touched channel's chunk to as many as the budget allows.  True when it was to all. */
static bool serve_chunk(struct fanout *fanout, struct channel *channel, int *budget)
{
	struct window *window = fanout->shared->window;
	struct window_chunk chunk;

	if (!window_announce(window, fanout->reader, channel->chunk)) {
		leave_behind(channel, channel->turn, channel->chunk_position, fanout->boundary);
		return true;
	}
	window_gather(window, &channel->view, channel->chunk, fanout->boundary,
		channel->chunk_position, 0, &chunk);
	if (chunk.count == 0 && chunk.missing) {
		/* Too large for the window, or without its envelope: it is in the log. */
		leave_behind(channel, channel->turn, channel->chunk_position, fanout->boundary);
		channel->turn = 0;
		chunk.end = fanout->boundary;
	}
	if (chunk.count == 0)
		channel->turn = 0;
	while (channel->turn > 0 && *budget > 0) {
		--*budget;
		send_chunk(channel, channel->subscribers[--channel->turn], &chunk);
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
		if (channel->count == 0)
			remove_channel(fanout, channel);
	}
}

static void serve_ready(struct fanout *fanout)
{
	for (int i = 0; i < SLICE_READY && fanout->ready != NULL; i++) {
		struct subscriber *subscriber = fanout->ready;

		fanout->ready = subscriber->next;
		subscriber->queued = false;
		subscriber_serve(subscriber);
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
		free(subscriber);
	}
}

void fanout_close(struct fanout *fanout)
{
	while (fanout->channels != NULL) {
		struct channel *channel = fanout->channels;

		channel->touched = false;
		if (channel->count > 0)
			end_channel(channel);
		else
			remove_channel(fanout, channel);
	}
	fanout->touched = NULL;
	fanout->ended = true;
	serve_ready(fanout);
	fanout_bury(fanout);
	pthread_mutex_lock(&fanout->census);
	for (uint32_t i = 0; i < fanout->room; i++)
		free(fanout->by_topic[i].channels);
	free(fanout->by_topic);
	fanout->by_topic = NULL;
	fanout->room = 0;
	pthread_mutex_unlock(&fanout->census);
}
