/* SPDX-License-Identifier: MIT */
/*
 * The newest messages of a shared log that a node took, as a hash: two nodes that took the same messages
 * have the same hash, so a node that tells its own lets another one notice that it has others.
 */
#ifndef TRAIL_H
#define TRAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many messages go into a hash, and for so many sequences it can be had. */
#define TRAIL_HASHED 256
#define TRAIL_KEPT 4096

struct trail {
	uint32_t messages[TRAIL_KEPT]; /* a hash of each, by its sequence */
	uint64_t first, last;	       /* sequences; 0: none */
};

/*
 * trail_add(trail, sequence, time, data, len): the next message, with the time of NATS in ms.  A sequence that
 * does not follow the one before begins a new trail.
 */
void trail_add(struct trail *trail, uint64_t sequence, int64_t time, const void *data, size_t len);

/* trail_hash(trail, sequence, hash): of the messages up to this one.  False if too few are known. */
bool trail_hash(const struct trail *trail, uint64_t sequence, uint32_t *hash);

#endif
