/* SPDX-License-Identifier: MIT */
/* Making inputs of inputs; see mutate.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "drive.h"
#include "mutate.h"

#define POOL 256

struct input {
	unsigned char bytes[MUTATE_MAX];
	size_t len;
};

static struct input pool[POOL];

static size_t below(struct random *random, size_t limit)
{
	return (size_t)random_below(random, limit);
}

static void insert(struct input *input, size_t max, size_t at, const void *bytes, size_t len)
{
	if (len > max - input->len)
		return;
	memmove(input->bytes + at + len, input->bytes + at, input->len - at);
	memcpy(input->bytes + at, bytes, len);
	input->len += len;
}

static void change(const struct mutate *mutate, struct random *random, struct input *input)
{
	unsigned char copy[MUTATE_MAX];
	size_t at = below(random, input->len + 1), len = below(random, input->len - at + 1);
	const char *piece = mutate->pieces[below(random, mutate->piece_count)];
	const struct input *other = &pool[below(random, POOL)];

	switch (mutate->mutations[below(random, mutate->mutation_count)]) {
	case MUTATE_BYTE:
		if (at < input->len)
			input->bytes[at] = (unsigned char)below(random, 256);
		break;
	case MUTATE_BIT:
		if (at < input->len)
			input->bytes[at] ^= (unsigned char)(1 << below(random, 8));
		break;
	case MUTATE_CUT:
		memmove(input->bytes + at, input->bytes + at + len, input->len - at - len);
		input->len -= len;
		break;
	case MUTATE_REPEAT:
		memcpy(copy, input->bytes + at, len);
		insert(input, mutate->max, at, copy, len);
		break;
	case MUTATE_OTHER:
		insert(input, mutate->max, at, other->bytes, other->len);
		break;
	case MUTATE_START:
		insert(input, mutate->max, at, other->bytes, below(random, other->len + 1));
		break;
	case MUTATE_PIECE:
		insert(input, mutate->max, at, piece, *piece != '\0' ? strlen(piece) : 1);
		break;
	case MUTATE_OWN:
		mutate->own(random, input->bytes, input->len);
		break;
	}
}

static void fill_pool(const struct mutate *mutate)
{
	for (size_t i = 0; i < POOL; i++) {
		const struct sse_text *seed = &mutate->seeds[i % mutate->seed_count];

		pool[i].len = seed->len;
		memcpy(pool[i].bytes, seed->data, seed->len);
	}
}

int mutate_main(const struct mutate *mutate, int argc, char **argv)
{
	static struct input input;
	struct drive drive;
	uint64_t taken = 0;
	int status = drive_start(&drive, mutate->program, argc, argv);

	if (status != 0)
		return status;
	fill_pool(mutate);
	while (drive_goes_on(&drive)) {
		size_t rounds = 1 + below(&drive.random, mutate->rounds);

		input = pool[below(&drive.random, POOL)];
		while (rounds-- > 0)
			change(mutate, &drive.random, &input);
		if (!mutate->check(input.bytes, input.len))
			continue;
		taken++;
		/* Mostly short ones stay: they are quick, and their parts count more. */
		if (input.len <= below(&drive.random, mutate->kept))
			pool[below(&drive.random, POOL)] = input;
	}
	printf("%s: seed %" PRIu64 ": %" PRIu64 " %s, %" PRIu64 " of them %s\n", mutate->program,
		drive.seed, drive.count, mutate->inputs, taken, mutate->taken);
	return 0;
}
