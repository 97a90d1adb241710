/* SPDX-License-Identifier: MIT */
/* Idempotency keys in memory; see idempotency_map.h. */
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "idempotency_map.h"

#define BUCKETS IDEMPOTENCY_MAP_MAX

/* In a bucket the newest comes first, so that it hides one that has expired. */
struct key {
	struct key *in_bucket, *newer, *older;
	const struct topic *topic;
	uint64_t fingerprint, position, hash;
	int64_t time;
	size_t len;
	char text[];
};

struct idempotency_map {
	int64_t window;
	size_t count;
	struct key *newest, *oldest;
	struct key *buckets[BUCKETS];
};

struct idempotency_map *idempotency_map_new(int64_t window)
{
	struct idempotency_map *keys = calloc(1, sizeof(*keys));

	if (keys != NULL)
		keys->window = window;
	return keys;
}

static uint64_t hash_of(const struct store_append *append)
{
	uint64_t hash = hash_fnv1a(
		HASH_START ^ append->event.topic->number, append->key.data, append->key.len);

	return hash ^ hash >> 32;
}

static void drop(struct idempotency_map *keys, struct key *key)
{
	struct key **place = &keys->buckets[key->hash % BUCKETS];

	while (*place != key)
		place = &(*place)->in_bucket;
	*place = key->in_bucket;
	*(key->newer != NULL ? &key->newer->older : &keys->newest) = key->older;
	*(key->older != NULL ? &key->older->newer : &keys->oldest) = key->newer;
	keys->count--;
	free(key);
}

void idempotency_map_free(struct idempotency_map *keys)
{
	while (keys != NULL && keys->newest != NULL)
		drop(keys, keys->newest);
	free(keys);
}

bool idempotency_map_find(struct idempotency_map *keys, struct store_append *append, int64_t now)
{
	uint64_t hash = hash_of(append);
	const struct key *key = keys->buckets[hash % BUCKETS];

	while (key != NULL && (key->hash != hash || key->topic != append->event.topic ||
				      key->len != append->key.len ||
				      memcmp(key->text, append->key.data, key->len) != 0))
		key = key->in_bucket;
	if (key == NULL || key->time <= now - keys->window)
		return false;
	append->event.position = key->position;
	append->event.time = key->time;
	append->duplicate = key->fingerprint == append->fingerprint;
	return true;
}

int idempotency_map_add(struct idempotency_map *keys, const struct store_append *append)
{
	struct key *key = malloc(sizeof(*key) + append->key.len);
	struct key **bucket;

	if (key == NULL)
		return -1;
	*key = (struct key){.topic = append->event.topic,
		.fingerprint = append->fingerprint,
		.position = append->event.position,
		.hash = hash_of(append),
		.time = append->event.time,
		.len = append->key.len};
	memcpy(key->text, append->key.data, append->key.len);
	bucket = &keys->buckets[key->hash % BUCKETS];
	key->in_bucket = *bucket;
	*bucket = key;
	key->older = keys->newest;
	*(keys->newest != NULL ? &keys->newest->newer : &keys->oldest) = key;
	keys->newest = key;
	keys->count++;
	return 0;
}

void idempotency_map_undo(struct idempotency_map *keys, uint64_t position)
{
	while (keys->newest != NULL && keys->newest->position > position)
		drop(keys, keys->newest);
}

void idempotency_map_sweep(struct idempotency_map *keys, int64_t now)
{
	while (keys->oldest != NULL &&
		(keys->count > IDEMPOTENCY_MAP_MAX || keys->oldest->time <= now - keys->window))
		drop(keys, keys->oldest);
}
