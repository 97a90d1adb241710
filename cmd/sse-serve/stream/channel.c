/* SPDX-License-Identifier: MIT */
/* The channels of one loop; see channel.h. */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "channel.h"
#include "log/closing.h"

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct channel *)a)->selection->key,
		((const struct channel *)b)->selection->key);
}

/* Compares only the keys of the selections.  Called by the loop, or under channels_lock. */
static struct channel *find_channel(struct fanout *fanout, const struct selection *selection)
{
	struct channel key = {.selection = (struct selection *)(uintptr_t)selection};
	struct channel **node = tfind(&key, &fanout->by_key, compare);

	return node != NULL ? *node : NULL;
}

/* Room for the topic in by_topic.  NULL without memory. */
static struct wanted *wanted_of(struct fanout *fanout, const struct topic *topic)
{
	if (topic->number >= fanout->capacity) {
		uint32_t capacity = topic->number * 2 + 16;
		struct wanted *grown = realloc(fanout->by_topic, capacity * sizeof(*grown));

		if (grown == NULL)
			return NULL;
		memset(grown + fanout->capacity, 0, (capacity - fanout->capacity) * sizeof(*grown));
		fanout->by_topic = grown;
		fanout->capacity = capacity;
	}
	return &fanout->by_topic[topic->number];
}

static void forget_topic(struct fanout *fanout, const struct channel *channel, uint32_t number)
{
	struct wanted *wanted = number < fanout->capacity ? &fanout->by_topic[number] : NULL;

	for (uint32_t i = 0; wanted != NULL && i < wanted->count; i++) {
		if (wanted->channels[i] == channel) {
			wanted->channels[i] = wanted->channels[--wanted->count];
			return;
		}
	}
}

/* Let entries of the topic find the channel; under channels_lock.  0, or -1 without memory. */
static int bind_topic(struct fanout *fanout, struct channel *channel, struct topic *topic)
{
	struct wanted *wanted = wanted_of(fanout, topic);

	if (wanted == NULL)
		return -1;
	if (wanted->count == wanted->capacity) {
		uint32_t capacity = wanted->capacity ? wanted->capacity * 2 : 1;
		struct channel **grown =
			realloc(wanted->channels, capacity * sizeof(struct channel *));

		if (grown == NULL)
			return -1;
		wanted->channels = grown;
		wanted->capacity = capacity;
	}
	if (topic_set_has(&channel->topics, topic))
		return 0;
	if (topic_set_add(&channel->topics, topic) != 0)
		return -1;
	wanted->channels[wanted->count++] = channel;
	return 0;
}

/* Is it found by the name of its only topic? */
static bool is_one_name(const struct selection *selection)
{
	return selection->count == 1 && !selection->wildcards && selection->types.count == 0;
}

/* Under channels_lock, if it was bound to a topic. */
static void free_channel(struct fanout *fanout, struct channel *channel)
{
	for (uint32_t i = 0; i < channel->topics.count; i++)
		forget_topic(fanout, channel, channel->topics.topics[i]->number);
	topic_set_free(&channel->topics);
	selection_drop(channel->selection);
	free(channel->subscribers);
	free(channel);
}

/* Bind the topics; under channels_lock. */
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

	pthread_mutex_lock(&fanout->channels_lock);
	result = bind_topics(fanout, channel, known);
	if (result == 0 && tsearch(channel, &fanout->by_key, compare) == NULL)
		result = -1;
	if (result == 0)
		link_channel(fanout, channel);
	else
		free_channel(fanout, channel);
	pthread_mutex_unlock(&fanout->channels_lock);
	return result;
}

static struct channel *add_channel(struct fanout *fanout, struct selection *selection)
{
	struct channel *channel = calloc(1, sizeof(*channel));
	struct topic_set known = {0};
	int result;

	if (channel == NULL)
		return NULL;
	channel->selection = selection_hold(selection);
	channel->view = (struct window_view){.topics = &channel->topics,
		.types = selection->types,
		.form = selection->form,
		.stored = selection->polls};
	channel->system = topic_is_system(selection->patterns[0]);
	result = selection_topics(selection, fanout->shared->topics, &known);
	if (result == 0)
		result = put_channel(fanout, channel, &known);
	else
		free_channel(fanout, channel);
	topic_set_free(&known);
	if (result != 0)
		return NULL;
	channel_find_end(fanout, channel);
	window_want_form(fanout->shared->window, selection->form, 1);
	return channel;
}

void channel_find_end(const struct fanout *fanout, struct channel *channel)
{
	if (channel->end == 0)
		channel->end = selection_end(channel->selection, fanout->shared->topics);
}

bool channel_wants_closing(const struct channel *channel)
{
	static const struct sse_text type = {CLOSING_TYPE, sizeof(CLOSING_TYPE) - 1};

	return event_types_have(&channel->selection->types, type);
}

