/* SPDX-License-Identifier: MIT */
/* The figures of the last ten minutes; see samples.h. */
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#include "api.h"
#include "buf.h"
#include "metrics.h"
#include "samples.h"
#include "timestamp.h"

/* All samples as JSON are smaller. */
#define TEXT_MAX ((size_t)128 << 10)

struct samples {
	pthread_mutex_t lock; /* guards the rest; a leaf */
	uint64_t added;
	struct sample ring[SAMPLES_KEPT]; /* number n is in slot n % SAMPLES_KEPT */
};

struct samples *samples_new(void)
{
	struct samples *samples = calloc(1, sizeof(*samples));

	if (samples != NULL)
		pthread_mutex_init(&samples->lock, NULL);
	return samples;
}

void samples_free(struct samples *samples)
{
	if (samples == NULL)
		return;
	pthread_mutex_destroy(&samples->lock);
	free(samples);
}

void samples_add(struct samples *samples, const struct sample *sample)
{
	pthread_mutex_lock(&samples->lock);
	samples->ring[samples->added++ % SAMPLES_KEPT] = *sample;
	pthread_mutex_unlock(&samples->lock);
}

bool sample_add_times(struct buf *out, const char *name, const struct sample_times *times)
{
	return buf_addf(out,
		",\"%s\":{\"count\":%" PRIu64 ",\"mean\":%" PRIu64 ",\"max\":%" PRIu64 "}", name,
		times->count, times->mean, times->longest);
}

static bool write_sample(struct buf *out, const struct sample *sample)
{
	char time[TIMESTAMP_TEXT];

	return buf_addf(out,
		       "{\"time\":\"%s\",\"uptime\":%" PRIu64 ",\"streams\":%" PRIu64
		       ",\"behind\":%" PRIu64 ",\"published\":%" PRIu64 ",\"delivered\":%" PRIu64
		       ",\"requests\":%" PRIu64,
		       timestamp_format(sample->time, time), sample->uptime, sample->streams,
		       sample->behind, sample->published, sample->delivered, sample->requests) &&
	       sample_add_times(out, "sync_us", &sample->sync) &&
	       sample_add_times(out, "publish_us", &sample->publish) && buf_add_byte(out, '}');
}

bool samples_write(struct samples *samples, struct buf *out)
{
	bool written = buf_add_byte(out, '[');
	uint64_t first;

	pthread_mutex_lock(&samples->lock);
	first = samples->added > SAMPLES_KEPT ? samples->added - SAMPLES_KEPT : 0;
	for (uint64_t n = first; n < samples->added && written; n++)
		written = (n == first || buf_add_text(out, ",\n")) &&
			  write_sample(out, &samples->ring[n % SAMPLES_KEPT]);
	pthread_mutex_unlock(&samples->lock);
	return written && buf_add_text(out, "]\n");
}

void samples_run(struct request *request)
{
	struct buf out;

	buf_init(&out, TEXT_MAX);
	if (samples_write(api_of(request)->metrics->samples, &out))
		request_reply(request, 200, "application/json", out.data, out.len);
	else
		request_problem(request, 503, "out of memory; try again later");
	request_add_header(request, "Cache-Control", "no-store");
	buf_free(&out);
}
