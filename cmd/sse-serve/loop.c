/* SPDX-License-Identifier: MIT */
/* A loop; see loop.h. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sysexits.h>
#include <unistd.h>

#include "api/api.h"
#include "api/status.h"
#include "base/leaving.h"
#include "base/logger.h"
#include "base/source.h"
#include "clock.h"
#include "http/http.h"
#include "log/log_thread.h"
#include "loop.h"
#include "settings.h"
#include "stream/denial.h"
#include "stream/draining.h"
#include "stream/fanout.h"
#include "stream/presence_events.h"
#include "ticker.h"

#define EVENTS_MAX 256

/* With no descriptor free, how long until the next try to accept. */
#define ACCEPT_PAUSE_MS 100

/*
 * While the server drains, how often a loop ends streams and looks whether all is done, and how
 * long the first request of a connection may be on its way: since the connection began, or the drain.
 */
#define DRAIN_STEP_MS 20
#define DRAIN_FIRST_MS 1000

/* What has come to a listening socket is accepted so many times over before it is closed. */
#define ACCEPT_LAST 64

struct listening {
	struct source source; /* first */
	struct loop *loop;
	int fd;
	bool secure;
	bool inherited;
};

struct loop {
	struct log_thread *log_thread;
	struct mailbox mailbox;
	struct fanout fanout;
	struct api api;
	struct http *http;
	struct ticker ticker;
	struct presence_events
		*presence_events; /* the first loop's, as what follows; NULL: another's */
	struct status *status;
	int epoll;
	pthread_t thread;
	bool started;
	_Atomic bool stopping;
	struct settings *settings;	 /* held */
	_Atomic(struct settings *) next; /* held: the settings from the next turn on; or NULL */

	struct source wake, web; /* the mailbox's eventfd, the HTTP library's epoll */
	struct listening listening[LISTEN_MAX];
	size_t listening_count;
	bool accepting;
	uint32_t accept_again; /* after a pause: when, on the loop's clock */
	bool accept_paused;
	bool web_ready;

	struct draining draining; /* with the server's struct leaving */
	bool drains;
	_Atomic bool left, drained; /* see loop_accepts(), loop_drained() */
	_Atomic unsigned asked, answered;
};

/* The loop's clock. */
static uint32_t now_ms(void)
{
	return (uint32_t)clock_now_ms();
}

static int watch(const struct loop *loop, int fd, uint32_t events, struct source *source)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* --- accepting --- */

/* All loops watch the same listening sockets; epoll tells only one of a new connection. */
static int watch_listener(const struct loop *loop, struct listening *one)
{
	return watch(loop, one->fd, EPOLLIN | EPOLLEXCLUSIVE, &one->source);
}

static void set_accepting(struct loop *loop, bool accepting)
{
	for (size_t i = 0; i < loop->listening_count; i++) {
		epoll_ctl(loop->epoll, EPOLL_CTL_DEL, loop->listening[i].fd, NULL);
		if (accepting)
			watch_listener(loop, &loop->listening[i]);
	}
	loop->accepting = accepting;
}

static void listener_ready(struct source *source, uint32_t events)
{
	struct listening *one = (struct listening *)source;
	struct loop *loop = one->loop;

	(void)events;
	if (!loop->accepting || http_accept(loop->http, one->fd, one->secure))
		return;
	logger_write(LOGGER_WARNING, "cannot accept connections: %s; open streams are not affected",
		strerror(errno));
	set_accepting(loop, false);
	loop->accept_paused = true;
	loop->accept_again = loop->fanout.now + ACCEPT_PAUSE_MS;
}

/* Whoever has connected may expect an answer; to an inherited socket the next server gives it. */
static void accept_last(struct loop *loop)
{
	for (size_t i = 0; i < loop->listening_count; i++) {
		const struct listening *one = &loop->listening[i];

		for (int j = 0; j < ACCEPT_LAST && !one->inherited; j++) {
			if (!http_accept(loop->http, one->fd, one->secure))
				break;
		}
	}
}

/* --- draining --- */

static void begin_drain(struct loop *loop)
{
	loop->drains = true;
	set_accepting(loop, false);
	loop->accept_paused = false;
	accept_last(loop);
	/* From here on main may close them. */
	loop->listening_count = 0;
	loop->left = true;
	draining_begin(&loop->draining, loop->draining.leaving, &loop->fanout);
}

/* Return the ms until the next step, or -1. */
static int drain(struct loop *loop)
{
	bool begins;

	if (!loop->draining.leaving->draining)
		return -1;
	if (!loop->drains)
		begin_drain(loop);
	draining_run(&loop->draining, &loop->fanout);
	begins = loop->fanout.now - loop->draining.began < DRAIN_FIRST_MS;
	loop->drained = !http_pending(loop->http, begins ? 0 : clock_now_ms() - DRAIN_FIRST_MS) &&
			!draining_busy(&loop->draining, &loop->fanout);
	return DRAIN_STEP_MS;
}

