/* SPDX-License-Identifier: MIT */
/* Subscribers; see subscriber.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/counter.h"
#include "channel.h"
#include "replay.h"
#include "subscriber.h"
#include "wheel.h"

/* Bytes to send before anything else: the rest of data that cannot be made again. */
struct pending {
	size_t len, done;
	uint32_t events; /* whose frames end in it */
	char data[];
};

/* Has it still to get something? */
static bool is_behind(uint8_t state)
{
	return state == READY || state == WAITING || state == READING;
}

static void set_state(struct subscriber *subscriber, uint8_t state)
{
	if (is_behind(subscriber->state) != is_behind(state))
		counter_add(&subscriber->fanout->behind, is_behind(state) ? 1 : UINT64_MAX);
	subscriber->state = state;
}

void subscriber_make_ready(struct subscriber *subscriber)
{
	struct fanout *fanout = subscriber->fanout;

	set_state(subscriber, READY);
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

/* The name is present from here on.  Takes the opening's lease. */
static void attend(struct subscriber *subscriber, struct opening *opening)
{
	if (opening->lease == NULL)
		return;
	subscriber->named = true;
	((struct named_subscriber *)subscriber)->lease = opening->lease;
	if (presence_enter(opening->lease))
		mailbox_wake(subscriber->fanout->shared->teller);
	opening->lease = NULL;
}

static void leave(struct subscriber *subscriber)
{
	const struct fanout *fanout = subscriber->fanout;

	if (subscriber->named &&
		presence_leave(((struct named_subscriber *)subscriber)->lease, fanout->now))
		mailbox_wake(fanout->shared->teller);
}

void subscriber_close(struct subscriber *subscriber)
{
	bool reading = subscriber->state == READING;

	if (subscriber->state == CLOSED)
		return;
	set_state(subscriber, CLOSED);
	/* The HTTP library may not have closed its descriptor of the same socket yet. */
	epoll_ctl(subscriber->fanout->epoll, EPOLL_CTL_DEL, subscriber->fd, NULL);
	close(subscriber->fd);
	free(subscriber->pending);
	subscriber->pending = NULL;
	limits_release(subscriber->fanout->shared->limits, subscriber->address);
	wheel_remove(subscriber);
	channel_leave(subscriber->fanout, subscriber);
	leave(subscriber);
	/* Otherwise its holder will bury it. */
	if (!reading && !subscriber->queued)
		bury(subscriber);
}

/* The view of the window that it wants now. */
static struct window_view view_of(const struct subscriber *subscriber)
{
	struct window_view view = subscriber->channel->view;

	view.stored = subscriber->resumed;
	return view;
}

void subscriber_behind(struct subscriber *subscriber, uint64_t cursor, uint64_t entry)
{
	subscriber->cursor = cursor;
	subscriber->entry = entry;
	subscriber->skip = 0;
	subscriber->partial = 0;
	subscriber_make_ready(subscriber);
}

/* --- sending --- */

/* The server's figures of itself are no part of them. */
static void count_delivered(struct subscriber *subscriber, uint32_t events)
{
	if (!subscriber->channel->system)
		counter_add(&subscriber->fanout->delivered, events);
}

/* The socket is full: epoll will tell. */
static void wait_for_room(struct subscriber *subscriber)
{
	set_state(subscriber, WAITING);
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
		subscriber_close(subscriber);
	}
	return sent;
}

ssize_t subscriber_write(struct subscriber *subscriber, const char *data, size_t len)
{
	return take_result(
		subscriber, send(subscriber->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT));
}

static ssize_t send_pieces(struct subscriber *subscriber, const struct frames *frames)
{
	const struct iovec *pieces = frames->pieces;
	struct msghdr message;

	if (frames->count == 1)
		return subscriber_write(subscriber, pieces->iov_base, frames->len);
	message = (struct msghdr){
		.msg_iov = (struct iovec *)(uintptr_t)pieces, .msg_iovlen = (size_t)frames->count};
	return take_result(
		subscriber, sendmsg(subscriber->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT));
}

