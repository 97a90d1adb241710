/* SPDX-License-Identifier: MIT */
/* Subscribers; see subscriber.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fanout.h"
#include "replay.h"
#include "subscriber.h"

/* Bytes that must go before anything else: the rest of what cannot be made again. */
struct pending {
	size_t len, done;
	char data[];
};

/* Bytes that the socket took, 0 if it is full, -1 if it is broken. */
static ssize_t send_bytes(int fd, const char *data, size_t len)
{
	ssize_t sent = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return 0;
	return sent;
}

void subscriber_make_ready(struct subscriber *subscriber)
{
	struct fanout *fanout = subscriber->fanout;

	subscriber->state = READY;
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

static void bury(struct subscriber *subscriber)
{
	subscriber->next = subscriber->fanout->closed;
	subscriber->fanout->closed = subscriber;
}

void subscriber_close(struct subscriber *subscriber)
{
	bool reading = subscriber->state == READING;

	if (subscriber->state == CLOSED)
		return;
	subscriber->state = CLOSED;
	close(subscriber->fd);
	free(subscriber->pending);
	subscriber->pending = NULL;
	fanout_leave(subscriber->fanout, subscriber);
	/* Otherwise whoever holds it will bury it. */
	if (!reading && !subscriber->queued)
		bury(subscriber);
}

void subscriber_behind(struct subscriber *subscriber, uint64_t cursor, uint64_t entry)
{
	subscriber->cursor = cursor;
	subscriber->entry = entry;
	subscriber->skip = 0;
	subscriber->partial = 0;
	subscriber_make_ready(subscriber);
}

/* Keep a rest that must go first.  Without memory for it the stream ends. */
static void keep_pending(struct subscriber *subscriber, const char *data, size_t len)
{
	struct pending *pending = malloc(sizeof(*pending) + len);

	if (pending == NULL) {
		subscriber_close(subscriber);
		return;
	}
	pending->len = len;
	pending->done = 0;
	memcpy(pending->data, data, len);
	subscriber->pending = pending;
}

void subscriber_stopped(struct subscriber *subscriber, uint64_t cursor, uint64_t entry, size_t sent)
{
	const struct window *window = subscriber->fanout->server->window;
	const struct window_entry *one = window_entry(window, entry);

	while (sent >= one->len) {
		sent -= one->len;
		cursor = one->position;
		entry = atomic_load_explicit(&one->next, memory_order_acquire);
		one = window_entry(window, entry);
	}
	subscriber->state = WAITING;
	subscriber->sent = subscriber->fanout->now;
	subscriber->cursor = cursor;
	subscriber->entry = entry;
	subscriber->skip = (uint32_t)sent;
	subscriber->partial = sent > 0 ? one->position : 0;
	/* An ephemeral event is nowhere but in the window. */
	if (one->ephemeral && sent > 0) {
		subscriber->skip = 0;
		subscriber->partial = 0;
		subscriber->entry = entry + 1;
		keep_pending(subscriber, one->frame + sent, one->len - sent);
	}
}

/* --- from the log --- */

static void submit(struct subscriber *subscriber, struct replay *replay)
{
	struct fanout *fanout = subscriber->fanout;

	if (replay == NULL) {
		subscriber_close(subscriber);
		return;
	}
	replay->upto = fanout->position;
	replay->job.mailbox = fanout->mailbox;
	subscriber->entry = TOPIC_NO_ENTRY;
	subscriber->state = READING;
	worker_submit(fanout->server->worker, &replay->job);
}

/* The socket took the first ${sent} bytes of the chunk and no more. */
static void stopped_in_replay(
	struct subscriber *subscriber, const struct replay *replay, size_t sent)
{
	size_t start = 0, i = 0;

	for (; replay->marks[i].end <= sent; i++) {
		start = replay->marks[i].end;
		subscriber->cursor = replay->marks[i].position;
	}
	subscriber->state = WAITING;
	subscriber->skip = (uint32_t)(sent - start);
	subscriber->partial = sent > start ? replay->marks[i].position : 0;
	/* A start or a gap is told once: also if nothing of it was sent, it is kept. */
	if (!replay->marks[i].event) {
		subscriber->cursor = replay->marks[i].position;
		subscriber->skip = 0;
		subscriber->partial = 0;
		keep_pending(subscriber, replay->frames.data + sent, replay->marks[i].end - sent);
	}
}

/* A chunk came back from the replay thread. */
static void take_replay(struct message *message)
{
	struct replay *replay = (struct replay *)message;
	struct subscriber *subscriber = replay->subscriber;
	struct fanout *fanout = subscriber->fanout;
	size_t len = replay->frames.len, skip = subscriber->skip;
	ssize_t sent = 0;

	if (subscriber->state == CLOSED) {
		bury(subscriber);
	} else if (replay->failed) {
		subscriber->state = READY;
		subscriber_close(subscriber);
	} else {
		subscriber->state = READY;
		if (len > skip)
			sent = send_bytes(subscriber->fd, replay->frames.data + skip, len - skip);
		subscriber->sent = fanout->now;
		if (sent < 0)
			subscriber_close(subscriber);
		else if (len > skip && (size_t)sent < len - skip)
			stopped_in_replay(subscriber, replay, skip + (size_t)sent);
		else
			subscriber_behind(subscriber, replay->reached, TOPIC_NO_ENTRY);
	}
	worker_release(fanout->server->worker, replay->job.held);
	replay_free(replay);
}

static struct replay *new_replay(struct subscriber *subscriber)
{
	struct replay *replay =
		replay_new(subscriber->fanout->server, subscriber, subscriber->channel->name);

	if (replay == NULL)
		return NULL;
	replay->job.message.handle = take_replay;
	replay->after = subscriber->cursor;
	replay->partial = subscriber->partial;
	return replay;
}

/* --- from the window --- */

/* All before the boundary was sent. */
static void become_live(struct subscriber *subscriber, uint64_t entry)
{
	uint64_t boundary = subscriber->fanout->boundary;

	subscriber->state = LIVE;
	subscriber->skip = 0;
	subscriber->partial = 0;
	subscriber->entry = entry > boundary ? entry : boundary;
}

/*
 * Find and announce the entry to go on with.  False if it must come from the log.  The entry is
 * of the subscriber's topic, or at or beyond the boundary.
 */
static bool find_entry(struct subscriber *subscriber, uint64_t *entry)
{
	const struct fanout *fanout = subscriber->fanout;
	struct window *window = fanout->server->window;
	const struct topic *topic = subscriber->channel->topic;
	/* The rest of a frame goes first, not an ephemeral event that stands before it. */
	uint64_t position = subscriber->partial != 0 ? subscriber->partial - 1 : subscriber->cursor;
	uint64_t first;

	*entry = subscriber->entry;
	if ((*entry == TOPIC_NO_ENTRY || !window_announce(window, fanout->reader, *entry)) &&
		!window_seek(window, fanout->reader, position, entry))
		return false;
	if (*entry >= fanout->boundary || topic == NULL ||
		window_entry(window, *entry)->topic == topic)
		return true;
	first = window_first_of(window, topic, *entry);
	*entry = first < fanout->boundary ? first : fanout->boundary;
	return true;
}

/* Send from the window.  False if the next frame is in the log only. */
static bool serve_from_window(struct subscriber *subscriber, uint64_t entry)
{
	struct fanout *fanout = subscriber->fanout;
	struct window_chunk chunk;
	ssize_t sent;

	if (entry >= fanout->boundary || subscriber->channel->topic == NULL) {
		become_live(subscriber, entry);
		return true;
	}
	window_gather(fanout->server->window, entry, fanout->boundary, subscriber->cursor,
		subscriber->skip, &chunk);
	if (chunk.count == 0)
		return false;
	sent = window_send(subscriber->fd, &chunk);
	if (sent < 0) {
		subscriber_close(subscriber);
	} else if ((size_t)sent < chunk.len) {
		subscriber_stopped(
			subscriber, subscriber->cursor, entry, subscriber->skip + (size_t)sent);
	} else if (chunk.end < fanout->boundary) {
		subscriber->sent = fanout->now;
		subscriber_behind(subscriber, chunk.position, chunk.end);
	} else {
		subscriber->sent = fanout->now;
		subscriber->cursor = chunk.position;
		become_live(subscriber, chunk.end);
	}
	return true;
}

/* Send what must go first.  True when it is gone. */
static bool send_pending(struct subscriber *subscriber)
{
	struct pending *pending = subscriber->pending;
	ssize_t sent;

	if (pending == NULL)
		return true;
	sent = send_bytes(
		subscriber->fd, pending->data + pending->done, pending->len - pending->done);
	if (sent < 0) {
		subscriber_close(subscriber);
		return false;
	}
	pending->done += (size_t)sent;
	if (pending->done < pending->len) {
		subscriber->state = WAITING;
		return false;
	}
	free(pending);
	subscriber->pending = NULL;
	return true;
}

void subscriber_serve(struct subscriber *subscriber)
{
	struct fanout *fanout = subscriber->fanout;
	uint64_t entry;
	bool served;

	if (subscriber->state == CLOSED)
		bury(subscriber);
	if (subscriber->state != READY || !send_pending(subscriber))
		return;
	if (!find_entry(subscriber, &entry)) {
		submit(subscriber, new_replay(subscriber));
		return;
	}
	served = serve_from_window(subscriber, entry);
	window_withdraw(fanout->server->window, fanout->reader);
	if (!served)
		submit(subscriber, new_replay(subscriber));
}

/* --- the life of a stream --- */

static void ready(struct source *source, uint32_t events)
{
	struct subscriber *subscriber = (struct subscriber *)source;

	if (subscriber->state == CLOSED)
		return;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		subscriber_close(subscriber);
	else if ((events & EPOLLOUT) && subscriber->state == WAITING)
		subscriber_make_ready(subscriber);
}

/* Send the head, and where the stream starts if that is known already. */
static int send_head(
	struct subscriber *subscriber, const char *head, size_t head_len, const struct start *start)
{
	char bytes[2048], id[IDENTITY_TEXT];
	size_t len = head_len;

	if (head_len + sizeof(id) + 8 > sizeof(bytes))
		return -1;
	memcpy(bytes, head, head_len);
	if (start->kind == START_NOW || start->kind == START_AFTER) {
		identity_format(
			&subscriber->fanout->server->store->identity, subscriber->cursor, id);
		len += (size_t)snprintf(bytes + len, sizeof(bytes) - len, "id: %s\n\n", id);
	}
	return send_bytes(subscriber->fd, bytes, len) == (ssize_t)len ? 0 : -1;
}

static void begin(struct subscriber *subscriber, const struct start *start)
{
	struct replay *replay;

	switch (start->kind) {
	case START_NOW:
		become_live(subscriber, subscriber->fanout->boundary);
		break;
	case START_AFTER:
		subscriber_make_ready(subscriber);
		break;
	case START_UNKNOWN:
	case START_SINCE:
		replay = new_replay(subscriber);
		if (replay != NULL) {
			replay->after = 0;
			replay->from_time = start->kind == START_SINCE;
			replay->since = start->since;
			if (start->kind == START_UNKNOWN &&
				(replay->unknown = strdup(start->unknown)) == NULL) {
				replay_free(replay);
				replay = NULL;
			}
		}
		submit(subscriber, replay);
		break;
	}
}

void subscriber_open(struct fanout *fanout, int fd, const char *topic, const char *head,
	size_t head_len, const struct start *start)
{
	struct subscriber *subscriber = calloc(1, sizeof(*subscriber));
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLRDHUP | EPOLLOUT | EPOLLET, .data.ptr = subscriber};

	if (subscriber == NULL)
		goto err0;
	subscriber->source.ready = ready;
	subscriber->fd = fd;
	subscriber->fanout = fanout;
	subscriber->sent = fanout->now;
	subscriber->cursor = start->kind == START_AFTER ? start->after : fanout->position;
	subscriber->entry = TOPIC_NO_ENTRY;
	if (fanout_join(fanout, subscriber, topic) != 0)
		goto err1;
	if (epoll_ctl(fanout->epoll, EPOLL_CTL_ADD, fd, &event) != 0 ||
		send_head(subscriber, head, head_len, start) != 0) {
		subscriber->state = READY;
		subscriber_close(subscriber);
		return;
	}
	begin(subscriber, start);
	return;

err1:
	free(subscriber);
err0:
	close(fd);
}

void subscriber_heartbeat(struct subscriber *subscriber)
{
	static const char comment[] = ":\n\n";
	ssize_t sent;

	if (subscriber->state != LIVE)
		return;
	sent = send_bytes(subscriber->fd, comment, sizeof(comment) - 1);
	/* Full means that bytes are on their way, which will do for a sign of life. */
	if (sent == sizeof(comment) - 1 || sent == 0)
		subscriber->sent = subscriber->fanout->now;
	else
		subscriber_close(subscriber);
}