void channel_remove(struct fanout *fanout, struct channel *channel)
{
	window_want_form(fanout->shared->window, channel->selection->form, -1);
	pthread_mutex_lock(&fanout->channels_lock);
	tdelete(channel, &fanout->by_key, compare);
	unlink_channel(channel);
	free_channel(fanout, channel);
	pthread_mutex_unlock(&fanout->channels_lock);
}

struct channel *channel_find(struct fanout *fanout, const char *topic, enum form form, bool polls)
{
	char key[SELECTION_KEY];
	const struct selection selection = {.key = key};

	selection_key(topic, form, polls, key);
	return find_channel(fanout, &selection);
}

int channel_learn(struct fanout *fanout, struct channel *channel, struct topic *topic)
{
	int result;

	pthread_mutex_lock(&fanout->channels_lock);
	result = bind_topic(fanout, channel, topic);
	pthread_mutex_unlock(&fanout->channels_lock);
	return result;
}

void channel_forget(struct fanout *fanout)
{
	pthread_mutex_lock(&fanout->channels_lock);
	for (uint32_t i = 0; i < fanout->capacity; i++)
		free(fanout->by_topic[i].channels);
	free(fanout->by_topic);
	fanout->by_topic = NULL;
	fanout->capacity = 0;
	pthread_mutex_unlock(&fanout->channels_lock);
}

/* --- counting --- */

/* The subscribers of the channel of just this topic; under channels_lock. */
static uint32_t count_by_name(struct fanout *fanout, const char *topic, enum form form, bool polls)
{
	const struct channel *channel = channel_find(fanout, topic, form, polls);

	return channel != NULL ? channel->count : 0;
}

uint64_t channel_count(struct fanout *fanout, const char *topic)
{
	uint64_t count = 0;

	pthread_mutex_lock(&fanout->channels_lock);
	for (int form = 0; form < FORMS; form++)
		count += count_by_name(fanout, topic, (enum form)form, false) +
			 count_by_name(fanout, topic, (enum form)form, true);
	for (const struct channel *one = fanout->many; one != NULL; one = one->next_many) {
		if (selection_matches(one->selection, topic))
			count += one->count;
	}
	pthread_mutex_unlock(&fanout->channels_lock);
	return count;
}

void channel_count_streams(struct fanout *fanout, uint32_t *streams, uint32_t count)
{
	pthread_mutex_lock(&fanout->channels_lock);
	for (uint32_t i = 0; i < count && i < fanout->capacity; i++) {
		for (uint32_t j = 0; j < fanout->by_topic[i].count; j++)
			streams[i] += fanout->by_topic[i].channels[j]->count;
	}
	pthread_mutex_unlock(&fanout->channels_lock);
}

/* --- subscribers --- */

struct fanout *channel_place(const struct fanouts *shared)
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

void channel_unplace(struct fanout *fanout)
{
	atomic_fetch_sub_explicit(&fanout->placed, 1, memory_order_relaxed);
}

/* There are now ${more} (1 or -1) streams more of $sys. */
static void read_system(struct fanouts *shared, int more)
{
	shared->system_readers += more;
	if (more > 0)
		mailbox_wake(shared->teller);
}

static int add_to_channel(struct channel *channel, struct subscriber *subscriber)
{
	if (channel->count == channel->capacity) {
		uint32_t capacity = channel->capacity ? channel->capacity * 2 : 1;
		struct subscriber **grown =
			realloc(channel->subscribers, capacity * sizeof(struct subscriber *));

		if (grown == NULL)
			return -1;
		channel->subscribers = grown;
		channel->capacity = capacity;
	}
	subscriber->channel = channel;
	subscriber->index = channel->count;
	channel->subscribers[channel->count++] = subscriber;
	return 0;
}

int channel_join(struct fanout *fanout, struct subscriber *subscriber, struct selection *selection)
{
	struct channel *channel = find_channel(fanout, selection);

	if (channel == NULL)
		channel = add_channel(fanout, selection);
	if (channel == NULL)
		return -1;
	if (add_to_channel(channel, subscriber) != 0) {
		if (channel->count == 0 && !channel->touched)
			channel_remove(fanout, channel);
		return -1;
	}
	fanout->streams++;
	if (channel->system)
		read_system(fanout->shared, 1);
	return 0;
}

void channel_leave(struct fanout *fanout, struct subscriber *subscriber)
{
	struct channel *channel = subscriber->channel;
	struct subscriber *last = channel->subscribers[--channel->count];

	/*
	 * A pass serves the subscribers from the last to the first, so the one that moves down
	 * was served already.
	 */
	channel->subscribers[subscriber->index] = last;
	last->index = subscriber->index;
	if (channel->turn > channel->count)
		channel->turn = channel->count;
	fanout->streams--;
	if (channel->system)
		read_system(fanout->shared, -1);
	channel_unplace(fanout);
	if (channel->count == 0 && !channel->touched)
		channel_remove(fanout, channel);
}
