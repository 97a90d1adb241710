/* SPDX-License-Identifier: MIT */
/* Buckets of tokens; see rates.h. */
#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "rates.h"

/* How many full buckets a call removes: more than it can add, so that all of them go. */
#define SWEEP 2

/*
 * Levels are counted in parts: a token is rule.per of them, so that each ms brings rule.count.
 * Nothing is rounded.
 */
struct bucket {
	int64_t level; /* at the time ${at}; below 0 if it owes */
	int64_t at;
	int64_t full; /* when it is full again */
	size_t place; /* in the heap */
	size_t len;
	const unsigned char *key; /* after the struct; or the caller's, to search with */
};

struct rates {
	struct rates_rule rule;
	int64_t most; /* parts of a full bucket */
	size_t max;

	pthread_mutex_t lock; /* guards what follows; a leaf */
	void *by_key;	      /* tsearch tree of the buckets */
	struct bucket **heap; /* the one that is full first is on top */
	size_t count, capacity;
	uint64_t refused;
};

static int compare(const void *a, const void *b)
{
	const struct bucket *one = a, *other = b;

	if (one->len != other->len)
		return one->len < other->len ? -1 : 1;
	return memcmp(one->key, other->key, one->len);
}

struct rates *rates_new(const struct rates_rule *rule, size_t max)
{
	struct rates *rates = calloc(1, sizeof(*rates));

	if (rates == NULL)
		return NULL;
	rates->rule = *rule;
	rates->most = rule->burst * rule->per;
	rates->max = max;
	pthread_mutex_init(&rates->lock, NULL);
	return rates;
}

/* --- the heap --- */

static void put(struct rates *rates, size_t place, struct bucket *bucket)
{
	rates->heap[place] = bucket;
	bucket->place = place;
}

static void sift_up(struct rates *rates, struct bucket *bucket)
{
	size_t place = bucket->place;

	while (place > 0 && rates->heap[(place - 1) / 2]->full > bucket->full) {
		put(rates, place, rates->heap[(place - 1) / 2]);
		place = (place - 1) / 2;
	}
	put(rates, place, bucket);
}

static void sift_down(struct rates *rates, struct bucket *bucket)
{
	size_t place = bucket->place, child;

	while ((child = 2 * place + 1) < rates->count) {
		if (child + 1 < rates->count &&
			rates->heap[child + 1]->full < rates->heap[child]->full)
			child++;
		if (rates->heap[child]->full >= bucket->full)
			break;
		put(rates, place, rates->heap[child]);
		place = child;
	}
	put(rates, place, bucket);
}

/* --- the buckets --- */

static void remove_top(struct rates *rates)
{
	struct bucket *top = rates->heap[0], *last = rates->heap[--rates->count];

	if (last != top) {
		put(rates, 0, last);
		sift_down(rates, last);
	}
	tdelete(top, &rates->by_key, compare);
	free(top);
}

static void drop_all(struct rates *rates)
{
	while (rates->count > 0)
		remove_top(rates);
	free(rates->heap);
}

/* Remove what need not be kept, and, if ${room} is wanted, what cannot be. */
static void sweep(struct rates *rates, int64_t now, bool room)
{
	for (int i = 0; i < SWEEP && rates->count > 0 && rates->heap[0]->full <= now; i++)
		remove_top(rates);
	if (room && rates->count == rates->max)
		remove_top(rates);
}

static int grow(struct rates *rates)
{
	size_t capacity = rates->capacity > 0 ? 2 * rates->capacity : 16;
	struct bucket **grown;

	if (rates->count < rates->capacity)
		return 0;
	grown = realloc(rates->heap, capacity * sizeof(struct bucket *));
	if (grown == NULL)
		return -1;
	rates->heap = grown;
	rates->capacity = capacity;
	return 0;
}

static struct bucket *find(struct rates *rates, const void *key, size_t len)
{
	struct bucket wanted = {.key = key, .len = len};
	struct bucket **node = tfind(&wanted, &rates->by_key, compare);

	return node != NULL ? *node : NULL;
}

/* Add a full bucket.  NULL without memory. */
static struct bucket *add(struct rates *rates, const void *key, size_t len, int64_t now)
{
	struct bucket *bucket;

	sweep(rates, now, true);
	if (grow(rates) != 0)
		return NULL;
	bucket = malloc(sizeof(*bucket) + len);
	if (bucket == NULL)
		return NULL;
	*bucket = (struct bucket){.level = rates->most, .at = now, .full = now, .len = len};
	bucket->key = memcpy(bucket + 1, key, len);
	if (tsearch(bucket, &rates->by_key, compare) == NULL) {
		free(bucket);
		return NULL;
	}
	put(rates, rates->count++, bucket);
	sift_up(rates, bucket);
	return bucket;
}

/* The ms in which so many parts return, rounded up. */
static int64_t time_of(const struct rates *rates, int64_t parts)
{
	return (parts + rates->rule.count - 1) / rates->rule.count;
}

/* Let the time pass for a bucket. */
static void refill(const struct rates *rates, struct bucket *bucket, int64_t now)
{
	if (now >= bucket->full)
		bucket->level = rates->most;
	else if (now > bucket->at)
		bucket->level += (now - bucket->at) * rates->rule.count;
	if (now > bucket->at)
		bucket->at = now;
}

static void take(struct rates *rates, struct bucket *bucket, uint32_t amount)
{
	bucket->level -= amount * rates->rule.per;
	bucket->full = bucket->at + time_of(rates, rates->most - bucket->level);
	/* It is full later than before. */
	sift_down(rates, bucket);
}

bool rates_take(struct rates *rates, const void *key, size_t len, uint32_t amount, int64_t now,
	int64_t *wait)
{
	struct bucket *bucket;
	bool taken = true;

	pthread_mutex_lock(&rates->lock);
	bucket = find(rates, key, len);
	if (bucket == NULL && amount > 0)
		bucket = add(rates, key, len, now);
	if (bucket != NULL) {
		refill(rates, bucket, now);
		taken = bucket->level >= rates->rule.per;
		if (taken)
			take(rates, bucket, amount);
		else
			*wait = (time_of(rates, rates->rule.per - bucket->level) + 999) / 1000;
		rates->refused += !taken;
	}
	sweep(rates, now, false);
	pthread_mutex_unlock(&rates->lock);
	return taken;
}

void rates_change(struct rates *rates, const struct rates_rule *rule)
{
	struct rates old = {0};

	pthread_mutex_lock(&rates->lock);
	if (rule->count != rates->rule.count || rule->per != rates->rule.per ||
		rule->burst != rates->rule.burst) {
		old.by_key = rates->by_key;
		old.heap = rates->heap;
		old.count = rates->count;
		rates->by_key = NULL;
		rates->heap = NULL;
		rates->count = rates->capacity = 0;
		rates->rule = *rule;
		rates->most = rule->burst * rule->per;
	}
	pthread_mutex_unlock(&rates->lock);
	/* There may be many: nobody waits for them. */
	drop_all(&old);
}

size_t rates_count(struct rates *rates)
{
	size_t count;

	pthread_mutex_lock(&rates->lock);
	count = rates->count;
	pthread_mutex_unlock(&rates->lock);
	return count;
}

uint64_t rates_refused(struct rates *rates)
{
	uint64_t refused;

	pthread_mutex_lock(&rates->lock);
	refused = rates->refused;
	pthread_mutex_unlock(&rates->lock);
	return refused;
}

void rates_free(struct rates *rates)
{
	if (rates == NULL)
		return;
	drop_all(rates);
	pthread_mutex_destroy(&rates->lock);
	free(rates);
}
