/* SPDX-License-Identifier: MIT */
/* The modes; see mode.h.  What they print is for awk as well as for people. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "mode.h"
#include "run.h"
#include "visits.h"

#define SUMMARY_SIZE 1000
#define QUIET_MS 100 /* at the end: what comes yet, came twice */
/* One stream in so many is open before the memory of the others is measured: what a server needs
 * for opening alone, however many there are, is not a stream's. */
#define BASE_SHARE 10
#define LULL_MS 20    /* a server that has slept for so long is done */
#define IDLE_MS 10000 /* if --time is not given */

/* --- reports --- */

static double each(uint64_t amount, uint64_t count)
{
	return count > 0 ? (double)amount / (double)count : 0;
}

static void report_latency(const char *what, const struct histogram *histogram)
{
	static const struct {
		const char *name;
		double share;
	} points[] = {{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}};

	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		printf("%s_%s_us %.1f\n", what, points[i].name,
			(double)histogram_at(histogram, points[i].share) / 1e3);
	printf("%s_max_us %.1f\n", what, (double)histogram->max / 1e3);
}

static void report_phase(const struct run *run, const struct figures *figures)
{
	double seconds = (double)figures->wall / 1e9;

	printf("posts %" PRIu64 "\n", figures->posts);
	printf("posts_per_s %.1f\n", (double)figures->posts / seconds);
	printf("deliveries %" PRIu64 "\n", figures->received);
	printf("deliveries_per_s %.1f\n", (double)figures->received / seconds);
	printf("wall_us_per_event %.1f\n", each(figures->wall, figures->posts) / 1e3);
	printf("cpu_ns_per_delivery %.1f\n", each(figures->server, figures->received));
	printf("cpu_ns_per_post %.1f\n", each(figures->server, figures->posts));
	printf("server_busy %.3f\n", (double)figures->server / (double)figures->wall);
	printf("load_busy %.3f\n", (double)figures->own / (double)figures->wall);
	report_latency("answer", &run->publishers.answers);
	if (run->streams.latency.total > 0)
		report_latency("latency", &run->streams.latency);
}

static void report_memory(const char *what, const struct memory *memory)
{
	printf("%s_pss_bytes %" PRId64 "\n%s_anon_bytes %" PRId64 "\n", what, memory->pss, what,
		memory->anon);
}

/* What was wrong; the status of the mode. */
static int report_wrong(const struct run *run)
{
	const struct streams *streams = &run->streams;

	printf("lost %" PRIu64 "\nrepeated %" PRIu64 "\ndisordered %" PRIu64 "\ntorn %" PRIu64
	       "\nclosed %" PRIu64 "\nrefused %" PRIu64 "\n",
		streams->lost, streams->repeated, streams->disordered, streams->torn,
		streams->closed, run->publishers.refused);
	return streams_wrong(streams) > 0;
}

/* --- what modes share --- */

static const char *publish_path(const struct options *options, size_t phase)
{
	return options->publish.count > phase ? options->publish.values[phase] : "/api/bench";
}

/* Open the first ${open} of the streams, and the publishers if there are to be any. */
static int begin(struct run *run, const struct options *options, size_t open, bool publishing,
	struct error *error)
{
	size_t streams = (size_t)(options->streams + options->stalled);

	if (run_init(run, options, error) != 0 ||
		streams_init(&run->streams, options, run->epoll, streams, error) != 0 ||
		streams_open(&run->streams, open, error) != 0 ||
		(publishing &&
			publishers_init(&run->publishers, options, run->epoll, error) != 0)) {
		run_free(run);
		return -1;
	}
	if (publishing)
		publishers_aim(&run->publishers, publish_path(options, 0));
	return 0;
}

/* All of them. */
static int begin_publishing(struct run *run, const struct options *options, struct error *error)
{
	return begin(run, options, (size_t)(options->streams + options->stalled), true, error);
}

/* The last of a mode: what was wrong, its status. */
static int end(struct run *run)
{
	int status = report_wrong(run);

	run_free(run);
	return status;
}

static void warm(struct run *run)
{
	struct figures ignored;

	if (run->options->warm > 0)
		run_phase(run, (uint64_t)run->options->warm, 0, false, &ignored);
}

static void measure(struct run *run, struct figures *figures)
{
	const struct options *options = run->options;

	run_phase(run, (uint64_t)options->events, options->time, options->rate > 0, figures);
}

/* Whatever comes now is one too many; then count what never came. */
static void settle(struct run *run)
{
	run_watch(run, QUIET_MS);
	streams_settle(&run->streams, run->publishers.published);
}

/* --- the modes --- */

