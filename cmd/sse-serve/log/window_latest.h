/* SPDX-License-Identifier: MIT */
/* The newest events of subjects in a window that is the log. */
#ifndef WINDOW_LATEST_H
#define WINDOW_LATEST_H

#include <stdint.h>

#include "positions.h"
#include "topic.h"
#include "window.h"

/*
 * window_latest(window, topics, from, after, upto, positions):
 * Add the position of the newest event up to ${upto} of each subject of these topics, if it is after
 * ${after} and its entry not before ${from}, which is announced; the newest first.  Return 0, or -1
 * without memory.
 */
int window_latest(const struct window *window, const struct topic_set *topics, uint64_t from,
	uint64_t after, uint64_t upto, struct positions *positions);

#endif
