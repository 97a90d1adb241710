/* SPDX-License-Identifier: MIT */
/* How the server takes its leave; see drain.h. */
#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include "base/logger.h"
#include "clock.h"
#include "drain.h"
#include "server.h"

/* What slow clients have at least for the requests that they began. */
#define GRACE_MS 2000

/* How often it is looked whether all is done. */
#define STEP_MS 10

/* What ending takes after the drain: the last commit, and closing the database. */
#define CLOSING_MS 60000

/* Wait for a signal to end, at most until then.  True if one came. */
static bool wait_until(struct watch *watch, int64_t until)
{
	int64_t now;
	int number;

	while ((now = clock_now_ms()) < until) {
		number = watch_wait(watch, until - now);
		if (number == SIGINT || number == SIGTERM) {
			logger_write(LOGGER_INFO, "ending at once: %s", strsignal(number));
			return true;
		}
	}
	return false;
}

/* True if a second signal came. */
static bool empty(struct watch *watch, int64_t span, struct listeners *listeners)
{
	int64_t end = clock_now_ms() + (span > GRACE_MS ? span : GRACE_MS);

	while (!server_drained(watch->server) && clock_now_ms() < end) {
		/* Whoever comes now must not wait for a server that takes nothing. */
		if (!server_accepts(watch->server))
			listen_close(listeners);
		if (wait_until(watch, clock_now_ms() + STEP_MS))
			return true;
	}
	return false;
}

void drain_run(struct watch *watch, int64_t delay, int64_t span, struct listeners *listeners)
{
	size_t streams;

	notify_send(watch->notify, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRId64 "\n",
		(delay + span + GRACE_MS + CLOSING_MS) * 1000);
	server_leave(watch->server);
	if (!wait_until(watch, clock_now_ms() + delay)) {
		streams = server_streams(watch->server);
		if (span > 0 && streams > 0)
			logger_write(LOGGER_INFO, "%zu stream%s end%s within %" PRId64 " ms",
				streams, streams == 1 ? "" : "s", streams == 1 ? "s" : "", span);
		server_drain(watch->server, (uint32_t)span);
		empty(watch, span, listeners);
	}
	/* Nobody takes them any more, and the default is to end. */
	pthread_sigmask(SIG_UNBLOCK, &watch->signals, NULL);
}