static int run_fanout(const struct options *options, struct error *error)
{
	struct run run = {0};
	size_t phases = options->publish.count > 0 ? options->publish.count : 1;
	struct figures figures;

	if (begin_publishing(&run, options, error) != 0)
		return -1;
	warm(&run);
	for (size_t i = 0; i < phases; i++) {
		publishers_aim(&run.publishers, publish_path(options, i));
		measure(&run, &figures);
		printf("path %s\n", publish_path(options, i));
		report_phase(&run, &figures);
	}
	settle(&run);
	return end(&run);
}

/* Sleep until the server does. */
static void await_lull(const struct option_list *pids)
{
	struct timespec lull = {.tv_nsec = LULL_MS * 1000000};
	uint64_t before, now = process_cpu(pids);

	do {
		before = now;
		nanosleep(&lull, NULL);
		now = process_cpu(pids);
	} while (now - before > LULL_MS * 1000000 / 100);
}

/* Publish an event while no stream reads; then read, and see when the last of them had it. */
static uint64_t time_last(struct run *run)
{
	struct figures ignored;

	streams_stall(&run->streams, run->streams.count);
	run_phase(run, 1, 0, false, &ignored);
	await_lull(&run->options->pids);
	streams_stall(&run->streams, 0);
	run_phase(run, 0, 0, false, &ignored);
	return run->streams.latency.max;
}

static int run_asleep(const struct options *options, struct error *error)
{
	struct run run = {0};
	struct histogram lasts = {0};
	uint64_t cpu;

	if (options->pids.count == 0 || options->tls)
		return error_set(error, EX_USAGE,
			"asleep needs --pid, to see when the server sleeps, and knows no --tls");
	if (begin_publishing(&run, options, error) != 0)
		return -1;
	if (streams_stamp(&run.streams, error) != 0) {
		run_free(&run);
		return -1;
	}
	for (int64_t i = 0; i < options->warm; i++)
		time_last(&run);
	cpu = process_cpu(&options->pids);
	for (int64_t i = 0; i < options->events; i++)
		histogram_add(&lasts, time_last(&run));
	cpu = process_cpu(&options->pids) - cpu;
	report_latency("last", &lasts);
	printf("cpu_ns_per_delivery %.1f\n",
		each(cpu, (uint64_t)options->events * run.streams.reading));
	settle(&run);
	return end(&run);
}

static int run_idle(const struct options *options, struct error *error)
{
	struct run run = {0};
	size_t count = (size_t)options->streams;
	size_t base = count / BASE_SHARE;
	struct memory before, after;
	uint64_t cpu = process_cpu(&options->pids), wall, opening;

	if (begin(&run, options, base, false, error) != 0)
		return -1;
	before = process_memory(&options->pids);
	opening = now_ns();
	if (streams_open(&run.streams, count, error) != 0) {
		run_free(&run);
		return -1;
	}
	opening = now_ns() - opening;
	after = process_memory(&options->pids);
	printf("open_cpu_ns_per_stream %.1f\n", each(process_cpu(&options->pids) - cpu, count));
	cpu = process_cpu(&options->pids);
	wall = now_ns();
	run_watch(&run, options->time > 0 ? options->time : IDLE_MS);
	cpu = process_cpu(&options->pids) - cpu;
	wall = now_ns() - wall;
	printf("streams %zu\n", run.streams.reading);
	printf("open_us_per_stream %.1f\n", each(opening, count - base) / 1e3);
	report_memory("before", &before);
	report_memory("after", &after);
	printf("pss_bytes_per_stream %.1f\n",
		(double)(after.pss - before.pss) / (double)(count - base));
	printf("user_bytes_per_stream %.1f\n",
		(double)(after.anon + after.shmem - before.anon - before.shmem) /
			(double)(count - base));
	printf("idle_cpu_ms_per_minute %.2f\n", (double)cpu / (double)wall * 60000);
	/* What others published. */
	printf("received %" PRIu64 "\n", run.streams.received);
	printf("first_sent_ns %" PRIu64 "\nlast_received_ns %" PRIu64 "\n", run.streams.sent,
		run.streams.last);
	if (run.streams.latency.total > 0)
		report_latency("latency", &run.streams.latency);
	return end(&run);
}

static int run_stall(const struct options *options, struct error *error)
{
	struct run run = {0};
	struct memory before;
	struct figures figures;

	if (begin_publishing(&run, options, error) != 0)
		return -1;
	warm(&run);
	if (options->stalled > 0)
		streams_stall(&run.streams, (size_t)options->stalled);
	before = run.peak = process_memory(&options->pids);
	run.watch_memory = true;
	measure(&run, &figures);
	run.watch_memory = false;
	report_phase(&run, &figures);
	report_memory("before", &before);
	report_memory("peak", &run.peak);
	printf("grown_pss_bytes %" PRId64 "\n", run.peak.pss - before.pss);
	if (options->catch_up) {
		streams_stall(&run.streams, 0);
		run_phase(&run, 0, 0, false, &figures);
		printf("catch_up_s %.3f\n", (double)figures.wall / 1e9);
	}
	settle(&run);
	return end(&run);
}

