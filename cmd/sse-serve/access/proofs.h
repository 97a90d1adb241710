/* SPDX-License-Identifier: MIT */
/*
 * Accepted proofs by their digests, each for a limited time: open sessions, tickets, and JWTs whose
 * signature was verified.  A table holds a limited number.  No locks: the caller has one.
 */
#ifndef PROOFS_H
#define PROOFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "principal.h"
#include "token.h"

struct proof {
	unsigned char digest[TOKEN_DIGEST];
	struct principal *principal; /* held */
	int64_t expires;	     /* ms since the epoch */
	const void *owner;	     /* the principal that it was made for; only compared */
	char *binding;		     /* the only place where it counts; owned; NULL: everywhere */
	struct proof *older, *newer;
};

struct proofs {
	void *tree; /* tsearch, by the digest */
	struct proof *oldest, *newest;
	size_t count, max;
	size_t max_each;     /* the most of one owner; 0: as many as fit */
	const char *evicted; /* why the principal of a removed proof ends; NULL: it does not */
	uint64_t ended;	     /* how many have ended for that reason */
};

/* proofs_init(proofs, max, max_each, evicted): an empty table, which takes no memory. */
void proofs_init(struct proofs *proofs, size_t max, size_t max_each, const char *evicted);

/*
 * proofs_add(proofs, proof, now):
 * Add a copy of a proof whose digest is not in the table; the principal is held, the binding
 * copied.  To make room, the oldest of the same owner is removed, or those that are no longer
 * valid, or the oldest of all.  Return 0, or -1 without memory.
 */
int proofs_add(struct proofs *proofs, const struct proof *proof, int64_t now);

/*
 * proofs_find(proofs, digest, now):
 * Return the proof, which still belongs to the table; or NULL if it is not there.  A proof that is
 * no longer valid is removed.
 */
struct proof *proofs_find(
	struct proofs *proofs, const unsigned char digest[TOKEN_DIGEST], int64_t now);

/* proofs_remove(proofs, proof): remove a proof, so that it no longer counts. */
void proofs_remove(struct proofs *proofs, struct proof *proof);

/* proofs_free(proofs): remove all. */
void proofs_free(struct proofs *proofs);

#endif
