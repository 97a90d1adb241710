/* SPDX-License-Identifier: MIT */
/* Opening a stream; see opening.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "access/principal.h"
#include "denial.h"
#include "log/identity.h"
#include "opening.h"
#include "subscriber.h"
#include "transport.h"
#include "wheel.h"
#include "words.h"

/* The name is present from here on.  Takes the opening's lease. */
static void attend(struct subscriber *subscriber, struct opening *opening)
{
	bool changed;

	if (opening->lease == NULL)
		return;
	subscriber->named = true;
	((struct extended_subscriber *)subscriber)->lease = opening->lease;
	changed = presence_enter(opening->lease);
	if (opening->was[0] != '\0')
		changed = presence_forgo(opening->lease, opening->was) || changed;
	if (changed)
		mailbox_wake(subscriber->fanout->shared->teller);
	opening->lease = NULL;
}

/* Send the head, and where the stream starts if that is known already. */
static int send_head(struct subscriber *subscriber, const struct opening *opening)
{
	char id[IDENTITY_TEXT];
	struct buf bytes;
	bool sent;

	if (form_is_list(opening->selection->form))
		return 0;
	buf_init(&bytes, OPENING_HEAD + 256);
	identity_format(subscriber->fanout->shared->identity, subscriber->cursor, id);
	sent = buf_add(&bytes, opening->head, opening->head_len) &&
	       ((opening->start.kind != START_NOW && opening->start.kind != START_AFTER) ||
		       words_start(opening->selection->form, id, &bytes)) &&
	       subscriber_write(subscriber, bytes.data, bytes.len) == (ssize_t)bytes.len;
	buf_free(&bytes);
	return sent ? 0 : -1;
}

void opening_free(struct opening *opening)
{
	if (opening->fd >= 0)
		transport_close(opening->fd, opening->tls);
	selection_drop(opening->selection);
	principal_drop(opening->principal);
	if (opening->lease != NULL)
		presence_leave(opening->lease, 0);
	poll_reply_free(opening->reply);
	free(opening->start.unknown);
	free(opening->record);
	free(opening);
}

/* It waits from here on.  Takes the opening's reply.  Return 0, or -1 without memory. */
static int begin_wait(struct subscriber *subscriber, struct opening *opening)
{
	struct polling_subscriber *polling = subscriber_polling(subscriber);
	struct fanout *fanout = subscriber->fanout;

	subscriber->polls = true;
	polling->deadline.due = fanout->now + opening->wait;
	if (deadlines_add(&fanout->deadlines, &polling->deadline) != 0)
		return -1;
	polling->reply = opening->reply;
	opening->reply = NULL;
	return 0;
}

static size_t size_of(const struct opening *opening)
{
	if (opening->polls)
		return sizeof(struct polling_subscriber);
	return opening->lease != NULL || opening->ends || opening->start.kind == START_LATEST
		       ? sizeof(struct extended_subscriber)
		       : sizeof(struct subscriber);
}

/* All zero, with its record.  NULL without memory. */
static struct subscriber *new_subscriber(const struct opening *opening)
{
	size_t size = size_of(opening);
	struct stream_record *record;
	struct subscriber *subscriber;

	if (opening->record == NULL)
		return calloc(1, size);
	record = calloc(1, sizeof(*record) + size);
	if (record == NULL)
		return NULL;
	*record = *opening->record;
	subscriber = (struct subscriber *)(void *)(record + 1);
	subscriber->logged = true;
	return subscriber;
}

/* It is in no channel yet.  Return 0, or -1. */
static int join(struct subscriber *subscriber, const struct opening *opening)
{
	struct fanout *fanout = subscriber->fanout;

	if (!subscriber_watch(subscriber, EPOLL_CTL_ADD))
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
	struct subscriber *subscriber = !fanout->ended ? new_subscriber(opening) : NULL;

	if (subscriber == NULL)
		goto err0;
	subscriber->source.ready = subscriber_ready;
	subscriber->fd = opening->fd;
	subscriber->tls = opening->tls;
	subscriber->fanout = fanout;
	subscriber->address = opening->address;
	subscriber->principal = principal_hold(opening->principal);
	subscriber->sent = fanout->now;
	subscriber->cursor =
		opening->start.kind == START_AFTER ? opening->start.after : fanout->position;
	subscriber->entry = TOPIC_NO_ENTRY;
	subscriber->marked = opening->marked;
	subscriber->latest = opening->start.kind == START_LATEST;
	if (opening->ends)
		subscriber_set_end(subscriber);
	denial_expect(fanout, subscriber->principal);
	if (join(subscriber, opening) != 0)
		goto err1;
	/* From here on, subscriber_close() undoes everything. */
	opening->fd = -1;
	opening->tls = NULL;
	/*
	 * A client that has read the head is present, and its stream is LIVE before the join is
	 * sent.
	 */
	attend(subscriber, opening);
	if ((!opening->polls || begin_wait(subscriber, opening) == 0) &&
		send_head(subscriber, opening) == 0)
		catch_up_start(subscriber, &opening->start);
	else
		subscriber_close(subscriber, STREAM_END_MEMORY);
	opening_free(opening);
	return;

err1:
	principal_drop(subscriber->principal);
	subscriber_free(subscriber);
err0:
	channel_unplace(fanout);
	limits_release(fanout->shared->limits, opening->address);
	opening_free(opening);
}
