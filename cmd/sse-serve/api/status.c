/* SPDX-License-Identifier: MIT */
/* The server's own topic; see status.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "base/counter.h"
#include "buf.h"
#include "clock.h"
#include "cluster/cluster.h"
#include "json.h"
#include "log/log_thread.h"
#include "log/store.h"
#include "log/topic.h"
#include "metrics.h"
#include "samples.h"
#include "status.h"
#include "stream.h"
#include "stream/fanout.h"
#include "timestamp.h"

#define INTERVAL_MS 1000
#define SAMPLE_MS 5000

/* Topics that an event names. */
#define TOPICS_SHOWN 20

/* An event is smaller. */
#define EVENT_MAX ((size_t)64 << 10)

/* The state of a topic from one event to the next. */
struct activity {
	uint32_t serial; /* of the topic; 0: there is none */
	uint64_t published;
	uint64_t heat; /* how much was published lately: an eighth of it is lost each time */
	uint32_t streams;
};

/* Where times stood the last time, and the longest since. */
struct reading {
	uint64_t count, total, longest;
};

/* Times that are read for the events and, apart from that, for the samples. */
struct timing {
	struct counter_times *times;
	struct reading event, sample;
};

struct status {
	struct publish publish; /* first */
	struct store_append append;
	const struct metrics_sources *sources;
	struct topics *known;
	bool busy;   /* the event is with the log thread */
	bool active; /* a client reads the topic */
	uint32_t due, sample_due;
	struct buf data;
	struct activity *topics; /* by number; owned */
	uint32_t *streams;	 /* by number; owned */
	uint32_t count;
	struct timing sync, publishing;
};

static void back(struct message *message)
{
	((struct status *)message)->busy = false;
}

struct status *status_new(
	const struct metrics_sources *sources, struct topics *topics, struct mailbox *mailbox)
{
	struct status *status = calloc(1, sizeof(*status));

	if (status == NULL)
		return NULL;
	status->sources = sources;
	status->known = topics;
	status->sample_due = (uint32_t)clock_now_ms();
	status->sync.times = &sources->store->sync;
	status->publishing.times = &log_thread_counts(sources->log_thread)->took;
	status->publish.message.handle = back;
	status->publish.mailbox = mailbox;
	status->publish.bytes = sizeof(*status);
	status->publish.group = (struct store_group){.appends = &status->append, .count = 1};
	buf_init(&status->data, EVENT_MAX);
	return status;
}

void status_free(struct status *status)
{
	if (status == NULL)
		return;
	buf_free(&status->data);
	free(status->topics);
	free(status->streams);
	free(status);
}

/* --- topics --- */

static int grow(struct status *status, uint32_t count)
{
	struct activity *topics = realloc(status->topics, count * sizeof(*topics));
	uint32_t *streams;

	if (topics == NULL)
		return -1;
	status->topics = topics;
	streams = realloc(status->streams, count * sizeof(*streams));
	if (streams == NULL)
		return -1;
	status->streams = streams;
	memset(topics + status->count, 0, (count - status->count) * sizeof(*topics));
	status->count = count;
	return 0;
}

static void look_at_topic(struct activity *one, const struct topic *topic, uint32_t streams)
{
	uint64_t published = atomic_load_explicit(&topic->published, memory_order_relaxed);

	/* A forgotten topic had its number before. */
	if (one->serial != topic->serial)
		*one = (struct activity){.serial = topic->serial};
	one->heat += ((published - one->published) << 16) - one->heat / 8;
	one->published = published;
	one->streams = topic_is_system(topic->name) ? 0 : streams;
}

/* Look at all topics: what was published since, and how many streams read them now. */
static int look_at_topics(struct status *status)
{
	uint32_t count = topics_count(status->known);

	if (count > status->count && grow(status, count) != 0)
		return -1;
	if (status->count > 0)
		fanout_count_streams(status->sources->fanouts, status->streams, status->count);
	for (uint32_t i = 0; i < status->count; i++) {
		struct topic *topic = topics_hold(status->known, i);

		if (topic == NULL) {
			status->topics[i] = (struct activity){0};
			continue;
		}
		look_at_topic(&status->topics[i], topic, status->streams[i]);
		topic_drop(topic);
	}
	return 0;
}

