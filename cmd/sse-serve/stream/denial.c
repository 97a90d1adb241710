/* SPDX-License-Identifier: MIT */
/* Ends streams whose proof has ended; see denial.h. */
#include <stdio.h>

#include "access/principal.h"
#include "catch_up.h"
#include "clock.h"
#include "denial.h"
#include "subscriber.h"
#include "words.h"

void denial_expect(struct fanout *fanout, const struct principal *principal)
{
	int64_t expires;

	if (principal == NULL)
		return;
	expires = principal_over(principal, clock_wall_ms()) == NULL ? principal_expires(principal)
								     : 0;
	if (expires < fanout->denial_due)
		fanout->denial_due = expires;
}

/* In the middle of another event, this one would damage both. */
static bool is_between_events(const struct subscriber *subscriber)
{
	return subscriber->skip == 0 && subscriber->pending == NULL;
}

static void deny(struct subscriber *subscriber, const char *reason)
{
	char data[160];
	struct buf event;

	/* The next request of a list that waits is answered 401; nothing may come within a list. */
	if (form_is_list(subscriber->channel->selection->form)) {
		if (subscriber_waits(subscriber) && subscriber->state == LIVE)
			catch_up_finish(subscriber);
		subscriber_close(subscriber, STREAM_END_DENIED);
		return;
	}
	buf_init(&event, 256);
	snprintf(data, sizeof(data), "{\"reason\":\"%s\"}", reason);
	/*
	 * If the socket is full, the event is not sent: the client's next request is answered 401.
	 */
	if (is_between_events(subscriber) &&
		words_event(subscriber->channel->selection->form, "denied", NULL, data, &event))
		subscriber_write(subscriber, event.data, event.len);
	buf_free(&event);
	subscriber_close(subscriber, STREAM_END_DENIED);
}

/*
 * From the last to the first: the last takes the place of one that ends.  With its last subscriber
 * the channel may be gone.
 */
static void look_at_channel(struct channel *channel, int64_t now, int64_t *due)
{
	for (uint32_t i = channel->count; i > 0; i--) {
		struct subscriber *subscriber = channel->subscribers[i - 1];
		const char *reason = principal_over(subscriber->principal, now);
		int64_t expires = principal_expires(subscriber->principal);

		if (reason != NULL)
			deny(subscriber, reason);
		else if (expires < *due)
			*due = expires;
	}
}

static void look_at_all(struct fanout *fanout, int64_t now)
{
	struct channel *next;

	fanout->denial_due = PRINCIPAL_FOREVER;
	for (struct channel *channel = fanout->channels; channel != NULL; channel = next) {
		next = channel->next;
		look_at_channel(channel, now, &fanout->denial_due);
	}
}

int denial_look(struct fanout *fanout)
{
	uint64_t changes;
	int64_t now;

	if (fanout->shared->access_changes == NULL || fanout->streams == 0)
		return -1;
	changes = *fanout->shared->access_changes;
	now = clock_wall_ms();
	if (changes != fanout->access_changes || now >= fanout->denial_due) {
		fanout->access_changes = changes;
		look_at_all(fanout, now);
	}
	/* The clock may be set. */
	return now + DENIAL_LOOK_MS < fanout->denial_due ? DENIAL_LOOK_MS
							 : (int)(fanout->denial_due - now);
}
