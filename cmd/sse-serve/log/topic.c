/* SPDX-License-Identifier: MIT */
/* Topics; see topic.h. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "topic.h"
#include "topic_order.h"

/* Of topics_forget(): looks under one lock, and for each topic that was registered. */
#define LOOKS 16
#define LOOKS_FOR_EACH 4

struct topics {
	_Atomic uint32_t limit; /* 0: none */
	uint32_t own;		/* of topics_add_own() */
	pthread_mutex_t lock;	/* guards all below; a leaf: nothing is locked under it */
	struct topic_order by_name;
	struct topic **by_number;
	uint32_t count, capacity;
	uint32_t *free_numbers; /* below count; their topics are forgotten */
	uint32_t free_count, free_capacity;
	uint32_t serial;       /* of the newest topic */
	uint32_t added;	       /* topics, since topics_forget() */
	uint32_t hand;	       /* the number that topics_forget() looks at next */
	struct topic **by_row; /* [row - 1] */
	uint32_t kept, kept_capacity;
};

struct topics *topics_new(void)
{
	struct topics *topics = calloc(1, sizeof(*topics));

	if (topics != NULL)
		pthread_mutex_init(&topics->lock, NULL);
	return topics;
}

void topics_set_limit(struct topics *topics, uint32_t limit)
{
	topics->limit = limit;
}

uint32_t topics_limit(const struct topics *topics)
{
	return topics->limit;
}

uint32_t topics_known(struct topics *topics)
{
	uint32_t known;

	pthread_mutex_lock(&topics->lock);
	known = topics->count - topics->free_count - topics->own -
		(topic_order_find(&topics->by_name, TOPIC_SYSTEM) != NULL);
	pthread_mutex_unlock(&topics->lock);
	return known;
}

uint32_t topics_room(struct topics *topics)
{
	uint32_t limit = topics->limit, known;

	if (limit == 0)
		return UINT32_MAX;
	known = topics_known(topics);
	return known < limit ? limit - known : 0;
}

struct topic *topics_find(struct topics *topics, const char *name)
{
	struct topic *topic;

	pthread_mutex_lock(&topics->lock);
	topic = topic_order_find(&topics->by_name, name);
	pthread_mutex_unlock(&topics->lock);
	return topic;
}

/* Make room for one more in a list of ${count}.  Return 0, or -1 without memory. */
static int grow(struct topic ***list, uint32_t count, uint32_t *capacity)
{
	uint32_t more = *capacity ? *capacity * 2 : 16;
	struct topic **grown;

	if (count < *capacity)
		return 0;
	grown = realloc(*list, more * sizeof(struct topic *));
	if (grown == NULL)
		return -1;
	*list = grown;
	*capacity = more;
	return 0;
}

static struct topic *add(struct topics *topics, const char *name)
{
	size_t size = strlen(name) + 1;
	bool reuse = topics->free_count > 0;
	uint32_t number = reuse ? topics->free_numbers[topics->free_count - 1] : topics->count;
	struct topic *topic;
	char *copy;

	if (!reuse && grow(&topics->by_number, topics->count, &topics->capacity) != 0)
		return NULL;
	topic = malloc(sizeof(*topic) + size);
	if (topic == NULL)
		return NULL;
	copy = (char *)(topic + 1);
	memcpy(copy, name, size);
	topics->serial += topics->serial == UINT32_MAX ? 2 : 1;
	*topic = (struct topic){.number = number, .serial = topics->serial, .name = copy};
	atomic_init(&topic->newest_entry, TOPIC_NO_ENTRY);
	if (topic_order_add(&topics->by_name, topic) != 0) {
		free(topic);
		return NULL;
	}
	topics->by_number[number] = topic;
	topics->count += !reuse;
	topics->free_count -= reuse;
	topics->added++;
	return topic;
}

struct topic *topics_add(struct topics *topics, const char *name)
{
	struct topic *topic;

	pthread_mutex_lock(&topics->lock);
	topic = topic_order_find(&topics->by_name, name);
	if (topic == NULL)
		topic = add(topics, name);
	pthread_mutex_unlock(&topics->lock);
	return topic;
}

