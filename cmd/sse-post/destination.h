/* SPDX-License-Identifier: MIT */
/* The server that events are sent to, and what sse-post has learned about it. */
#ifndef DESTINATION_H
#define DESTINATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "client_url.h"
#include "error.h"
#include "options.h"

struct destination {
	struct client_url url;	/* without the query that a request adds */
	enum batching batching; /* BATCHING_AUTO: not known yet */
	size_t batch_bytes;	/* that the server accepts; smaller after a 413 */
	bool batches_seen;	/* a batch was answered with a result for each event */
	bool trouble_told;	/* to a user at a terminal, */
	bool silence_told;	/* and this, too */
	int64_t not_before;	/* a moment that the server named in Retry-After */
};

/*
 * destination_open(destination, operand, options, error):
 * 0, or -1: EX_USAGE.  destination_close() frees, also after a failure.
 */
int destination_open(struct destination *destination, const char *operand,
	const struct options *options, struct error *error);
void destination_close(struct destination *destination);

/*
 * destination_tell_trouble(destination, client, reason, ms):
 * The server is away, and will be tried again for up to ${ms}.  Tell a user at a terminal once why
 * nothing happens; a script needs only the result.
 */
void destination_tell_trouble(struct destination *destination, const struct client *client,
	const char *reason, int64_t ms);

/*
 * destination_tell_silence(destination, client, ms):
 * The server has not answered yet, and may take ${ms} more.  Tell a user at a terminal once, and
 * with -v each time.
 */
void destination_tell_silence(
	struct destination *destination, const struct client *client, int64_t ms);

#endif
