/* SPDX-License-Identifier: MIT */
/* What a misspelt word was meant for; see nearest.h. */
#include <string.h>

#include "nearest.h"

/* Longer words are not compared. */
#define WORD_MAX 64

/* How many letters have to be changed, added or removed to get from one word to the other. */
static size_t distance(const char *a, size_t a_len, const char *b)
{
	size_t row[WORD_MAX], b_len = strlen(b);

	if (b_len >= WORD_MAX || a_len >= WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t best = corner + (a[i - 1] != b[j - 1]);

			corner = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[b_len];
}

void nearest_start(struct nearest *nearest, const char *word, size_t len)
{
	*nearest = (struct nearest){.word = word, .len = len, .far = len / 2 < 3 ? len / 2 + 1 : 4};
}

void nearest_offer(struct nearest *nearest, const char *name)
{
	size_t far = distance(nearest->word, nearest->len, name);

	/* A word that was cut short is near too, however much is missing. */
	if (nearest->len >= 3 && strncmp(nearest->word, name, nearest->len) == 0)
		far = 1;
	if (far < nearest->far) {
		nearest->far = far;
		nearest->name = name;
	}
}