/* Keep a rest that must go first.  Without memory for it the stream ends. */
static void keep_pending(
	struct subscriber *subscriber, const char *data, size_t len, uint32_t events)
{
	struct pending *pending = malloc(sizeof(*pending) + len);

	if (pending == NULL) {
		subscriber_close(subscriber);
		return;
	}
	*pending = (struct pending){.len = len, .events = events};
	memcpy(pending->data, data, len);
	subscriber->pending = pending;
}

/* It is WAITING, and will go on from there. */
static void stop_at(struct subscriber *subscriber, const struct frames_stop *stop)
{
	wait_for_room(subscriber);
	/* One that joined ahead of the boundary has a cursor beyond it. */
	if (stop->cursor > subscriber->cursor)
		subscriber->cursor = stop->cursor;
	subscriber->entry = stop->entry;
	subscriber->skip = (uint32_t)stop->sent;
	subscriber->partial = stop->sent > 0 ? stop->position : 0;
	/* An ephemeral event is nowhere but in the window. */
	if (stop->ephemeral && stop->sent > 0) {
		subscriber->entry = stop->entry + 1;
		subscriber->skip = 0;
		subscriber->partial = 0;
		keep_pending(subscriber, stop->unsent.iov_base, stop->unsent.iov_len, 1);
	}
}

bool subscriber_send(struct subscriber *subscriber, const struct frames *frames)
{
	ssize_t sent = send_pieces(subscriber, frames);
	struct frames_stop stop;

	if (sent == (ssize_t)frames->len) {
		count_delivered(subscriber, frames->events);
		return true;
	}
	if (sent >= 0) {
		frames_find_stop(frames, (size_t)sent, &stop);
		count_delivered(subscriber, stop.events);
		stop_at(subscriber, &stop);
	}
	return false;
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
	subscriber->entry = TOPIC_NO_ENTRY;
	subscriber->resumed = true;
	set_state(subscriber, READING);
	replay_submit(replay, fanout->mailbox);
}

/*
 * Send what must go first.  True when it is gone; otherwise the subscriber waits for room, or is
 * closed.
 */