static bool is_more_active(const struct activity *a, const struct activity *b)
{
	if (a->heat != b->heat)
		return a->heat > b->heat;
	return a->streams != b->streams ? a->streams > b->streams : a->published > b->published;
}

/* The numbers of the most active topics, the most active first.  Return how many there are. */
static size_t most_active(const struct status *status, uint32_t numbers[TOPICS_SHOWN])
{
	size_t count = 0;

	for (uint32_t i = 0; i < status->count; i++) {
		const struct activity *one = &status->topics[i];
		size_t place = count;

		if (one->published == 0 && one->streams == 0)
			continue;
		while (place > 0 && is_more_active(one, &status->topics[numbers[place - 1]]))
			place--;
		if (place == TOPICS_SHOWN)
			continue;
		count += count < TOPICS_SHOWN;
		memmove(numbers + place + 1, numbers + place,
			(count - place - 1) * sizeof(*numbers));
		numbers[place] = i;
	}
	return count;
}

static bool add_topics(struct status *status)
{
	uint32_t numbers[TOPICS_SHOWN];
	struct buf *out = &status->data;
	size_t count, begin = out->len;
	bool added = look_at_topics(status) == 0;

	count = added ? most_active(status, numbers) : 0;
	for (size_t i = 0; i < count && added; i++) {
		const struct activity *one = &status->topics[numbers[i]];
		struct topic *topic = topics_hold(status->known, numbers[i]);

		/* It may be forgotten since. */
		if (topic == NULL)
			continue;
		if (topic->serial == one->serial)
			added = buf_addf(out,
				"%s{\"topic\":\"%s\",\"streams\":%" PRIu32 ",\"published\":%" PRIu64
				"}",
				out->len > begin ? "," : "", topic->name, one->streams,
				one->published);
		topic_drop(topic);
	}
	return added;
}

/* --- the event --- */

static void note_longest(struct reading *reading, uint64_t longest)
{
	if (reading->longest < longest)
		reading->longest = longest;
}

/* What happened since ${last}, one of the timing's readings, which then begins anew. */
static struct sample_times take_times(struct timing *timing, struct reading *last)
{
	uint64_t longest =
		atomic_exchange_explicit(&timing->times->longest, 0, memory_order_relaxed);
	struct reading now = {
		counter_read(&timing->times->count), counter_read(&timing->times->total), 0};
	struct sample_times taken = {.count = now.count - last->count};

	note_longest(&timing->event, longest);
	note_longest(&timing->sample, longest);
	if (taken.count > 0) {
		taken.mean = (now.total - last->total) / taken.count;
		taken.longest = last->longest;
	}
	*last = now;
	return taken;
}

static bool add_times(struct buf *out, const char *name, struct timing *timing)
{
	struct sample_times taken = take_times(timing, &timing->event);

	return sample_add_times(out, name, &taken);
}

static bool add_sizes(struct buf *out, const struct metrics_sum *sum)
{
	return buf_addf(out,
		       "\"window\":{\"bytes\":%" PRIu64 ",\"cap\":%" PRIu64 ",\"events\":%" PRIu64
		       "},\"database\":{\"bytes\":%" PRId64 ",\"events\":",
		       sum->window_bytes, sum->window_cap, sum->window_events,
		       sum->database_bytes) &&
	       (sum->database_events < 0 ? buf_add_text(out, "null}")
					 : buf_addf(out, "%" PRId64 "}", sum->database_events));
}

static bool add_node(struct buf *out, const struct node_figures *node, bool first)
{
	return buf_add_text(out, first ? "{\"node\":" : ",{\"node\":") &&
	       json_quote(node->name, strlen(node->name), out) &&
	       buf_add_text(out, ",\"version\":") &&
	       json_quote(node->version, strlen(node->version), out) &&
	       buf_addf(out,
		       ",\"uptime\":%" PRIu64 ",\"streams\":%" PRIu64 ",\"behind\":%" PRIu64
		       ",\"requests\":%" PRIu64 ",\"delivered\":%" PRIu64 "}",
		       node->uptime, node->streams, node->behind, node->requests, node->delivered);
}

