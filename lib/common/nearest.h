/* SPDX-License-Identifier: MIT */
/*
 * The known name that is nearest to a misspelt word.  Offer the names one after the other:
 *
 *     struct nearest nearest;
 *
 *     nearest_start(&nearest, word, len);
 *     for (...)
 *         nearest_offer(&nearest, name);
 *     if (nearest.name != NULL)
 *         ... did you mean
 */
#ifndef NEAREST_H
#define NEAREST_H

#include <stddef.h>

struct nearest {
	const char *name; /* the nearest offered so far; NULL while no name is near enough */
	const char *word;
	size_t len, far; /* a name has to be nearer than this */
};

/*
 * nearest_start(nearest, word, len): begin with the first ${len} bytes of ${word}, which must stay
 * valid.
 */
void nearest_start(struct nearest *nearest, const char *word, size_t len);

/*
 * nearest_offer(nearest, name):
 * Take ${name}, which must stay valid, if it is nearer than the names before it: if fewer letters
 * have to be changed, added or removed.  A name that begins with the word, of 3 letters or more,
 * counts as one letter away.
 */
void nearest_offer(struct nearest *nearest, const char *name);

#endif