static bool replayed(const struct run *run)
{
	const struct options *options = run->options;

	return run->streams.received + run->streams.lost >=
	       (uint64_t)(options->events * options->streams);
}

static int run_replay(const struct options *options, struct error *error)
{
	struct run run = {0};
	uint64_t start = now_ns(), wall;
	uint64_t server = process_cpu(&options->pids);
	uint64_t all = (uint64_t)(options->events * options->streams);

	if (begin(&run, options, (size_t)options->streams, false, error) != 0)
		return -1;
	run_read(&run, replayed);
	wall = now_ns() - start;
	server = process_cpu(&options->pids) - server;
	printf("events %" PRIu64 "\n", run.streams.received);
	printf("events_per_s %.1f\n", (double)run.streams.received / ((double)wall / 1e9));
	printf("cpu_ns_per_event %.1f\n", each(server, run.streams.received));
	printf("mb_per_cpu_s %.1f\n", 1e3 * each(run.streams.bytes, server));
	printf("first_us %.1f\n",
		run.streams.first ? (double)(run.streams.first - start) / 1e3 : 0);
	if (run.streams.received + run.streams.lost < all)
		run.streams.lost = all - run.streams.received;
	return end(&run);
}

static bool has_first(const struct run *run)
{
	return run->streams.first != 0;
}

/* How long one stream takes to its first event; 0 if the error says why there was none. */
static uint64_t time_first(const struct options *options, struct error *error)
{
	struct run run = {0};
	uint64_t start = now_ns(), first;

	if (begin(&run, options, 0, false, error) != 0)
		return 0;
	run.streams.unchecked = true;
	if (streams_open(&run.streams, 1, error) == 0) {
		run_read(&run, has_first);
		if (run.streams.first == 0)
			error_set(error, EX_UNAVAILABLE, "no event came to a stream that resumed");
	}
	first = run.streams.first;
	run_free(&run);
	return first > 0 ? first - start : 0;
}

static int run_resume(const struct options *options, struct error *error)
{
	struct histogram firsts = {0};

	for (int64_t i = 0; i < options->repeat; i++) {
		uint64_t first = time_first(options, error);

		if (first == 0)
			return -1;
		histogram_add(&firsts, first);
	}
	report_latency("first", &firsts);
	return 0;
}

static int run_visit(const struct options *options, struct error *error)
{
	struct visits visits;
	uint64_t wall = now_ns(), server = process_cpu(&options->pids), own = process_own_cpu();
	int status = visits_make(&visits, options, error);

	wall = now_ns() - wall;
	server = process_cpu(&options->pids) - server;
	own = process_own_cpu() - own;
	if (status != 0)
		return -1;
	printf("visits %" PRIu64 "\n", visits.done);
	printf("visits_per_s %.1f\n", (double)visits.done / ((double)wall / 1e9));
	printf("cpu_ns_per_visit %.1f\n", each(server, visits.done));
	printf("visits_per_cpu_s %.1f\n", 1e9 * each(visits.done, server));
	printf("server_busy %.3f\n", (double)server / (double)wall);
	printf("load_busy %.3f\n", (double)own / (double)wall);
	printf("refused %" PRIu64 "\n", visits.refused);
	return visits.refused > 0;
}

static const struct mode modes[] = {
	{"fanout", "publish to the streams, and check what they get", 0, run_fanout},
	{"asleep", "publish while the streams sleep: when did the last of them have the event?", 1,
		run_asleep},
	{"idle", "open the streams, and look at the server's memory and CPU", 1, run_idle},
	{"stall", "some of the streams stop reading", 0, run_stall},
	{"replay", "each stream reads what is stored, up to --events", 1, run_replay},
	{"resume", "one stream after the other, up to its first event", 1, run_resume},
	{"visit", "--events connections, of one GET of --stream each", 1, run_visit},
};
#define MODES (sizeof(modes) / sizeof(modes[0]))

char mode_summary[SUMMARY_SIZE] =
	"Load a server of event streams, check each event at each stream for loss, repeat and\n"
	"order, and measure.  The modes:\n";

void mode_describe(void)
{
	for (size_t i = 0; i < MODES; i++) {
		size_t len = strlen(mode_summary);

		snprintf(mode_summary + len, SUMMARY_SIZE - len, "  %-8s%s%s", modes[i].name,
			modes[i].help, i + 1 < MODES ? "\n" : "");
	}
}

const struct mode *mode_find(const char *name)
{
	for (size_t i = 0; i < MODES; i++) {
		if (strcmp(modes[i].name, name) == 0)
			return &modes[i];
	}
	return NULL;
}
