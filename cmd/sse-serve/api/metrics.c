/* SPDX-License-Identifier: MIT */
/* What the server counts of itself; see metrics.h. */
#include <inttypes.h>
#include <stddef.h>

#include "api.h"
#include "base/counter.h"
#include "buf.h"
#include "clock.h"
#include "http/http.h"
#include "http/request.h"
#include "log/log_thread.h"
#include "log/store.h"
#include "log/topic.h"
#include "log/window.h"
#include "metrics.h"
#include "stream/fanout.h"
#include "stream/presence.h"
#include "tls/certificates.h"

static int64_t days_left(struct certificates *certificates)
{
	int64_t left;

	if (certificates == NULL)
		return -1;
	left = certificates_expire(certificates) - clock_wall_ms() / 1000;
	return left > 0 ? left / 86400 : 0;
}

void metrics_read(const struct metrics_sources *sources, struct metrics_sum *sum)
{
	*sum = (struct metrics_sum){
		.uptime = (clock_now_us() - sources->started) / 1000000,
		.names = (uint64_t)presence_count(sources->presence),
		.topics = topics_known(sources->topics),
		.published = counter_read(&log_thread_counts(sources->log_thread)->published),
		.window_cap = window_size(sources->window),
		.certificate_days = days_left(sources->certificates),
	};
	for (unsigned i = 0; i < sources->fanouts->count; i++) {
		const struct fanout *fanout = sources->fanouts->all[i];

		sum->streams += atomic_load_explicit(&fanout->placed, memory_order_relaxed);
		sum->behind += counter_read(&fanout->behind);
		sum->requests += http_requests(sources->https[i]);
		sum->delivered += counter_read(&fanout->delivered);
	}
	window_use(sources->window, &sum->window_bytes, &sum->window_events);
	sources->store->ops->size(sources->store, &sum->database_bytes, &sum->database_events);
}

/* --- for Prometheus --- */

struct row {
	const char *name, *type, *help;
	size_t offset; /* in struct metrics_sum, where all are 8 bytes */
};

#define OF(field) offsetof(struct metrics_sum, field)

static const struct row rows[] = {
	{"sse_uptime_seconds", "gauge", "Seconds since the server started.", OF(uptime)},
	{"sse_streams", "gauge", "Open streams.", OF(streams)},
	{"sse_streams_behind", "gauge", "Open streams that have not had all events yet.",
		OF(behind)},
	{"sse_names", "gauge", "Names that are present, or leaving.", OF(names)},
	{"sse_topics", "gauge", "Topics that are known.", OF(topics)},
	{"sse_requests_total", "counter", "HTTP requests.", OF(requests)},
	{"sse_events_published_total", "counter", "Events received.", OF(published)},
	{"sse_events_delivered_total", "counter", "Events sent, once for each stream.",
		OF(delivered)},
	{"sse_window_bytes", "gauge", "Bytes of events in the window.", OF(window_bytes)},
	{"sse_window_capacity_bytes", "gauge", "Bytes that the window can hold.", OF(window_cap)},
	{"sse_window_events", "gauge", "Events in the window.", OF(window_events)},
	{"sse_database_bytes", "gauge", "Size of the database's files.", OF(database_bytes)},
	{"sse_database_events", "gauge", "Events that are stored.", OF(database_events)},
	{"sse_certificate_days_left", "gauge", "Days until the TLS certificate expires.",
		OF(certificate_days)},
};

static bool add_row(struct buf *out, const struct row *row, const struct metrics_sum *sum)
{
	int64_t value = *(const int64_t *)(const void *)((const char *)sum + row->offset);

	/* Leave out the values that are not known. */
	return value < 0 || buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n%s %" PRId64 "\n", row->name,
				    row->help, row->name, row->type, row->name, value);
}

static bool add_times(
	struct buf *out, const char *name, const char *help, const struct counter_times *times)
{
	uint64_t total = counter_read(&times->total);

	return buf_addf(out,
		"# HELP %s %s\n# TYPE %s summary\n%s_sum %" PRIu64 ".%06" PRIu64
		"\n%s_count %" PRIu64 "\n",
		name, help, name, name, total / 1000000, total % 1000000, name,
		counter_read(&times->count));
}

static bool write_metrics(const struct metrics_sources *sources, struct buf *out)
{
	struct metrics_sum sum;

	metrics_read(sources, &sum);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!add_row(out, &rows[i], &sum))
			return false;
	}
	return add_times(out, "sse_sync_seconds", "Time to make a batch of events durable.",
		       &sources->store->sync) &&
	       add_times(out, "sse_publish_seconds", "Time from a POST to its answer.",
		       &log_thread_counts(sources->log_thread)->took) &&
	       buf_add_text(out, "# HELP sse_build_info The version.\n# TYPE sse_build_info gauge\n"
				 "sse_build_info{version=\"" SSE_TOOLS_VERSION "\"} 1\n");
}

void metrics_run(struct request *request)
{
	struct buf out;

	buf_init(&out, 64 << 10);
	if (write_metrics(api_of(request)->metrics, &out))
		request_reply(request, 200, "text/plain; version=0.0.4; charset=utf-8", out.data,
			out.len);
	else
		request_problem(request, 503, "out of memory; try again later");
	request_add_header(request, "Cache-Control", "no-store");
	buf_free(&out);
}