static bool send_pending(struct subscriber *subscriber)
{
	struct pending *pending = subscriber->pending;
	ssize_t sent;

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

static void send_replay(struct subscriber *subscriber, const struct replay *replay)
{
	struct frames frames;

	if (replay->events > 0) {
		frames_of_replay(&frames, replay, subscriber->skip);
		if (!subscriber_send(subscriber, &frames))
			return;
	}
	subscriber_behind(subscriber, replay->reached, TOPIC_NO_ENTRY);
}

/* A chunk came back from the replay thread. */
static void take_replay(struct message *message)
{
	struct replay *replay = (struct replay *)message;
	struct subscriber *subscriber = replay->subscriber;

	if (subscriber->state == CLOSED) {
		bury(subscriber);
		replay_free(replay);
		return;
	}
	set_state(subscriber, READY);
	if (replay->failed) {
		subscriber_close(subscriber);
	} else {
		subscriber->told = replay->told;
		/* A start or a gap is sent once, so it is kept until then. */
		if (replay->prefix.len > 0) {
			subscriber->cursor = replay->after;
			keep_pending(subscriber, replay->prefix.data, replay->prefix.len, 0);
		}
		if (subscriber->state == READY && send_pending(subscriber))
			send_replay(subscriber, replay);
	}
	replay_free(replay);
}

static struct replay *new_replay(struct subscriber *subscriber)
{
	struct replay *replay = replay_new(
		subscriber->fanout->shared->replayer, subscriber, subscriber->channel->selection);

	if (replay == NULL)
		return NULL;
	replay->job.message.handle = take_replay;
	replay->after = subscriber->cursor;
	replay->told = subscriber->told;
	replay->partial = subscriber->partial;
	return replay;
}

/* --- from the window --- */

/* All before the boundary was sent. */
static void become_live(struct subscriber *subscriber, uint64_t entry)
{
	uint64_t boundary = subscriber->fanout->boundary;

	set_state(subscriber, LIVE);
	subscriber->resumed = false;
	subscriber->skip = 0;
	subscriber->partial = 0;
	subscriber->entry = entry > boundary ? entry : boundary;
}

/*
 * Find and announce the entry to go on with: all of the view before it was sent.  False if it
 * must come from the log: the window does not reach back so far, or retention has removed an
 * event that the window may still have: a list would not show it, and only the log tells the gap.
 */
static bool find_entry(struct subscriber *subscriber, uint64_t *entry)
{
	const struct fanout *fanout = subscriber->fanout;
	struct window *window = fanout->shared->window;
	/* The rest of a frame goes first, not an ephemeral event that comes before it. */
	uint64_t position = subscriber->partial != 0 ? subscriber->partial - 1 : subscriber->cursor;
	uint64_t removed = topic_set_removed(&subscriber->channel->topics);

	if (subscriber->partial == 0 && removed > position)
		return false;
	*entry = subscriber->entry;
	return (*entry != TOPIC_NO_ENTRY && window_announce(window, fanout->reader, *entry)) ||
	       window_seek(window, fanout->reader, position, entry);
}

/* Send from the window.  False if the next frame is in the log only. */
static bool serve_from_window(struct subscriber *subscriber, uint64_t entry)
{
	struct fanout *fanout = subscriber->fanout;
	const struct window_view view = view_of(subscriber);
	struct window_chunk chunk;
	struct frames frames;

	if (entry >= fanout->boundary) {
		become_live(subscriber, entry);
		return true;
	}
	window_gather(fanout->shared->window, &view, entry, fanout->boundary, subscriber->cursor,
		subscriber->skip, &chunk);
	if (chunk.count == 0 && chunk.missing)
		return false;
	if (chunk.count > 0) {
		frames_of_window(&frames, fanout->shared->window, &chunk);
		if (!subscriber_send(subscriber, &frames))
			return true;
	}
	if (chunk.end < fanout->boundary) {
		subscriber_behind(subscriber, chunk.position, chunk.end);
	} else {
		subscriber->cursor = chunk.position;
		become_live(subscriber, chunk.end);
	}
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
	window_withdraw(fanout->shared->window, fanout->reader);
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
static int send_head(struct subscriber *subscriber, const struct opening *opening)
{
	char bytes[OPENING_HEAD + IDENTITY_TEXT + 8], id[IDENTITY_TEXT];
	size_t len = opening->head_len;

	memcpy(bytes, opening->head, len);
	if (opening->start.kind == START_NOW || opening->start.kind == START_AFTER) {
		identity_format(subscriber->fanout->shared->identity, subscriber->cursor, id);
		len += (size_t)snprintf(bytes + len, sizeof(bytes) - len, "id: %s\n\n", id);
	}
	return subscriber_write(subscriber, bytes, len) == (ssize_t)len ? 0 : -1;
}

static void begin(struct subscriber *subscriber, struct start *start)
{
	struct replay *replay;

	switch (start->kind) {
	case START_NOW:
		become_live(subscriber, subscriber->fanout->boundary);
		break;
	case START_AFTER:
		subscriber->resumed = true;
		subscriber_make_ready(subscriber);
		break;
	case START_UNKNOWN:
	case START_SINCE:
		replay = new_replay(subscriber);
		if (replay != NULL) {
			replay->after = 0;
			replay->from_time = start->kind == START_SINCE;
			replay->since = start->since;
			replay->unknown = start->unknown;
			start->unknown = NULL;
		}
		submit(subscriber, replay);
		break;
	}
}

void opening_free(struct opening *opening)
{
	if (opening->fd >= 0)
		close(opening->fd);
	selection_drop(opening->selection);
	if (opening->lease != NULL)
		presence_leave(opening->lease, 0);
	free(opening->start.unknown);
	free(opening);
}

/* It is in no channel yet.  Return 0, or -1. */
static int join(struct subscriber *subscriber, const struct opening *opening)
{
	struct fanout *fanout = subscriber->fanout;
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLRDHUP | EPOLLOUT | EPOLLET, .data.ptr = subscriber};

	if (epoll_ctl(fanout->epoll, EPOLL_CTL_ADD, opening->fd, &event) != 0)
		return -1;
	if (channel_join(fanout, subscriber, opening->selection) != 0) {
		epoll_ctl(fanout->epoll, EPOLL_CTL_DEL, opening->fd, NULL);
		return -1;
	}
	/* The wheel stood still while there was no stream. */
	if (fanout->streams == 1)
		fanout->wheel_due = fanout->now;
	wheel_put(fanout, subscriber);
	return 0;
}

void subscriber_open(struct opening *opening)
{
	struct fanout *fanout = opening->fanout;
	size_t size = opening->lease != NULL ? sizeof(struct named_subscriber)
					     : sizeof(struct subscriber);
	struct subscriber *subscriber = !fanout->ended ? calloc(1, size) : NULL;

	if (subscriber == NULL)
		goto err0;
	subscriber->source.ready = ready;
	subscriber->fd = opening->fd;
	subscriber->fanout = fanout;
	subscriber->address = opening->address;
	subscriber->sent = fanout->now;
	subscriber->cursor =
		opening->start.kind == START_AFTER ? opening->start.after : fanout->position;
	subscriber->entry = TOPIC_NO_ENTRY;
	if (join(subscriber, opening) != 0)
		goto err1;
	/* From here on closing the subscriber is what undoes it all. */
	opening->fd = -1;
	/*
	 * A client that has read the head is present, and its stream is LIVE before the join is
	 * sent.
	 */
	attend(subscriber, opening);
	if (send_head(subscriber, opening) == 0)
		begin(subscriber, &opening->start);
	else
		subscriber_close(subscriber);
	opening_free(opening);
	return;

err1:
	free(subscriber);
err0:
	channel_unplace(fanout);
	limits_release(fanout->shared->limits, opening->address);
	opening_free(opening);
}

/* --- silence --- */

/* Send a comment.  False if the socket is full. */
static bool heartbeat(struct subscriber *subscriber)
{
	static const char comment[] = ":\n\n";
	ssize_t sent = subscriber_write(subscriber, comment, sizeof(comment) - 1);

	/* A part of it cannot be taken back. */
	if (sent > 0 && sent < (ssize_t)sizeof(comment) - 1)
		subscriber_close(subscriber);
	return sent != 0;
}

/* Has the reader taken anything since it was last looked at?  Its end of the socket tells. */
static bool reads(struct subscriber *subscriber)
{
	int queued = 0;
	bool fewer;

	/* SIOCOUTQ by the name that needs no header of the kernel. */
	if (ioctl(subscriber->fd, TIOCOUTQ, &queued) != 0)
		return false;
	fewer = subscriber->unread > (uint32_t)queued;
	subscriber->unread = (uint32_t)queued;
	return fewer;
}

void subscriber_look(struct subscriber *subscriber, uint32_t margin)
{
	const struct fanout *fanout = subscriber->fanout;
	const struct fanouts *shared = fanout->shared;
	uint32_t silent = fanout->now - subscriber->sent;
	bool full = false;

	if (subscriber->state == LIVE && silent + margin > shared->heartbeat)
		full = !heartbeat(subscriber);
	else if (subscriber->state == WAITING && reads(subscriber))
		subscriber->sent = fanout->now;
	else
		full = subscriber->state == WAITING;
	if (full && silent >= shared->stall_timeout)
		subscriber_close(subscriber);
}
