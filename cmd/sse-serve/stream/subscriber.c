/* SPDX-License-Identifier: MIT */
/* Subscribers; see subscriber.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "access/principal.h"
#include "base/counter.h"
#include "base/mailbox.h"
#include "limits.h"
#include "subscriber.h"
#include "transport.h"
#include "wheel.h"

/* Bytes to send before anything else: the rest of data that cannot be made again. */
struct pending {
	size_t len, done;
	uint32_t events; /* whose frames end in it */
	char data[];
};

/* The server's figures do not count themselves. */
static bool is_uncounted(const struct subscriber *subscriber)
{
	return subscriber->channel->system;
}

/* Is there something left to send to it? */
static bool is_behind(enum subscriber_state state)
{
	return state == READY || state == WAITING || state == READING;
}

void subscriber_set_end(struct subscriber *subscriber)
{
	struct extended_subscriber *extended = (struct extended_subscriber *)subscriber;

	subscriber->ends = true;
	extended->end_position = subscriber->fanout->position;
	extended->end_entry = subscriber->fanout->boundary;
}

void subscriber_reach_boundary(struct subscriber *subscriber)
{
	const struct fanout *fanout = subscriber->fanout;

	if (subscriber->cursor < fanout->position)
		subscriber->cursor = fanout->position;
	if (subscriber->entry < fanout->boundary)
		subscriber->entry = fanout->boundary;
}

void subscriber_set_state(struct subscriber *subscriber, enum subscriber_state state)
{
	if (is_behind(subscriber->state) != is_behind(state) && !is_uncounted(subscriber))
		counter_add(&subscriber->fanout->behind, is_behind(state) ? 1 : UINT64_MAX);
	subscriber->state = (uint8_t)state;
}

void subscriber_make_ready(struct subscriber *subscriber)
{
	struct fanout *fanout = subscriber->fanout;

	subscriber_set_state(subscriber, READY);
	if (subscriber->queued)
		return;
	subscriber->queued = true;
	subscriber->next = NULL;
	if (fanout->ready == NULL)
		fanout->ready = subscriber;
	else
		fanout->ready_last->next = subscriber;
	fanout->ready_last = subscriber;
}

void subscriber_bury(struct subscriber *subscriber)
{
	subscriber->next = subscriber->fanout->closed;
	subscriber->fanout->closed = subscriber;
}

static void leave(struct subscriber *subscriber)
{
	const struct fanout *fanout = subscriber->fanout;

	if (subscriber->named &&
		presence_leave(((struct extended_subscriber *)subscriber)->lease, fanout->now))
		mailbox_wake(fanout->shared->teller);
}

static void end_wait(struct subscriber *subscriber)
{
	struct polling_subscriber *polling = subscriber_polling(subscriber);

	deadlines_remove(&subscriber->fanout->deadlines, &polling->deadline);
	poll_reply_free(polling->reply);
	polling->reply = NULL;
}

void subscriber_free(struct subscriber *subscriber)
{
	free(subscriber->logged ? (void *)subscriber_record(subscriber) : (void *)subscriber);
}

void subscriber_close(struct subscriber *subscriber, enum stream_end why)
{
	bool reading = subscriber->state == READING;

	if (subscriber->state == CLOSED)
		return;
	subscriber_set_state(subscriber, CLOSED);
	counter_add(&subscriber->fanout->endings[why], 1);
	if (subscriber->logged)
		stream_record_end(subscriber_record(subscriber), why);
	/* The HTTP library may not have closed its descriptor of the same socket yet. */
	epoll_ctl(subscriber->fanout->epoll, EPOLL_CTL_DEL, subscriber->fd, NULL);
	transport_close(subscriber->fd, subscriber->tls);
	subscriber->tls = NULL;
	free(subscriber->pending);
	subscriber->pending = NULL;
	principal_drop(subscriber->principal);
	subscriber->principal = NULL;
	limits_release(subscriber->fanout->shared->limits, subscriber->address);
	wheel_remove(subscriber);
	channel_leave(subscriber->fanout, subscriber);
	leave(subscriber);
	if (subscriber->polls)
		end_wait(subscriber);
	/* Otherwise its holder will bury it. */
	if (!reading && !subscriber->queued)
		subscriber_bury(subscriber);
}

void subscriber_behind(struct subscriber *subscriber, uint64_t cursor, uint64_t entry)
{
	subscriber->cursor = cursor;
	subscriber->entry = entry;
	subscriber->skip = 0;
	subscriber->partial = 0;
	subscriber->mark_sent = false;
	subscriber_make_ready(subscriber);
}

bool subscriber_watch(struct subscriber *subscriber, int operation)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLRDHUP | EPOLLOUT | EPOLLET, .data.ptr = subscriber};

	return epoll_ctl(subscriber->fanout->epoll, operation, subscriber->fd, &event) == 0;
}

/* False if the client has ended the session. */
static bool hear(struct subscriber *subscriber)
{
	int heard = transport_hear(subscriber->tls);

	return heard == 0 || (heard > 0 && subscriber_watch(subscriber, EPOLL_CTL_MOD));
}

/* With TCP_USER_TIMEOUT the kernel may be the first to see that nothing is taken. */
static enum stream_end end_of_error(int number)
{
	return number == ETIMEDOUT ? STREAM_END_STALLED : STREAM_END_CLIENT;
}

