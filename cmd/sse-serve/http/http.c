/* SPDX-License-Identifier: MIT */
/* HTTP by libmicrohttpd; see http.h. */
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sysexits.h>

#include "base/counter.h"
#include "clock.h"
#include "connection.h"
#include "exchange.h"
#include "http.h"
#include "linger.h"
#include "relay.h"
#include "request_internal.h"

/* How long an answer may make no progress, in seconds. */
#define ANSWER_TIMEOUT 120

/* Connections taken in one go, so that a flood does not starve the streams. */
#define ACCEPT_MAX 64

/* How often deadlines are looked at. */
#define TICK_MS 250

struct http {
	struct request_shared shared;
	struct MHD_Daemon *daemon;
	struct connection *connections;
	struct relays relays;
	int64_t next_tick; /* when deadlines are looked at again */
};

/* The library has begun with a socket. */
static struct connection *begin(struct http *http, int fd)
{
	struct connection *connection =
		connection_new(&http->connections, fd, http->shared.config->request_timeout);

	if (connection == NULL)
		return NULL;
	relay_claim(&http->relays, fd, &connection->relay);
	if (connection->relay != NULL)
		connection_set_relay(connection);
	return connection;
}

static void connection_event(void *context, struct MHD_Connection *connection,
	void **socket_context, enum MHD_ConnectionNotificationCode code)
{
	struct http *http = context;
	struct connection *socket = *socket_context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*socket_context = begin(
			http, MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
				      ->connect_fd);
	} else if (socket != NULL) {
		if (socket->request != NULL)
			exchange_free(socket->request);
		connection_free(socket);
		*socket_context = NULL;
	}
}

bool http_accept(struct http *http, int listener, bool secure)
{
	for (int i = 0; i < ACCEPT_MAX; i++) {
		struct sockaddr_storage address;
		socklen_t len = sizeof(address);
		int fd = accept4(
			listener, (struct sockaddr *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return errno != EMFILE && errno != ENFILE && errno != ENOBUFS &&
			       errno != ENOMEM;
		if (secure) {
			relay_new(&http->relays, fd, (struct sockaddr *)&address, len);
			continue;
		}
		/* Takes the socket, also when it fails. */
		MHD_add_connection(http->daemon, fd, (struct sockaddr *)&address, len);
		http->shared.wants_run = true;
	}
	return true;
}

struct http *http_new(
	const struct http_config *config, void *context, int epoll, struct error *error)
{
	struct http *http = calloc(1, sizeof(*http));
	struct rlimit files = {.rlim_cur = 1024};

	if (http == NULL) {
		error_set(error, EX_OSERR, "out of memory for the HTTP library");
		return NULL;
	}
	getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur > 1 << 20)
		files.rlim_cur = 1 << 20;
	http->shared.config = config;
	http->shared.context = context;
	http->shared.lingerers.epoll = epoll;
	request_id_start(&http->shared.ids);
	/*
	 * Without a listening socket, because the loop accepts.  TURBO leaves out the shutdown()
	 * before close(), so that a socket can be handed over to a stream.
	 */
	http->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_TURBO | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME,
		0, NULL, NULL, exchange_continue, &http->shared, MHD_OPTION_URI_LOG_CALLBACK,
		exchange_new, &http->shared, MHD_OPTION_NOTIFY_COMPLETED, exchange_end,
		&http->shared, MHD_OPTION_NOTIFY_CONNECTION, connection_event, http,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)files.rlim_cur,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)ANSWER_TIMEOUT,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, exchange_memory(config), MHD_OPTION_END);
	if (http->daemon == NULL)
		goto err1;
	http->relays = (struct relays){.epoll = epoll,
		.certificates = config->certificates,
		.lingerers = &http->shared.lingerers,
		.timeout = config->request_timeout,
		.wants_run = &http->shared.wants_run,
		.verbose = config->verbose,
		.daemon = http->daemon};
	return http;

err1:
	error_set(error, EX_OSERR, "cannot start the HTTP library: %s", strerror(errno));
	free(http);
	return NULL;
}

void http_use(struct http *http, const struct http_config *config)
{
	http->shared.config = config;
	http->relays.verbose = config->verbose;
}

int http_fd(const struct http *http)
{
	return MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

void http_run(struct http *http)
{
	http->shared.wants_run = false;
	MHD_run(http->daemon);
	relays_settle(&http->relays);
}

bool http_wants_run(const struct http *http)
{
	return http->shared.wants_run;
}

int http_timeout(struct http *http)
{
	MHD_UNSIGNED_LONG_LONG ms;
	int timeout = http->connections != NULL || http->shared.lingerers.first != NULL ||
				      http->relays.first != NULL || http->relays.ended != NULL
			      ? TICK_MS
			      : -1;

	if (MHD_get_timeout(http->daemon, &ms) == MHD_YES &&
		(timeout < 0 || ms < (unsigned long long)timeout))
		timeout = (int)ms;
	return timeout;
}

void http_tick(struct http *http)
{
	int64_t now = clock_now_ms();

	relays_turn(&http->relays);
	if (now < http->next_tick)
		return;
	http->next_tick = now + TICK_MS;
	connection_tick(http->connections, now);
	relays_tick(&http->relays, now);
	linger_tick(&http->shared.lingerers, now);
}

uint64_t http_requests(const struct http *http)
{
	return counter_read(&http->shared.requests);
}

uint64_t http_requests_for_topics(const struct http *http)
{
	return counter_read(&http->shared.for_topics);
}

const struct counter_times *http_took(const struct http *http)
{
	return &http->shared.took;
}

uint64_t http_answers(const struct http *http, unsigned status)
{
	return counter_read(&http->shared.answers[status - 100]);
}

uint64_t http_handshakes(const struct http *http)
{
	return counter_read(&http->relays.handshakes);
}

uint64_t http_handshake_failures(const struct http *http)
{
	return counter_read(&http->relays.failures);
}

size_t http_busy(const struct http *http)
{
	return http->shared.waiting;
}

bool http_pending(const struct http *http, int64_t since)
{
	return connection_pending(http->connections, since) || relays_pending(&http->relays, since);
}

void http_free(struct http *http)
{
	if (http == NULL)
		return;
	MHD_stop_daemon(http->daemon);
	relays_close(&http->relays);
	linger_close(&http->shared.lingerers);
	free(http);
}

const char *http_library_version(void)
{
	return MHD_get_version();
}