/* Only in a cluster: which node this is, and all of them. */
static bool add_nodes(struct buf *out, const struct metrics_sources *sources)
{
	struct node_figures nodes[CLUSTER_NODES_MAX];
	size_t count = metrics_nodes(sources, nodes);
	bool added = true;

	if (count == 0)
		return true;
	added = buf_add_text(out, ",\"node\":") &&
		json_quote(nodes[0].name, strlen(nodes[0].name), out) &&
		buf_add_text(out, ",\"nodes\":[");
	for (size_t i = 0; i < count && added; i++)
		added = add_node(out, &nodes[i], i == 0);
	return added && buf_add_byte(out, ']');
}

static bool write_event(struct status *status)
{
	const struct metrics_sources *sources = status->sources;
	struct buf *out = &status->data;
	struct metrics_sum sum;
	char time[TIMESTAMP_TEXT];

	metrics_read(sources, &sum);
	out->len = 0;
	return buf_addf(out,
		       "{\"time\":\"%s\",\"uptime\":%" PRIu64 ",\"version\":\"" SSE_TOOLS_VERSION
		       "\",\"streams\":%" PRIu64 ",\"behind\":%" PRIu64 ",\"names\":%" PRIu64
		       ",\"published\":%" PRIu64 ",\"delivered\":%" PRIu64 ",\"requests\":%" PRIu64
		       ",\"topics\":[",
		       timestamp_format(clock_wall_ms(), time), sum.uptime, sum.streams, sum.behind,
		       sum.names, sum.published, sum.delivered, sum.for_topics) &&
	       add_topics(status) && buf_add_text(out, "],") && add_sizes(out, &sum) &&
	       add_times(out, "sync_us", &status->sync) &&
	       add_times(out, "publish_us", &status->publishing) && add_nodes(out, sources) &&
	       buf_add_byte(out, '}');
}

/* The first reader gets it at once, with times from now on. */
static void wake_up(struct status *status, uint32_t now)
{
	status->due = now;
	take_times(&status->sync, &status->sync.event);
	take_times(&status->publishing, &status->publishing.event);
}

static void send_event(struct status *status)
{
	if (status->busy || log_thread_draining(status->sources->log_thread) ||
		!write_event(status))
		return;
	status->append = (struct store_append){.topic = TOPIC_SYSTEM,
		.event = {.json = true,
			.ephemeral = true,
			.type = {"stats", 5},
			.data = {status->data.data, status->data.len}}};
	status->busy = log_thread_submit(status->sources->log_thread, &status->publish);
}

static void take_sample(struct status *status)
{
	struct metrics_sum sum;

	metrics_read(status->sources, &sum);
	samples_add(status->sources->samples,
		&(struct sample){.time = clock_wall_ms(),
			.uptime = sum.uptime,
			.streams = sum.streams,
			.behind = sum.behind,
			.published = sum.published,
			.delivered = sum.delivered,
			.requests = sum.for_topics,
			.sync = take_times(&status->sync, &status->sync.sample),
			.publish = take_times(&status->publishing, &status->publishing.sample)});
}

int status_run(struct status *status, uint32_t now)
{
	bool read = status->sources->fanouts->system_readers > 0;
	int next;

	if (clock_due(&status->sample_due, SAMPLE_MS, now))
		take_sample(status);
	if (read && !status->active)
		wake_up(status, now);
	status->active = read;
	if (read && clock_due(&status->due, INTERVAL_MS, now))
		send_event(status);
	next = (int)(status->sample_due - now);
	return read && (int)(status->due - now) < next ? (int)(status->due - now) : next;
}

bool status_busy(const struct status *status)
{
	return status->busy;
}

/* --- requests --- */

void status_check(struct request *request)
{
	/* With access control, the guard has checked the proof (VERB_STATUS). */
	if (request_access(request) == NULL && !api_of(request)->open_status &&
		!request_is_local(request))
		request_problem(request, 403,
			"the server's figures are only for clients on its machine; the operator can show "
			"them to everyone with --open-status");
}

void status_check_stream(struct request *request)
{
	status_check(request);
	if (!request_answered(request))
		stream_check(request);
}

void status_refuse(struct request *request)
{
	request_problem(request, 404,
		"$sys has only a stream, GET /api/$sys/event, and samples, GET /api/$sys");
}
