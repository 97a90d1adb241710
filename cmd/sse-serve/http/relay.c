/* SPDX-License-Identifier: MIT */
/* Relays of TLS clients; see relay.h. */
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/address.h"
#include "base/counter.h"
#include "base/logger.h"
#include "base/source.h"
#include "buf.h"
#include "clock.h"
#include "linger.h"
#include "plain_client.h"
#include "relay.h"
#include "tls/certificates.h"
#include "tls/tls.h"

/*
 * How long a client may take nothing of what the library sent; and how long it may take for the
 * remaining bytes after the library closed the connection.
 */
#define DRAIN_MS 120000

/*
 * Steps of handshakes in one turn, each of which may take a millisecond: a flood of them must not
 * keep the streams waiting.
 */
#define STEPS_MAX 16

#define NEVER INT64_MAX

struct relay {
	struct source outer, inner; /* the client's socket, and our end of the pair */
	struct relays *relays;
	struct relay *next, **back;
	struct relay *next_arriving; /* until the library has taken its end */
	struct relay **holder;
	struct tls *tls;
	int fd;		/* the client's; -1: the relay has ended */
	int pair;	/* our end; -1 during the handshake */
	int end;	/* the number of the library's, while it arrives */
	bool looked;	/* the first byte is one of a handshake */
	bool heard_all; /* the client sends no more */
	bool sent_all;	/* the library sends no more */
	int64_t deadline;
	struct buf rest; /* what the library has not taken yet */
	socklen_t len;
	struct sockaddr_storage address;
};

/* --- ending --- */

static void leave_arriving(struct relay *relay)
{
	struct relay **place = &relay->relays->arriving;

	while (*place != NULL && *place != relay)
		place = &(*place)->next_arriving;
	if (*place != NULL)
		*place = relay->next_arriving;
}

/*
 * Free everything but the client's socket and session.  The memory itself is freed at the next
 * tick, because an event of epoll may still name it.
 */
static void detach(struct relay *relay)
{
	struct relays *relays = relay->relays;

	epoll_ctl(relays->epoll, EPOLL_CTL_DEL, relay->fd, NULL);
	if (relay->pair >= 0)
		close(relay->pair);
	buf_free(&relay->rest);
	leave_arriving(relay);
	if (relay->holder != NULL)
		*relay->holder = NULL;
	*relay->back = relay->next;
	if (relay->next != NULL)
		relay->next->back = relay->back;
	relay->fd = -1;
	relay->next = relays->ended;
	relays->ended = relay;
}

/* Free all but the client's socket, which is returned. */
static int let_go(struct relay *relay)
{
	int fd = relay->fd;

	tls_free(relay->tls);
	detach(relay);
	return fd;
}

/* The connection is of no use any more. */
static void cut(struct relay *relay)
{
	close(let_go(relay));
}

/* All was sent.  A client that still sends must not lose it by a reset. */
static void finish(struct relay *relay)
{
	linger_add(relay->relays->lingerers, let_go(relay), clock_now_ms());
}

/* --- passing on --- */

/*
 * Add a socket to the loop's epoll (EPOLL_CTL_ADD), or ask for its state once more (EPOLL_CTL_MOD).
 */
static int watch(const struct relay *relay, int operation, int fd, struct source *source)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLRDHUP | EPOLLOUT | EPOLLET, .data.ptr = source};

	return epoll_ctl(relay->relays->epoll, operation, fd, &event);
}

