/* SPDX-License-Identifier: MIT */
/* What a node took from a shared log; see trail.h. */
#include "hash.h"
#include "trail.h"

/* A message begins with an id that no other has. */
#define HEAD_BYTES 100

void trail_add(struct trail *trail, uint64_t sequence, int64_t time, const void *data, size_t len)
{
	uint64_t hash = hash_fnv1a(HASH_START, &time, sizeof(time));

	hash = hash_fnv1a(hash, data, len < HEAD_BYTES ? len : HEAD_BYTES);
	if (trail->first == 0 || sequence != trail->last + 1)
		trail->first = sequence;
	trail->last = sequence;
	trail->messages[sequence % TRAIL_KEPT] = (uint32_t)(hash ^ hash >> 32);
}

bool trail_hash(const struct trail *trail, uint64_t sequence, uint32_t *hash)
{
	uint64_t sum = HASH_START;

	if (trail->first == 0 || sequence > trail->last ||
		sequence < trail->first + TRAIL_HASHED - 1 ||
		sequence + TRAIL_KEPT < trail->last + TRAIL_HASHED)
		return false;
	for (uint64_t i = sequence - TRAIL_HASHED + 1; i <= sequence; i++)
		sum = hash_fnv1a(sum, &trail->messages[i % TRAIL_KEPT], sizeof(uint32_t));
	*hash = (uint32_t)(sum ^ sum >> 32);
	return true;
}