/* --- turning --- */

static void wake_ready(struct source *source, uint32_t events)
{
	(void)source;
	(void)events;
}

static void web_ready(struct source *source, uint32_t events)
{
	struct loop *loop = (struct loop *)((char *)source - offsetof(struct loop, web));

	(void)events;
	loop->web_ready = true;
}

/* Run the tasks that are due.  Return the ms until the next is due, or -1. */
static int run_timers(struct loop *loop)
{
	int next = http_timeout(loop->http);
	int due[6];

	http_tick(loop->http);
	due[0] = loop->fanout.streams > 0 ? (int)fanout_tick(&loop->fanout) : -1;
	due[1] = ticker_run(&loop->ticker, loop->fanout.now);
	due[2] = loop->presence_events != NULL
			 ? presence_events_run(loop->presence_events, loop->fanout.now)
			 : -1;
	due[3] = loop->status != NULL ? status_run(loop->status, loop->fanout.now) : -1;
	due[4] = denial_look(&loop->fanout);
	due[5] = drain(loop);
	log_thread_wake(loop->log_thread);
	if (loop->accept_paused && (int32_t)(loop->fanout.now - loop->accept_again) >= 0) {
		loop->accept_paused = false;
		set_accepting(loop, true);
	}
	if (loop->accept_paused && (next < 0 || next > ACCEPT_PAUSE_MS))
		next = ACCEPT_PAUSE_MS;
	for (int i = 0; i < 6; i++) {
		if (due[i] >= 0 && (next < 0 || due[i] < next))
			next = due[i];
	}
	return next;
}

/* No handler runs. */
static void use_next(struct loop *loop)
{
	struct settings *next = atomic_exchange(&loop->next, NULL);

	if (next == NULL)
		return;
	loop->api = next->api;
	loop->api.fanout = &loop->fanout;
	http_use(loop->http, &next->http);
	settings_drop(loop->settings);
	loop->settings = next;
}

static void turn(struct loop *loop, int timeout)
{
	struct epoll_event events[EVENTS_MAX];
	int count = epoll_wait(loop->epoll, events, EVENTS_MAX, timeout);

	loop->fanout.now = now_ms();
	for (int i = 0; i < count; i++) {
		struct source *source = events[i].data.ptr;

		source->ready(source, events[i].events);
	}
	mailbox_handle(&loop->mailbox);
	/* After the wake-up was cleared: settings that come later wake again. */
	if (atomic_load_explicit(&loop->next, memory_order_relaxed) != NULL)
		use_next(loop);
	if (loop->web_ready || http_wants_run(loop->http) || http_timeout(loop->http) == 0) {
		loop->web_ready = false;
		http_run(loop->http);
	}
	log_thread_wake(loop->log_thread);
	loop->answered = loop->asked;
}

/* What is committed is answered, and no list waits for its next chunk. */
static bool quiet(const struct loop *loop)
{
	return http_busy(loop->http) == 0 && !ticker_busy(&loop->ticker) &&
	       (loop->presence_events == NULL || !presence_events_busy(loop->presence_events)) &&
	       (loop->status == NULL || !status_busy(loop->status));
}

static void *run(void *context)
{
	struct loop *loop = context;
	bool more = false;

	while (!loop->stopping) {
		int timeout = run_timers(loop);

		turn(loop, more || http_wants_run(loop->http) ? 0 : timeout);
		more = fanout_work(&loop->fanout);
		fanout_bury(&loop->fanout);
	}
	set_accepting(loop, false);
	/* Requests are refused by now, so this ends when the log has caught up and the answers are
	 * on their way; the streams get what was committed. */
	do {
		turn(loop, quiet(loop) ? 0 : 50);
		more = fanout_work(&loop->fanout);
		fanout_bury(&loop->fanout);
	} while (more || !quiet(loop) || http_wants_run(loop->http));
	fanout_close(&loop->fanout);
	return NULL;
}

/* --- making and ending --- */

static int watch_all(struct loop *loop, const struct listeners *listeners)
{
	loop->wake.ready = wake_ready;
	loop->web.ready = web_ready;
	if (watch(loop, loop->mailbox.wake, EPOLLIN, &loop->wake) != 0 ||
		watch(loop, http_fd(loop->http), EPOLLIN, &loop->web) != 0)
		return -1;
	for (size_t i = 0; i < listeners->count; i++) {
		struct listening *one = &loop->listening[i];

		*one = (struct listening){{listener_ready}, loop, listeners->fds[i],
			listeners->secure[i], listeners->inherited[i]};
		if (watch_listener(loop, one) != 0)
			return -1;
		loop->listening_count++;
	}
	loop->accepting = true;
	return 0;
}

