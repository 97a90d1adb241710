/* SPDX-License-Identifier: MIT */
/* What the server counts of itself; see metrics.h. */
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "api.h"
#include "base/counter.h"
#include "base/rate_rules.h"
#include "base/rates.h"
#include "buf.h"
#include "clock.h"
#include "cluster/cluster.h"
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

/* All but what others say. */
static void read_own(const struct metrics_sources *sources, struct metrics_sum *sum)
{
	uint64_t own;

	*sum = (struct metrics_sum){
		.nodes = -1,
		.nodes_streams = -1,
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
		sum->for_topics += http_requests_for_topics(sources->https[i]);
		sum->delivered += counter_read(&fanout->delivered);
		sum->handshakes += (int64_t)http_handshakes(sources->https[i]);
		sum->handshake_failures += (int64_t)http_handshake_failures(sources->https[i]);
	}
	own = (uint64_t)sources->fanouts->system_readers;
	sum->streams -= own < sum->streams ? own : sum->streams;
	if (sources->certificates == NULL)
		sum->handshakes = sum->handshake_failures = -1;
	window_use(sources->window, &sum->window_bytes, &sum->window_events);
	sources->store->ops->size(sources->store, &sum->database_bytes, &sum->database_events);
}

void metrics_read(const struct metrics_sources *sources, struct metrics_sum *sum)
{
	struct node_figures others[CLUSTER_NODES_MAX];
	size_t count;

	read_own(sources, sum);
	if (sources->cluster == NULL)
		return;
	count = cluster_others(sources->cluster, others, CLUSTER_NODES_MAX);
	sum->nodes = (int64_t)count + 1;
	sum->nodes_streams = (int64_t)sum->streams;
	for (size_t i = 0; i < count; i++)
		sum->nodes_streams += (int64_t)others[i].streams;
}

void metrics_node(const struct metrics_sources *sources, struct node_figures *node)
{
	struct metrics_sum sum;

	read_own(sources, &sum);
	*node = (struct node_figures){.version = SSE_TOOLS_VERSION,
		.uptime = sum.uptime,
		.streams = sum.streams,
		.behind = sum.behind,
		.requests = sum.for_topics,
		.delivered = sum.delivered};
	memcpy(node->name, sources->node, sizeof(node->name));
}

size_t metrics_nodes(const struct metrics_sources *sources, struct node_figures *nodes)
{
	if (sources->cluster == NULL)
		return 0;
	metrics_node(sources, &nodes[0]);
	return 1 + cluster_others(sources->cluster, nodes + 1, CLUSTER_NODES_MAX - 1);
}

/* --- for Prometheus --- */

struct row {
	const char *name, *type, *help;
	size_t offset; /* in struct metrics_sum, where all are 8 bytes */
};

#define OF(field) offsetof(struct metrics_sum, field)

static const struct row rows[] = {
	{"sse_uptime_seconds", "gauge", "Seconds since the server started.", OF(uptime)},
	{"sse_streams", "gauge", "Open streams, other than of $sys.", OF(streams)},
	{"sse_streams_behind", "gauge", "Open streams that have not received all events yet.",
		OF(behind)},
	{"sse_names", "gauge", "Names that are present, or leaving.", OF(names)},
	{"sse_topics", "gauge", "Known topics.", OF(topics)},
	{"sse_requests_total", "counter", "HTTP requests.", OF(requests)},
	{"sse_events_published_total", "counter", "Events received.", OF(published)},
	{"sse_events_delivered_total", "counter", "Events sent, once for each stream.",
		OF(delivered)},
	{"sse_window_bytes", "gauge", "Bytes of events in the window.", OF(window_bytes)},
	{"sse_window_capacity_bytes", "gauge", "Bytes that the window can hold.", OF(window_cap)},
	{"sse_window_events", "gauge", "Events in the window.", OF(window_events)},
	{"sse_database_bytes", "gauge", "Size of the database's files.", OF(database_bytes)},
	{"sse_database_events", "gauge", "Events that are stored.", OF(database_events)},
	{"sse_tls_handshakes_total", "counter", "TLS handshakes that succeeded.", OF(handshakes)},
	{"sse_tls_handshake_failures_total", "counter", "TLS handshakes that failed.",
		OF(handshake_failures)},
	{"sse_certificate_days_left", "gauge", "Days until the TLS certificate expires.",
		OF(certificate_days)},
	{"sse_cluster_nodes", "gauge", "Nodes of the cluster that live, with this one.", OF(nodes)},
	{"sse_cluster_streams", "gauge", "Open streams of all these nodes.", OF(nodes_streams)},
};

static bool add_row(struct buf *out, const struct row *row, const struct metrics_sum *sum)
{
	int64_t value = *(const int64_t *)(const void *)((const char *)sum + row->offset);

	/* Leave out the values that are not known. */
	return value < 0 || buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n%s %" PRId64 "\n", row->name,
				    row->help, row->name, row->type, row->name, value);
}

