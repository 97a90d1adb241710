/* SPDX-License-Identifier: MIT */
/* Publishing and reading at once; see run.h. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "run.h"

#define BATCH 1024
#define WAIT_MS 50
#define PATIENCE_NS UINT64_C(5000000000)
#define LOOK_NS UINT64_C(200000000)
#define SECOND UINT64_C(1000000000)
#define MS UINT64_C(1000000)

static volatile sig_atomic_t terminated; /* by SIGTERM, in run_watch() */

static void on_term(int number)
{
	terminated = number;
}

int run_init(struct run *run, const struct options *options, struct error *error)
{
	*run = (struct run){.options = options, .timer = {.kind = SOURCE_TIMER}};
	run->epoll = epoll_create1(EPOLL_CLOEXEC);
	run->timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (run->epoll < 0 || run->timer.fd < 0)
		return error_set(error, EX_OSERR, "no epoll or timer: %s", strerror(errno));
	return 0;
}

void run_free(struct run *run)
{
	publishers_free(&run->publishers);
	streams_free(&run->streams);
	close(run->timer.fd);
	close(run->epoll);
}

/* --- publishing --- */

static uint64_t interval(const struct run *run)
{
	return SECOND / (uint64_t)run->options->rate;
}

static void start_timer(struct run *run)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = &run->timer};
	uint64_t first = now_ns() + interval(run);
	struct itimerspec times = {.it_value = {(time_t)(first / SECOND), (long)(first % SECOND)},
		.it_interval = {(time_t)(interval(run) / SECOND), (long)(interval(run) % SECOND)}};

	run->due = 0;
	run->next_due = first;
	timerfd_settime(run->timer.fd, TFD_TIMER_ABSTIME, &times, NULL);
	epoll_ctl(run->epoll, EPOLL_CTL_ADD, run->timer.fd, &event);
}

static void stop_timer(struct run *run)
{
	struct itimerspec never = {0};

	timerfd_settime(run->timer.fd, 0, &never, NULL);
	epoll_ctl(run->epoll, EPOLL_CTL_DEL, run->timer.fd, NULL);
}

static void read_timer(struct run *run)
{
	uint64_t times;

	if (read(run->timer.fd, &times, sizeof(times)) == sizeof(times))
		run->due += times;
}

static bool all_received(const struct run *run)
{
	return run->publishers.busy == 0 &&
	       run->streams.received >= run->publishers.total * run->streams.reading;
}

/* Where events come at a rate, the time of one counts from when it was due, not from when a
 * publisher was free for it: what waits for a slow server is part of its latency. */
static uint64_t take_due(struct run *run)
{
	uint64_t when = run->next_due;

	run->due--;
	run->next_due += interval(run);
	return when;
}

/* Let the publishers that are free publish. */
static void publish(struct run *run, uint64_t now)
{
	struct publishers *publishers = &run->publishers;

	if (now >= run->end)
		run->left = 0;
	if (run->left == 0 || publishers->busy == publishers->count ||
		(run->options->lockstep && !all_received(run)))
		return;
	for (size_t i = 0; i < publishers->count && run->left > 0; i++) {
		if (publishers->all[i].busy)
			continue;
		if (run->paced && run->due == 0)
			return;
		publishers_send(
			publishers, &publishers->all[i], run->paced ? take_due(run) : now_ns());
		run->left--;
	}
}

/* --- the loop --- */

static void handle(struct run *run, struct source *source)
{
	uint64_t refused = run->publishers.refused;

	switch (source->kind) {
	case SOURCE_STREAM:
		stream_read(&run->streams, (struct stream *)source);
		break;
	case SOURCE_PUBLISHER:
		publishers_read(&run->publishers, (struct publisher *)source);
		run->left += run->publishers.refused - refused;
		break;
	case SOURCE_TIMER:
		read_timer(run);
		break;
	}
}

static void look_at_memory(struct run *run, uint64_t now)
{
	struct memory memory;

	if (!run->watch_memory || now - run->looked < LOOK_NS)
		return;
	run->looked = now;
	memory = process_memory(&run->options->pids);
	if (memory.pss > run->peak.pss)
		run->peak.pss = memory.pss;
	if (memory.anon > run->peak.anon)
		run->peak.anon = memory.anon;
}

static bool published_and_received(const struct run *run)
{
	return run->left == 0 && all_received(run);
}

/* Go around until done(), or the end if no done() is given, or nothing happens any more. */
static void go_around(struct run *run, bool (*done)(const struct run *run))
{
	struct epoll_event events[BATCH];
	uint64_t progress = 0, last = now_ns(), now = last;

	for (;;) {
		uint64_t so_far = run->streams.received + run->streams.repeated +
				  run->streams.latency.total + run->publishers.total;
		int count;

		if (so_far != progress) {
			progress = so_far;
			last = now;
		}
		if (done != NULL ? done(run) || now - last > PATIENCE_NS
				 : now > run->end || terminated)
			return;
		publish(run, now);
		count = epoll_wait(run->epoll, events, BATCH, WAIT_MS);
		for (int i = 0; i < count; i++)
			handle(run, events[i].data.ptr);
		now = now_ns();
		look_at_memory(run, now);
	}
}

void run_phase(struct run *run, uint64_t events, int64_t time, bool paced, struct figures *figures)
{
	uint64_t server = process_cpu(&run->options->pids), own = process_own_cpu();
	uint64_t posts = run->publishers.total, received = run->streams.received;
	uint64_t start = now_ns();

	memset(&run->streams.latency, 0, sizeof(run->streams.latency));
	memset(&run->publishers.answers, 0, sizeof(run->publishers.answers));
	run->left = events;
	run->end = time > 0 ? start + (uint64_t)time * MS : UINT64_MAX;
	run->paced = paced;
	if (paced)
		start_timer(run);
	go_around(run, published_and_received);
	if (paced)
		stop_timer(run);
	run->left = 0;
	*figures = (struct figures){.wall = now_ns() - start,
		.server = process_cpu(&run->options->pids) - server,
		.own = process_own_cpu() - own,
		.posts = run->publishers.total - posts,
		.received = run->streams.received - received};
}

void run_read(struct run *run, bool (*done)(const struct run *run))
{
	run->end = UINT64_MAX;
	go_around(run, done);
}

void run_watch(struct run *run, int64_t time)
{
	run->end = now_ns() + (uint64_t)time * MS;
	signal(SIGTERM, on_term);
	go_around(run, NULL);
}
