/* SPDX-License-Identifier: MIT */
/*
 * The streams of one loop end one after the other, before the server does, and each is told when
 * to come back.  All on the loop's thread.
 */
#ifndef DRAINING_H
#define DRAINING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/leaving.h"
#include "channel.h"

struct draining {
	const struct leaving *leaving;
	uint32_t began; /* on the loop's clock */
	size_t total;	/* streams that were open then */
};

/*
 * draining_retry(left, spread, random):
 * The ms after which a client comes back: ${left} ms until the server ends, the time of a restart,
 * and a part of ${spread} that ${random}, any number, chooses.
 */
uint32_t draining_retry(uint32_t left, uint32_t spread, uint32_t random);

/* draining_begin(draining, leaving, fanout) */
void draining_begin(
	struct draining *draining, const struct leaving *leaving, const struct fanout *fanout);

/*
 * draining_run(draining, fanout):
 * End the streams whose turn has come, and the waits of polls likewise.  A stream that ends by
 * itself is left alone, and so are all if the span is 0.
 */
void draining_run(const struct draining *draining, struct fanout *fanout);

/*
 * draining_busy(draining, fanout):
 * Is a stream open that should have ended, or will end by itself?
 */
bool draining_busy(const struct draining *draining, const struct fanout *fanout);

#endif
