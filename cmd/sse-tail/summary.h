/* SPDX-License-Identifier: MIT */
/* The counts that -v prints at the end. */
#ifndef SUMMARY_H
#define SUMMARY_H

#include <stdint.h>

#include "buf.h"
#include "client.h"
#include "sse.h"

/* How many types are counted separately; the others are counted together. */
#define SUMMARY_TYPES 16

struct summary {
	struct summary_type {
		char name[40]; /* cut, and escaped */
		uint64_t hash, count;
	} types[SUMMARY_TYPES];
	size_t type_count;
	uint64_t events, others, bytes, streams;
	int64_t began; /* a moment of clock_now_ms() */
	struct buf id; /* of the last event */
};

/* summary_init(summary) / summary_free(summary) */
void summary_init(struct summary *summary);
void summary_free(struct summary *summary);

/* An event came; a piece of the stream came, after which the last id is this; a stream began. */
void summary_event(struct summary *summary, struct sse_text type);
void summary_piece(struct summary *summary, size_t len, struct sse_text last_id);
void summary_opened(struct summary *summary);

/*
 * summary_say(summary, client, targets, plain):
 * Print the counts, and how to resume; ${targets} are the operands, with NULL at their end.  Unless
 * it is a ${plain} request, print what to add to the command.
 */
void summary_say(const struct summary *summary, const struct client *client, char *const *targets,
	bool plain);

#endif