int topics_keep(struct topics *topics, struct topic *topic)
{
	int result = 0;

	if (topic->row != 0)
		return 0;
	pthread_mutex_lock(&topics->lock);
	result = grow(&topics->by_row, topics->kept, &topics->kept_capacity);
	if (result == 0) {
		topics->by_row[topics->kept++] = topic;
		topic->row = topics->kept;
	}
	pthread_mutex_unlock(&topics->lock);
	return result;
}

struct topic *topics_of_row(struct topics *topics, uint32_t row)
{
	struct topic *topic = NULL;

	pthread_mutex_lock(&topics->lock);
	if (row > 0 && row <= topics->kept)
		topic = topics->by_row[row - 1];
	pthread_mutex_unlock(&topics->lock);
	return topic;
}

uint32_t topics_kept(struct topics *topics)
{
	uint32_t kept;

	pthread_mutex_lock(&topics->lock);
	kept = topics->kept;
	pthread_mutex_unlock(&topics->lock);
	return kept;
}

struct topic *topics_get(struct topics *topics, uint32_t number)
{
	struct topic *topic = NULL;

	pthread_mutex_lock(&topics->lock);
	if (number < topics->count)
		topic = topics->by_number[number];
	pthread_mutex_unlock(&topics->lock);
	return topic;
}

uint32_t topics_count(struct topics *topics)
{
	uint32_t count;

	pthread_mutex_lock(&topics->lock);
	count = topics->count;
	pthread_mutex_unlock(&topics->lock);
	return count;
}

/* --- forgetting --- */

/* Without the lock, a topic may be held only by a caller who already has it. */
static struct topic *hold(struct topic *topic)
{
	if (topic != NULL)
		atomic_fetch_add_explicit(&topic->holders, 1, memory_order_relaxed);
	return topic;
}

struct topic *topics_hold(struct topics *topics, uint32_t number)
{
	struct topic *topic = NULL;

	pthread_mutex_lock(&topics->lock);
	if (number < topics->count)
		topic = hold(topics->by_number[number]);
	pthread_mutex_unlock(&topics->lock);
	return topic;
}

struct topic *topics_hold_named(struct topics *topics, const char *name)
{
	struct topic *topic;

	pthread_mutex_lock(&topics->lock);
	topic = hold(topic_order_find(&topics->by_name, name));
	pthread_mutex_unlock(&topics->lock);
	return topic;
}

int topics_add_own(struct topics *topics, const char *name)
{
	struct topic *topic = hold(topics_add(topics, name));

	if (topic == NULL)
		return -1;
	topic->used = true;
	topics->own++;
	return 0;
}

size_t topics_hold_from(struct topics *topics, const char *from, struct topic **found, size_t max)
{
	size_t count;

	pthread_mutex_lock(&topics->lock);
	count = topic_order_from(&topics->by_name, from, found, max);
	for (size_t i = 0; i < count; i++)
		hold(found[i]);
	pthread_mutex_unlock(&topics->lock);
	return count;
}

void topic_drop(struct topic *topic)
{
	atomic_fetch_sub_explicit(&topic->holders, 1, memory_order_release);
}

/*
 * Is nothing left of it?  While the lock is held, a thread could come to hold the topic only
 * through an entry of the window, and there is none.
 */
static bool is_gone(const struct topic *topic, uint64_t oldest)
{
	uint64_t newest = atomic_load_explicit(&topic->newest_entry, memory_order_relaxed);

	return topic->row == 0 && topic_gone(topic) == 0 && topic->closed == 0 &&
	       (newest == TOPIC_NO_ENTRY || newest < oldest) &&
	       atomic_load_explicit(&topic->holders, memory_order_acquire) == 0;
}

