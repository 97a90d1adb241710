/* SPDX-License-Identifier: MIT */
/* Opening a stream; see opening.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "log/identity.h"
#include "opening.h"
#include "subscriber.h"
#include "wheel.h"

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

void opening_start(struct opening *opening)
{
	struct fanout *fanout = opening->fanout;
	size_t size = opening->lease != NULL ? sizeof(struct named_subscriber)
					     : sizeof(struct subscriber);
	struct subscriber *subscriber = !fanout->ended ? calloc(1, size) : NULL;

	if (subscriber == NULL)
		goto err0;
	subscriber->source.ready = subscriber_ready;
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
		catch_up_start(subscriber, &opening->start);
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
