/* SPDX-License-Identifier: MIT */
/*
 * The server's figures over the last ten minutes: a ring of samples, one taken every five seconds,
 * so that a status page that opens shows what happened before.
 */
#ifndef SAMPLES_H
#define SAMPLES_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct request;
struct samples;

/* As many as span ten minutes. */
#define SAMPLES_KEPT 121

/* How long something took since the sample before, in microseconds; all 0 if it did not happen. */
struct sample_times {
	uint64_t count, mean, longest;
};

struct sample {
	int64_t time;	 /* by clock_wall_ms() */
	uint64_t uptime; /* s */
	uint64_t streams, behind;
	uint64_t published, delivered, requests; /* since the start, as $sys counts them */
	struct sample_times sync, publish;
};

/* samples_new(): empty; NULL without memory. */
struct samples *samples_new(void);

/* samples_free(samples): takes NULL. */
void samples_free(struct samples *samples);

/* samples_add(samples, sample): the newest; the oldest makes room for it.  Any thread. */
void samples_add(struct samples *samples, const struct sample *sample);

/* samples_write(samples, out): a JSON array, the oldest first.  False without memory.  Any thread. */
bool samples_write(struct samples *samples, struct buf *out);

/* sample_add_times(out, name, times): such a member of a JSON object, after a comma. */
bool sample_add_times(struct buf *out, const char *name, const struct sample_times *times);

/* GET /api/$sys. */
void samples_run(struct request *request);

#endif