/* A histogram of the times that ${sum} has: each bucket counts what is in those before it too. */
static bool add_times(
	struct buf *out, const char *name, const char *help, const struct counter_sum *sum)
{
	uint64_t count = 0;

	if (!buf_addf(out, "# HELP %s %s\n# TYPE %s histogram\n", name, help, name))
		return false;
	for (int i = 0; i < COUNTER_BOUNDS; i++) {
		count += sum->buckets[i];
		if (!buf_addf(out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
			    (double)counter_bounds[i] / 1e6, count))
			return false;
	}
	count += sum->buckets[COUNTER_BOUNDS];
	return buf_addf(out,
		"%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %" PRIu64 ".%06" PRIu64
		"\n%s_count %" PRIu64 "\n",
		name, count, name, sum->total / 1000000, sum->total % 1000000, name, count);
}

static bool add_histograms(const struct metrics_sources *sources, struct buf *out)
{
	struct counter_sum sync = {0}, stored = {0}, sent = {0}, took = {0};

	counter_add_times(&sync, &sources->store->sync);
	counter_add_times(&stored, &log_thread_counts(sources->log_thread)->took);
	for (unsigned i = 0; i < sources->fanouts->count; i++) {
		counter_add_times(&sent, &sources->fanouts->all[i]->sent);
		counter_add_times(&took, http_took(sources->https[i]));
	}
	return add_times(
		       out, "sse_sync_seconds", "Time to make a batch of events durable.", &sync) &&
	       add_times(out, "sse_publish_seconds",
		       "Time from a complete POST until its events are stored.", &stored) &&
	       add_times(out, "sse_publish_sent_seconds",
		       "Time from a complete POST until its events are sent to the streams of a "
		       "loop that have caught up, of one POST of each pass.",
		       &sent) &&
	       add_times(out, "sse_request_seconds",
		       "Time from the head of a request to the end of its answer, or until it is a "
		       "stream.",
		       &took);
}

static bool add_help(struct buf *out, const char *name, const char *help)
{
	return buf_addf(out, "# HELP %s %s\n# TYPE %s counter\n", name, help, name);
}

static bool add_answers(const struct metrics_sources *sources, struct buf *out)
{
	bool added = add_help(out, "sse_responses_total", "Answers to requests, by status.");

	for (unsigned status = 100; status < 600 && added; status++) {
		uint64_t count = 0;

		for (unsigned i = 0; i < sources->fanouts->count; i++)
			count += http_answers(sources->https[i], status);
		if (count > 0)
			added = buf_addf(out, "sse_responses_total{code=\"%u\"} %" PRIu64 "\n",
				status, count);
	}
	return added;
}

static bool add_endings(const struct metrics_sources *sources, struct buf *out)
{
	bool added = add_help(out, "sse_streams_ended_total", "Streams that ended, by reason.");

	for (int end = 0; end < STREAM_ENDS && added; end++) {
		uint64_t count = 0;

		for (unsigned i = 0; i < sources->fanouts->count; i++)
			count += counter_read(&sources->fanouts->all[i]->endings[end]);
		added = buf_addf(out, "sse_streams_ended_total{reason=\"%s\"} %" PRIu64 "\n",
			stream_end_word((enum stream_end)end), count);
	}
	return added;
}

static bool add_refused(struct buf *out, const char *kind, struct rates *rates)
{
	return rates == NULL || buf_addf(out, "sse_rate_limited_total{kind=\"%s\"} %" PRIu64 "\n",
					kind, rates_refused(rates));
}

static bool add_limited(const struct metrics_sources *sources, struct buf *out)
{
	return add_help(out, "sse_rate_limited_total",
		       "Requests refused because their client sent too many, by kind of limit.") &&
	       add_refused(out, "publish", sources->rates[RATE_PUBLISH]) &&
	       add_refused(out, "stream", sources->rates[RATE_STREAM]) &&
	       add_refused(out, "wrong_proof", sources->wrong_proofs);
}

static bool write_metrics(const struct metrics_sources *sources, struct buf *out)
{
	struct metrics_sum sum;

	metrics_read(sources, &sum);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!add_row(out, &rows[i], &sum))
			return false;
	}
	return add_histograms(sources, out) && add_answers(sources, out) &&
	       add_endings(sources, out) && add_limited(sources, out) &&
	       buf_addf(out,
		       "# HELP sse_build_info The version, and that of the HTTP library.\n"
		       "# TYPE sse_build_info gauge\n"
		       "sse_build_info{version=\"" SSE_TOOLS_VERSION "\",libmicrohttpd=\"%s\"} 1\n",
		       http_library_version());
}

void metrics_run(struct request *request)
{
	struct buf out;

	buf_init(&out, 128 << 10);
	if (write_metrics(api_of(request)->metrics, &out))
		request_reply(request, 200, "text/plain; version=0.0.4; charset=utf-8", out.data,
			out.len);
	else
		request_problem(request, 503, "out of memory; try again later");
	request_add_header(request, "Cache-Control", "no-store");
	buf_free(&out);
}
