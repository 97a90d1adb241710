/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing without libFuzzer: inputs are mutated, the same ones in the same order for the same seed.
 * Those that were taken take the place of others, so that the next ones get further.
 */
#ifndef MUTATE_H
#define MUTATE_H

#include <stdbool.h>
#include <stddef.h>

#include "../../fault/parts/random.h"
#include "sse.h"

/* The most that an input can have. */
#define MUTATE_MAX 4096

/* MUTATE_SEED(text): a literal, which may hold NULs, as one of the seeds. */
#define MUTATE_SEED(text)                                                                          \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

enum mutation {
	MUTATE_BYTE,   /* change a byte */
	MUTATE_BIT,    /* flip a bit */
	MUTATE_CUT,    /* cut a part out */
	MUTATE_REPEAT, /* repeat a part */
	MUTATE_OTHER,  /* put in another input */
	MUTATE_START,  /* put in the beginning of another input */
	MUTATE_PIECE,  /* put in one of the pieces */
	MUTATE_OWN,    /* do what own() does */
};

/* What is fuzzed, and how.  What would make an input longer than max is not done. */
struct mutate {
	const char *program;
	const char *inputs, *taken; /* as in "fuzz_json: seed 1: 9 INPUTS, 2 of them TAKEN" */
	const struct sse_text *seeds;
	size_t seed_count;
	const char *const *pieces; /* what makes or breaks an input; an empty one is a NUL */
	size_t piece_count;
	const enum mutation *mutations; /* each as often as it is there */
	size_t mutation_count;
	size_t max;    /* an input's length; at most MUTATE_MAX */
	size_t rounds; /* an input is made by 1 up to this many mutations */
	size_t kept;   /* the shorter than this an input is, the likelier it stays */
	/* Change some bytes in place; len may be 0.  NULL without MUTATE_OWN. */
	void (*own)(struct random *random, unsigned char *bytes, size_t len);
	/* Return whether the input was taken; one that shows a bug does not return. */
	bool (*check)(const unsigned char *bytes, size_t len);
};

/* mutate_main(mutate, argc, argv): what the program's main() is to do, and its exit status. */
int mutate_main(const struct mutate *mutate, int argc, char **argv);

#endif
