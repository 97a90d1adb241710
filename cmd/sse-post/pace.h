/* SPDX-License-Identifier: MIT */
/* --rate: how many events may start together, and when the next may.  Pure. */
#ifndef PACE_H
#define PACE_H

#include <stddef.h>
#include <stdint.h>

struct pace {
	double rate;	  /* events a second; 0: as fast as it goes */
	int64_t start_at; /* nothing may start before this moment (ms) */
};

/* pace_at_once(pace, max): how many events, ${max} at most, may go together; at least one. */
size_t pace_at_once(const struct pace *pace, size_t max);

/* pace_start(pace, count, now): ${count} events start at the moment ${now}. */
void pace_start(struct pace *pace, size_t count, int64_t now);

#endif