static int socket_error(int fd)
{
	int number = 0;
	socklen_t len = sizeof(number);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &len) == 0 ? number : 0;
}

void subscriber_ready(struct source *source, uint32_t events)
{
	struct subscriber *subscriber = (struct subscriber *)source;

	if (subscriber->state == CLOSED)
		return;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		subscriber_close(subscriber, end_of_error(socket_error(subscriber->fd)));
	else if (!hear(subscriber))
		subscriber_close(subscriber, STREAM_END_CLIENT);
	else if ((events & EPOLLOUT) && subscriber->state == WAITING)
		subscriber_make_ready(subscriber);
}

/* --- sending --- */

static void count_delivered(struct subscriber *subscriber, uint32_t events)
{
	if (!is_uncounted(subscriber))
		counter_add(&subscriber->fanout->delivered, events);
	if (subscriber->logged)
		subscriber_record(subscriber)->events += events;
}

/* The socket is full: epoll will tell. */
static void wait_for_room(struct subscriber *subscriber)
{
	subscriber_set_state(subscriber, WAITING);
	subscriber->unread = 0;
}

/* The result of a send: bytes that the socket took, 0 if it is full, -1 if the stream is closed. */
static ssize_t take_result(struct subscriber *subscriber, ssize_t sent)
{
	if (sent > 0) {
		subscriber->sent = subscriber->fanout->now;
	} else if (sent < 0) {
		if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
			return 0;
		subscriber_close(subscriber, end_of_error(errno));
	}
	return sent;
}

ssize_t subscriber_write(struct subscriber *subscriber, const char *data, size_t len)
{
	struct iovec piece = {(void *)(uintptr_t)data, len};
	const struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};

	return take_result(subscriber, transport_send(subscriber->fd, subscriber->tls, &message));
}

void subscriber_keep_pending(
	struct subscriber *subscriber, const char *data, size_t len, uint32_t events)
{
	struct pending *pending = malloc(sizeof(*pending) + len);

	if (pending == NULL) {
		subscriber_close(subscriber, STREAM_END_MEMORY);
		return;
	}
	*pending = (struct pending){.len = len, .events = events};
	memcpy(pending->data, data, len);
	subscriber->pending = pending;
}

void subscriber_note_taken(struct subscriber *subscriber, uint64_t position)
{
	const struct channel *channel = subscriber->channel;

	if (channel->end > subscriber->cursor && channel->end <= position &&
		channel_wants_closing(channel))
		subscriber->had_end = true;
}

/* Its socket took the first ${sent} bytes, but not all: it is WAITING, and goes on from there. */
static void stop_after(struct subscriber *subscriber, const struct frames *frames, size_t sent)
{
	struct frames_stop stop;

	frames_find_stop(frames, sent, &stop);
	count_delivered(subscriber, stop.events);
	wait_for_room(subscriber);
	subscriber->mark_sent = false;
	/* One that joined ahead of the boundary has a cursor beyond it. */
	if (stop.cursor > subscriber->cursor) {
		subscriber_note_taken(subscriber, stop.cursor);
		subscriber->cursor = stop.cursor;
	}
	subscriber->entry = stop.entry;
	subscriber->skip = (uint32_t)stop.sent;
	subscriber->partial = stop.sent > 0 ? stop.position : 0;
	/* An ephemeral event is only in the window, so it cannot be read again. */
	if (stop.ephemeral && stop.sent > 0) {
		subscriber->entry = stop.entry + 1;
		subscriber->skip = 0;
		subscriber->partial = 0;
		subscriber_keep_pending(subscriber, stop.unsent.iov_base, stop.unsent.iov_len, 1);
	}
	/* A newer value may replace this one in the log at any time, so it cannot be read again. */
	if (stop.once && stop.sent > 0) {
		subscriber->cursor = stop.position;
		subscriber->skip = 0;
		subscriber->partial = 0;
		subscriber_keep_pending(subscriber, stop.unsent.iov_base, stop.unsent.iov_len, 1);
	}
}

bool subscriber_send(struct subscriber *subscriber, const struct frames *frames)
{
	ssize_t sent = take_result(
		subscriber, transport_send(subscriber->fd, subscriber->tls, &frames->message));

	if (sent == (ssize_t)frames->len) {
		count_delivered(subscriber, frames->events);
		return true;
	}
	if (sent >= 0)
		stop_after(subscriber, frames, (size_t)sent);
	return false;
}

void subscriber_keep_words(struct subscriber *subscriber, bool written, struct buf *words)
{
	if (!written)
		subscriber_close(subscriber, STREAM_END_MEMORY);
	else if (words->len > 0)
		subscriber_keep_pending(subscriber, words->data, words->len, 0);
	buf_free(words);
}

bool subscriber_send_pending(struct subscriber *subscriber)
{
	struct pending *pending = subscriber->pending;
	ssize_t sent;

	if (transport_wants(subscriber->tls)) {
		wait_for_room(subscriber);
		return false;
	}
	if (pending == NULL)
		return true;
	sent = subscriber_write(
		subscriber, pending->data + pending->done, pending->len - pending->done);
	if (sent < 0)
		return false;
	pending->done += (size_t)sent;
	if (pending->done < pending->len) {
		wait_for_room(subscriber);
		return false;
	}
	count_delivered(subscriber, pending->events);
	free(pending);
	subscriber->pending = NULL;
	return true;
}