/*
 * One loop publishes joins, leaves and the server's figures for all loops.  0, or -1 without
 * memory.
 */
static int make_tellers(struct loop *loop, const struct loop_config *config)
{
	loop->presence_events =
		presence_events_new(config->presence, config->log_thread, &loop->mailbox);
	loop->status = status_new(config->metrics, config->topics, &loop->mailbox);
	return loop->presence_events != NULL && loop->status != NULL ? 0 : -1;
}

/* Say why, by errno.  Before anything is cleaned up. */
static int fail(unsigned number, struct error *error)
{
	return error_set(error, EX_OSERR,
		"cannot make loop %u: %s; fewer --loops need less, and `ulimit -n` says how many "
		"descriptors there may be",
		number + 1, strerror(errno));
}

/* What the loop is made of, but for its epoll and mailbox.  0, or -1 with a reason. */
static int make_parts(
	struct loop *loop, const struct loop_config *config, unsigned number, struct error *error)
{
	fanout_init(&loop->fanout, config->fanouts, &loop->mailbox, loop->epoll, number, now_ms());
	ticker_init(&loop->ticker, config->log_thread, &loop->mailbox,
		number == 0 ? config->tick : 0, now_ms());
	loop->settings = settings_hold(config->settings);
	loop->api = loop->settings->api;
	loop->api.fanout = &loop->fanout;
	if (number == 0 && make_tellers(loop, config) != 0)
		return fail(number, error);
	loop->http = http_new(&loop->settings->http, &loop->api, loop->epoll, error);
	if (loop->http == NULL)
		return -1;
	return watch_all(loop, config->listeners) == 0 ? 0 : fail(number, error);
}

static void free_parts(struct loop *loop)
{
	http_free(loop->http);
	/* Chunks for streams that have ended, and streams that came too late. */
	mailbox_handle(&loop->mailbox);
	fanout_bury(&loop->fanout);
	fanout_free(&loop->fanout);
	status_free(loop->status);
	presence_events_free(loop->presence_events);
	settings_drop(loop->next);
	settings_drop(loop->settings);
}

struct loop *loop_new(const struct loop_config *config, unsigned number, struct error *error)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (loop == NULL) {
		fail(number, error);
		return NULL;
	}
	loop->log_thread = config->log_thread;
	loop->draining.leaving = config->leaving;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0) {
		fail(number, error);
		goto err1;
	}
	if (mailbox_init(&loop->mailbox) != 0) {
		fail(number, error);
		goto err2;
	}
	if (make_parts(loop, config, number, error) != 0)
		goto err3;
	return loop;

err3:
	free_parts(loop);
	mailbox_close(&loop->mailbox);
err2:
	close(loop->epoll);
err1:
	free(loop);
	return NULL;
}

struct mailbox *loop_mailbox(struct loop *loop)
{
	return &loop->mailbox;
}

struct fanout *loop_fanout(struct loop *loop)
{
	return &loop->fanout;
}

struct http *loop_http(struct loop *loop)
{
	return loop->http;
}

void loop_use(struct loop *loop, struct settings *settings)
{
	/* What the loop has not seen yet is out of date. */
	settings_drop(atomic_exchange(&loop->next, settings_hold(settings)));
	mailbox_wake(&loop->mailbox);
}

int loop_start(struct loop *loop, struct error *error)
{
	int code = pthread_create(&loop->thread, NULL, run, loop);

	if (code != 0)
		return error_set(error, EX_OSERR, "cannot start a loop: %s", strerror(code));
	loop->started = true;
	return 0;
}

void loop_wake(struct loop *loop)
{
	mailbox_wake(&loop->mailbox);
}

void loop_ask(struct loop *loop)
{
	loop->asked++;
	loop_wake(loop);
}

bool loop_turns(const struct loop *loop)
{
	return loop->answered == loop->asked;
}

bool loop_accepts(const struct loop *loop)
{
	return !loop->left;
}

bool loop_drained(const struct loop *loop)
{
	return loop->drained;
}

void loop_stop(struct loop *loop)
{
	if (loop == NULL || !loop->started)
		return;
	loop->stopping = true;
	mailbox_wake(&loop->mailbox);
	pthread_join(loop->thread, NULL);
	loop->started = false;
}

void loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	free_parts(loop);
	mailbox_close(&loop->mailbox);
	close(loop->epoll);
	free(loop);
}
