/* SPDX-License-Identifier: MIT */
/* Connections that post numbered events, one in flight on each. */
#ifndef PUBLISHERS_H
#define PUBLISHERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "histogram.h"
#include "net.h"
#include "options.h"

#define PUBLISHER_ANSWER 4096 /* the most bytes of an answer, and of a record of TLS */

struct publisher {
	struct source source;
	unsigned index;
	bool busy;
	uint64_t sent;
	char *request;
	size_t size;	 /* of the request */
	size_t event;	 /* where in it the event's data stand */
	size_t answered; /* bytes of the answer */
	char answer[PUBLISHER_ANSWER];
};

struct publishers {
	const struct options *options;
	struct publisher *all;
	size_t count, busy;
	uint32_t *published; /* [publisher] */
	uint64_t total;	     /* published in all */
	uint64_t refused;
	struct histogram answers; /* how long they took */
};

/* publishers_init(publishers, options, epoll, error): connect all. */
int publishers_init(struct publishers *publishers, const struct options *options, int epoll,
	struct error *error);

/* publishers_aim(publishers, path): from now on events are posted there; none is in flight. */
void publishers_aim(struct publishers *publishers, const char *path);

/*
 * publishers_send(publishers, publisher, when):
 * Post its next event, which was due at ${when}.  A connection that breaks ends the program: what
 * became of the event is unknown.
 */
void publishers_send(struct publishers *publishers, struct publisher *publisher, uint64_t when);

/*
 * publishers_read(publishers, publisher):
 * Read the answer; true if it is whole.  The number of an event that was refused is used again.
 */
bool publishers_read(struct publishers *publishers, struct publisher *publisher);

/* publishers_free(publishers): close all. */
void publishers_free(struct publishers *publishers);

#endif
