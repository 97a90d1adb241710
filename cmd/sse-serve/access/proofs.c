/* SPDX-License-Identifier: MIT */
/* Proofs that were accepted; see proofs.h. */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "proofs.h"

/* The digest is the first member. */
static int compare(const void *a, const void *b)
{
	return memcmp(a, b, TOKEN_DIGEST);
}

void proofs_init(struct proofs *proofs, size_t max, size_t max_each, const char *evicted)
{
	*proofs = (struct proofs){.max = max, .max_each = max_each, .evicted = evicted};
}

void proofs_remove(struct proofs *proofs, struct proof *proof)
{
	tdelete(proof, &proofs->tree, compare);
	if (proof->older != NULL)
		proof->older->newer = proof->newer;
	else
		proofs->oldest = proof->newer;
	if (proof->newer != NULL)
		proof->newer->older = proof->older;
	else
		proofs->newest = proof->older;
	proofs->count--;
	principal_drop(proof->principal);
	free(proof->binding);
	free(proof);
}

static bool is_valid(const struct proof *proof, int64_t now)
{
	return now < proof->expires && principal_over(proof->principal, now) == NULL;
}

static void remove_invalid(struct proofs *proofs, int64_t now)
{
	for (struct proof *proof = proofs->oldest, *next; proof != NULL; proof = next) {
		next = proof->newer;
		if (!is_valid(proof, now))
			proofs_remove(proofs, proof);
	}
}

static void evict(struct proofs *proofs, struct proof *proof)
{
	if (proofs->evicted != NULL) {
		principal_end(proof->principal, proofs->evicted);
		proofs->ended++;
	}
	proofs_remove(proofs, proof);
}

/* Nobody may use up the room of all others. */
static void evict_of_owner(struct proofs *proofs, const void *owner)
{
	struct proof *oldest = NULL;
	size_t count = 0;

	for (struct proof *proof = proofs->newest; proof != NULL; proof = proof->older) {
		if (proof->owner == owner) {
			oldest = proof;
			count++;
		}
	}
	if (count >= proofs->max_each)
		evict(proofs, oldest);
}

static void make_room(struct proofs *proofs, const void *owner, int64_t now)
{
	if (proofs->max_each > 0)
		evict_of_owner(proofs, owner);
	if (proofs->count < proofs->max)
		return;
	remove_invalid(proofs, now);
	if (proofs->count >= proofs->max)
		evict(proofs, proofs->oldest);
}

int proofs_add(struct proofs *proofs, const struct proof *proof, int64_t now)
{
	struct proof *copy;

	make_room(proofs, proof->owner, now);
	copy = malloc(sizeof(*copy));
	if (copy == NULL)
		return -1;
	*copy = *proof;
	if (proof->binding != NULL && (copy->binding = strdup(proof->binding)) == NULL)
		goto err1;
	if (tsearch(copy, &proofs->tree, compare) == NULL)
		goto err2;
	principal_hold(copy->principal);
	copy->older = proofs->newest;
	copy->newer = NULL;
	if (proofs->newest != NULL)
		proofs->newest->newer = copy;
	else
		proofs->oldest = copy;
	proofs->newest = copy;
	proofs->count++;
	return 0;

err2:
	free(copy->binding);
err1:
	free(copy);
	return -1;
}

struct proof *proofs_find(
	struct proofs *proofs, const unsigned char digest[TOKEN_DIGEST], int64_t now)
{
	struct proof **node = tfind(digest, &proofs->tree, compare);

	if (node == NULL)
		return NULL;
	if (is_valid(*node, now))
		return *node;
	proofs_remove(proofs, *node);
	return NULL;
}

void proofs_free(struct proofs *proofs)
{
	while (proofs->oldest != NULL)
		proofs_remove(proofs, proofs->oldest);
}
