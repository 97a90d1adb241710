/* SPDX-License-Identifier: MIT */
/* The limits on open streams, for each client address and in total. */
#ifndef LIMITS_H
#define LIMITS_H

#include <stdint.h>
#include <sys/socket.h>

/* The streams of one address, as long as there are any. */
struct limits_address;

struct limits;

enum limits_answer { LIMITS_OK, LIMITS_STREAMS, LIMITS_ADDRESS, LIMITS_MEMORY };

/* limits_new(streams, per_address): 0 means no limit.  NULL without memory. */
struct limits *limits_new(int64_t streams, int64_t per_address);

/*
 * limits_set(limits, streams, per_address):
 * From now on, these apply.  Streams that were opened while an address had no limit are not counted
 * for it.  Any thread.
 */
void limits_set(struct limits *limits, int64_t streams, int64_t per_address);

/*
 * limits_admit(limits, address, counted):
 * Count one more stream of the client at ${address} (NULL: a local socket), unless that would be
 * too many.  address_key() says which addresses count as one, and which are not counted.
 * *${counted} is for limits_release(); it may be NULL.  Any thread.
 */
enum limits_answer limits_admit(
	struct limits *limits, const struct sockaddr *address, struct limits_address **counted);

/* limits_release(limits, counted): a stream that was admitted has ended.  Any thread. */
void limits_release(struct limits *limits, struct limits_address *counted);

/* limits_free(limits): takes NULL. */
void limits_free(struct limits *limits);

#endif