/* Give the rest to the library.  False if it still has to take some. */
static bool give_rest(struct relay *relay)
{
	struct buf *rest = &relay->rest;
	ssize_t sent;

	if (rest->len == 0)
		return true;
	sent = send(relay->pair, rest->data, rest->len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	*relay->relays->wants_run = true;
	/* The library may read no more, but still have something to send. */
	buf_drop(rest, sent > 0 ? (size_t)sent : rest->len);
	if (rest->len > 0)
		return false;
	buf_free(rest);
	return true;
}

/* From the client to the library.  The pair is what bounds it.  -1: the relay is cut. */
static int pass_in(struct relay *relay)
{
	char bytes[TLS_RECORD];

	while (!relay->heard_all && give_rest(relay)) {
		ssize_t got = tls_read(relay->tls, bytes, sizeof(bytes));

		if (got > 0 && buf_add(&relay->rest, bytes, (size_t)got))
			continue;
		if (got == 0) {
			relay->heard_all = true;
			shutdown(relay->pair, SHUT_WR);
			*relay->relays->wants_run = true;
		} else if (got < 0 && errno == EAGAIN) {
			if (tls_has_more(relay->tls))
				watch(relay, EPOLL_CTL_MOD, relay->fd, &relay->outer);
			return 0;
		} else {
			cut(relay);
			return -1;
		}
	}
	return 0;
}

/*
 * Send what the session keeps.  0; or -1 with errno, and a client that does not read has its
 * deadline.
 */
static int flush(struct relay *relay)
{
	int result = tls_flush(relay->tls);

	if (result == 0 && !relay->sent_all)
		relay->deadline = NEVER;
	else if (relay->deadline == NEVER)
		relay->deadline = clock_now_ms() + DRAIN_MS;
	return result;
}

/*
 * From the library to the client.  0: one of them must do something first.  -1: the relay is cut.
 */
static int pass_out(struct relay *relay)
{
	char bytes[TLS_RECORD];

	while (!relay->sent_all) {
		struct iovec piece = {bytes, 0};
		ssize_t got;

		if (flush(relay) != 0)
			break;
		got = recv(relay->pair, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		piece.iov_len = got > 0 ? (size_t)got : 0;
		/* A record is taken whole. */
		if (got > 0 && tls_send(relay->tls, &piece, 1) < 0)
			break;
		relay->sent_all = got <= 0;
		if (relay->sent_all)
			relay->deadline = clock_now_ms() + DRAIN_MS;
	}
	if (relay->sent_all) {
		tls_finish(relay->tls);
		if (tls_flush(relay->tls) == 0)
			return 0;
	}
	if (errno == EAGAIN)
		return 0;
	cut(relay);
	return -1;
}

static void pass(struct relay *relay)
{
	if (pass_out(relay) != 0)
		return;
	if (relay->sent_all && !tls_wants(relay->tls))
		finish(relay);
	else
		pass_in(relay);
}

/* --- beginning --- */

static void inner_ready(struct source *source, uint32_t events)
{
	struct relay *relay = (struct relay *)((char *)source - offsetof(struct relay, inner));

	(void)events;
	if (relay->fd >= 0)
		pass(relay);
}

/* The handshake is done: give the library its end of a pair. */
static void begin(struct relay *relay)
{
	struct relays *relays = relay->relays;
	int pair[2];

	counter_add(&relays->handshakes, 1);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
		cut(relay);
		return;
	}
	relay->pair = pair[0];
	relay->end = pair[1];
	relay->deadline = NEVER;
	relay->next_arriving = relays->arriving;
	relays->arriving = relay;
	*relays->wants_run = true;
	/* Takes its end, also when it fails. */
	if (MHD_add_connection(relays->daemon, pair[1], (struct sockaddr *)&relay->address,
		    relay->len) != MHD_YES ||
		watch(relay, EPOLL_CTL_ADD, relay->pair, &relay->inner) != 0) {
		leave_arriving(relay);
		cut(relay);
		return;
	}
	pass(relay);
}

static void fail(struct relay *relay, const char *reason)
{
	char address[ADDRESS_TEXT];

	counter_add(&relay->relays->failures, 1);
	if (relay->relays->verbose) {
		address_write((const struct sockaddr *)&relay->address, address);
		logger_write(LOGGER_INFO, "%s: TLS handshake failed: %s", address, reason);
	}
	finish(relay);
}

/* False if the first byte is not that of a handshake, or is not there yet. */
static bool look(struct relay *relay)
{
	unsigned char byte;
	ssize_t got = recv(relay->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	relay->looked = true;
	if (got == 1 && !tls_speaks_http(byte))
		return true;
	if (got == 1) {
		plain_client_refuse(relay->fd);
		fail(relay, "it speaks plain HTTP");
	} else {
		cut(relay);
	}
	return false;
}

static void shake_hands(struct relay *relay)
{
	int result;

	if (!relay->looked && !look(relay))
		return;
	if (relay->relays->steps == 0) {
		watch(relay, EPOLL_CTL_MOD, relay->fd, &relay->outer);
		return;
	}
	relay->relays->steps--;
	result = tls_handshake(relay->tls);
	if (result > 0)
		begin(relay);
	else if (result < 0)
		fail(relay, tls_fault());
	else if (tls_has_more(relay->tls))
		watch(relay, EPOLL_CTL_MOD, relay->fd, &relay->outer);
}

static void outer_ready(struct source *source, uint32_t events)
{
	struct relay *relay = (struct relay *)source;

	if (relay->fd < 0)
		return;
	/* A client that reset its connection may have sent the reason before. */
	if (relay->pair < 0)
		shake_hands(relay);
	else if (events & (EPOLLHUP | EPOLLERR))
		cut(relay);
	else
		pass(relay);
}

void relay_new(struct relays *relays, int fd, const struct sockaddr *address, socklen_t len)
{
	struct relay *relay = calloc(1, sizeof(*relay));
	int on = 1;

	if (relay == NULL || len > sizeof(relay->address))
		goto err1;
	/* The library does so with its end, where it means nothing. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	relay->tls = certificates_session(relays->certificates, fd);
	if (relay->tls == NULL)
		goto err1;
	relay->outer.ready = outer_ready;
	relay->inner.ready = inner_ready;
	relay->relays = relays;
	relay->fd = fd;
	relay->pair = -1;
	buf_init(&relay->rest, TLS_RECORD);
	relay->deadline = clock_now_ms() + relays->timeout;
	memcpy(&relay->address, address, len);
	relay->len = len;
	if (watch(relay, EPOLL_CTL_ADD, fd, &relay->outer) != 0)
		goto err2;
	relay->back = &relays->first;
	relay->next = relays->first;
	if (relay->next != NULL)
		relay->next->back = &relay->next;
	relays->first = relay;
	return;

err2:
	tls_free(relay->tls);
err1:
	free(relay);
	close(fd);
}

/* --- the library's end --- */

void relay_claim(struct relays *relays, int end, struct relay **holder)
{
	struct relay *relay = relays->arriving;

	while (relay != NULL && relay->end != end)
		relay = relay->next_arriving;
	if (relay == NULL)
		return;
	leave_arriving(relay);
	relay->holder = holder;
	*holder = relay;
}

void relay_release(struct relay *relay)
{
	if (relay != NULL)
		relay->holder = NULL;
}

int relay_socket(const struct relay *relay)
{
	return relay->fd;
}

const struct tls_client *relay_client(const struct relay *relay)
{
	return tls_client(relay->tls);
}

int relay_take(struct relay *relay, struct tls **tls)
{
	int fd = relay->fd;

	if (pass_out(relay) != 0) {
		errno = ECONNRESET;
		return -1;
	}
	if (relay->sent_all || tls_wants(relay->tls)) {
		errno = EAGAIN;
		return -1;
	}
	*tls = relay->tls;
	detach(relay);
	return fd;
}

/* --- all --- */

void relays_turn(struct relays *relays)
{
	relays->steps = STEPS_MAX;
}

void relays_settle(struct relays *relays)
{
	while (relays->arriving != NULL) {
		struct relay *relay = relays->arriving;

		relays->arriving = relay->next_arriving;
		if (relay->fd >= 0)
			cut(relay);
	}
}

static void bury(struct relays *relays)
{
	while (relays->ended != NULL) {
		struct relay *relay = relays->ended;

		relays->ended = relay->next;
		free(relay);
	}
}

void relays_tick(struct relays *relays, int64_t now)
{
	struct relay *next;

	for (struct relay *relay = relays->first; relay != NULL; relay = next) {
		next = relay->next;
		if (now >= relay->deadline && relay->pair < 0)
			fail(relay, "it took too long");
		else if (now >= relay->deadline)
			cut(relay);
	}
	bury(relays);
}

static bool is_pending(const struct relay *relay, int64_t since)
{
	if (relay->pair < 0)
		return relay->looked || relay->deadline - relay->relays->timeout >= since;
	/* Without a holder, the library has ended its side, or is about to begin. */
	return relay->holder == NULL || tls_wants(relay->tls);
}

bool relays_pending(const struct relays *relays, int64_t since)
{
	const struct relay *relay = relays->first;

	while (relay != NULL && !is_pending(relay, since))
		relay = relay->next;
	return relay != NULL;
}

void relays_close(struct relays *relays)
{
	struct relay *next;

	relays_settle(relays);
	for (struct relay *relay = relays->first; relay != NULL; relay = next) {
		next = relay->next;
		if (relay->pair >= 0 && pass_out(relay) != 0)
			continue;
		cut(relay);
	}
	bury(relays);
}