/* Give its number back, if there is memory to note it. */
static void forget(struct topics *topics, struct topic *topic)
{
	if (topics->free_count == topics->free_capacity) {
		uint32_t more = topics->free_capacity ? topics->free_capacity * 2 : 16;
		uint32_t *grown = realloc(topics->free_numbers, more * sizeof(*grown));

		if (grown == NULL)
			return;
		topics->free_numbers = grown;
		topics->free_capacity = more;
	}
	topics->free_numbers[topics->free_count++] = topic->number;
	topics->by_number[topic->number] = NULL;
	topic_order_remove(&topics->by_name, topic);
	free(topic);
}

/* Look at so many, under one lock. */
static void forget_some(struct topics *topics, uint64_t oldest, uint32_t looks)
{
	pthread_mutex_lock(&topics->lock);
	for (; looks > 0 && topics->count > 0; looks--) {
		struct topic *topic;

		topics->hand = topics->hand + 1 < topics->count ? topics->hand + 1 : 0;
		topic = topics->by_number[topics->hand];
		if (topic != NULL && is_gone(topic, oldest))
			forget(topics, topic);
	}
	pthread_mutex_unlock(&topics->lock);
}

void topics_forget(struct topics *topics, uint64_t oldest)
{
	uint32_t slices;

	pthread_mutex_lock(&topics->lock);
	slices = 1 + topics->added * LOOKS_FOR_EACH / LOOKS;
	/* Usually all topics have stored events. */
	if (topics->count - topics->free_count == topics->kept)
		slices = 0;
	topics->added = 0;
	pthread_mutex_unlock(&topics->lock);
	for (; slices > 0; slices--)
		forget_some(topics, oldest, LOOKS);
}

void topics_forget_new(struct topics *topics, struct topic *topic)
{
	pthread_mutex_lock(&topics->lock);
	if (is_gone(topic, 0))
		forget(topics, topic);
	pthread_mutex_unlock(&topics->lock);
}

void topics_free(struct topics *topics)
{
	if (topics == NULL)
		return;
	for (uint32_t i = 0; i < topics->count; i++)
		free(topics->by_number[i]);
	topic_order_free(&topics->by_name);
	free(topics->by_number);
	free(topics->free_numbers);
	free(topics->by_row);
	pthread_mutex_destroy(&topics->lock);
	free(topics);
}

/* --- sets --- */

static int grow_bits(struct topic_set *set, uint32_t number)
{
	uint32_t words = number / 64 + 1;
	uint64_t *grown;

	if (words <= set->words)
		return 0;
	grown = realloc(set->bits, words * sizeof(*grown));
	if (grown == NULL)
		return -1;
	memset(grown + set->words, 0, (words - set->words) * sizeof(*grown));
	set->bits = grown;
	set->words = words;
	return 0;
}

int topic_set_add(struct topic_set *set, struct topic *topic)
{
	if (topic_set_has(set, topic))
		return 0;
	if (set->count == set->capacity) {
		uint32_t capacity = set->capacity ? set->capacity * 2 : 1;
		struct topic **grown = realloc(set->topics, capacity * sizeof(struct topic *));

		if (grown == NULL)
			return -1;
		set->topics = grown;
		set->capacity = capacity;
	}
	if (grow_bits(set, topic->number) != 0)
		return -1;
	set->topics[set->count++] = hold(topic);
	set->bits[topic->number / 64] |= (uint64_t)1 << topic->number % 64;
	return 0;
}

/* The newest of the positions that ${of} has of each. */
static uint64_t newest_of(const struct topic_set *set, uint64_t (*of)(const struct topic *))
{
	uint64_t newest = 0;

	for (uint32_t i = 0; i < set->count; i++) {
		uint64_t position = of(set->topics[i]);

		newest = position > newest ? position : newest;
	}
	return newest;
}

uint64_t topic_set_removed(const struct topic_set *set)
{
	return newest_of(set, topic_gone);
}

uint64_t topic_set_lost(const struct topic_set *set)
{
	return newest_of(set, topic_lost);
}

void topic_set_free(struct topic_set *set)
{
	for (uint32_t i = 0; i < set->count; i++)
		topic_drop(set->topics[i]);
	free(set->topics);
	free(set->bits);
	*set = (struct topic_set){0};
}
