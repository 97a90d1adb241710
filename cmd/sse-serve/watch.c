/* SPDX-License-Identifier: MIT */
/* What main does while the server serves; see watch.h. */
#include <errno.h>
#include <inttypes.h>
#include <time.h>

#include "base/logger.h"
#include "clock.h"
#include "server.h"
#include "watch.h"

/* How often the service manager may be told a new number of streams. */
#define STATUS_MS 1000

/* A loop is asked, and has answered the last time, this often in the time of the watchdog. */
#define BEATS 4

void watch_begin(struct watch *watch, struct server *server, const struct notify *notify,
	const sigset_t *signals)
{
	int64_t now = clock_now_ms();

	*watch = (struct watch){.server = server,
		.notify = notify,
		.signals = *signals,
		.status_due = notify->fd >= 0 ? now + STATUS_MS : INT64_MAX,
		.beat_due = notify->watchdog > 0 ? now + notify->watchdog / BEATS : INT64_MAX};
	notify_send(notify, "READY=1\nSTATUS=0 streams\n");
	server_ask(server);
}

static void say_status(struct watch *watch, int64_t now)
{
	size_t streams = server_streams(watch->server);

	watch->status_due = now + STATUS_MS;
	if (streams == watch->said)
		return;
	watch->said = streams;
	notify_send(watch->notify, "STATUS=%s%zu stream%s\n",
		server_accepts(watch->server) ? "" : "stopping, ", streams,
		streams == 1 ? "" : "s");
}

/* Say that all loops have answered, and ask them again. */
static void beat(struct watch *watch, int64_t now)
{
	unsigned hung = server_hung(watch->server);

	watch->beat_due = now + watch->notify->watchdog / BEATS;
	if (hung > 0) {
		if (!watch->said_hung)
			logger_write(LOGGER_ERROR,
				"loop %u hangs; if it does not recover, the service manager "
				"will kill the server",
				hung);
		watch->said_hung = true;
		return;
	}
	watch->said_hung = false;
	notify_send(watch->notify, "WATCHDOG=1\n");
	server_ask(watch->server);
}

int watch_wait(struct watch *watch, int64_t ms)
{
	int64_t until = ms >= 0 ? clock_now_ms() + ms : INT64_MAX;

	for (;;) {
		int64_t now = clock_now_ms(), due;
		struct timespec left;
		int number;

		if (now >= watch->status_due)
			say_status(watch, now);
		if (now >= watch->beat_due)
			beat(watch, now);
		due = clock_earlier(until, clock_earlier(watch->status_due, watch->beat_due));
		left = (struct timespec){
			.tv_sec = (due - now) / 1000, .tv_nsec = (due - now) % 1000 * 1000000};
		if (due <= now)
			left = (struct timespec){0};
		number = sigtimedwait(&watch->signals, NULL, due < INT64_MAX ? &left : NULL);
		if (number > 0)
			return number;
		if (clock_now_ms() >= until)
			return 0;
	}
}

void watch_reloading(const struct watch *watch)
{
	struct timespec now;

	/* The service manager's clock. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	notify_send(watch->notify, "RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\n",
		(int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void watch_ready(const struct watch *watch)
{
	notify_send(watch->notify, "READY=1\n");
}
