/* SPDX-License-Identifier: MIT */
/*
 * HTTP by libmicrohttpd, which no other room includes.  One struct http belongs to each loop, and
 * everything here but what says so runs on that loop's thread.
 */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "http_config.h"

struct http;

/*
 * http_new(config, context, epoll, error):
 * ${context} is for the handlers; the loop's ${epoll} watches sockets that linger (source.h).  NULL
 * with a reason.
 */
struct http *http_new(
	const struct http_config *config, void *context, int epoll, struct error *error);

/*
 * http_use(http, config): from now on, serve as ${config} says, which outlives the struct http, or
 * the next call.  Of its max_parameters, that of http_new() stays in force.
 */
void http_use(struct http *http, const struct http_config *config);

/* http_fd(http): readable when http_run() has something to do. */
int http_fd(const struct http *http);

/*
 * http_accept(http, listener, secure):
 * Accept the connections that wait; with ${secure}, their clients speak TLS.  False if descriptors ran
 * out.
 */
bool http_accept(struct http *http, int listener, bool secure);

/* http_run(http): continue all connections that can continue. */
void http_run(struct http *http);

/* http_wants_run(http): was a connection resumed or accepted since? */
bool http_wants_run(const struct http *http);

/* http_timeout(http): ms until http_run() or http_tick() must be called, -1 for never. */
int http_timeout(struct http *http);

/* http_tick(http): cut off connections whose request takes too long.  May be called at any time. */
void http_tick(struct http *http);

/* http_requests(http): the number of requests so far.  Any thread. */
uint64_t http_requests(const struct http *http);

/* http_requests_for_topics(http): of these, those that publish, read or delete.  Any thread. */
uint64_t http_requests_for_topics(const struct http *http);

/* http_took(http): how long they took, those that led to a stream up to its head.  Any thread. */
const struct counter_times *http_took(const struct http *http);

/* http_answers(http, status): how many got this status, 100 to 599.  Any thread. */
uint64_t http_answers(const struct http *http, unsigned status);

/*
 * http_handshakes(http), http_handshake_failures(http): how many TLS handshakes were made, and how
 * many failed.  Any thread.
 */
uint64_t http_handshakes(const struct http *http);
uint64_t http_handshake_failures(const struct http *http);

/* http_busy(http): how many requests wait. */
size_t http_busy(const struct http *http);

/*
 * http_pending(http, since): is an answer or a request on its way?  See connection_pending() and
 * relays_pending(); streams do not count.
 */
bool http_pending(const struct http *http, int64_t since);

/* http_free(http): end all connections.  No request may be waiting.  Takes NULL. */
void http_free(struct http *http);

/* http_library_version(): the version of libmicrohttpd. */
const char *http_library_version(void);

#endif
