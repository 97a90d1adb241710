/* SPDX-License-Identifier: MIT */
/* Streams of closed topics; see ending.h. */
#include <stdio.h>
#include <string.h>

#include "ending.h"
#include "log/closing.h"
#include "log/identity.h"
#include "subscriber.h"
#include "words.h"

void ending_pass(const struct fanout *fanout, struct channel *channel)
{
	if (channel->end == 0 || channel->end > fanout->position)
		return;
	for (uint32_t i = 0; i < channel->count; i++) {
		struct subscriber *subscriber = channel->subscribers[i];

		if (subscriber->state != LIVE)
			continue;
		subscriber->had_end = channel_wants_closing(channel);
		subscriber_reach_boundary(subscriber);
		subscriber_make_ready(subscriber);
	}
}

void ending_note(struct subscriber *subscriber, const struct replay *replay)
{
	/* It may be ahead of what the fan-out has come to. */
	if (replay->reached > subscriber->fanout->position)
		channel_find_end(subscriber->fanout, subscriber->channel);
	if (replay_last(replay) == subscriber->channel->end)
		subscriber->had_end = true;
}

bool ending_is_due(const struct subscriber *subscriber, uint64_t position)
{
	uint64_t end = subscriber->channel->end;

	return end != 0 && (end <= position || end <= subscriber->cursor);
}

/* The topic that was closed last. */
static const char *last_topic(const struct channel *channel)
{
	const char *name = channel->selection->patterns[0];

	for (uint32_t i = 0; i < channel->topics.count; i++) {
		if (channel->topics.topics[i]->closed == channel->end)
			name = channel->topics.topics[i]->name;
	}
	return name;
}

/* Its event is not in the log any more, or not wanted; so the time of it is not known. */
static bool add_closing(const struct subscriber *subscriber, struct buf *event)
{
	const struct channel *channel = subscriber->channel;
	enum form form = channel->selection->form;
	char data[TOPIC_NAME_MAX + IDENTITY_TEXT + 64], id[IDENTITY_TEXT];

	identity_format(subscriber->fanout->shared->identity, channel->end, id);
	if (form == FORM_PLAIN)
		return words_event(form, CLOSING_TYPE, id, CLOSING_DATA, event);
	snprintf(data, sizeof(data),
		"{\"topic\":\"%s\",\"id\":\"%s\",\"event\":\"" CLOSING_TYPE
		"\",\"data\":" CLOSING_DATA "}",
		last_topic(channel), id);
	if (form == FORM_LINE)
		return buf_add_text(event, data) && buf_add_byte(event, '\n');
	return words_event(form, CLOSING_TYPE, id, data, event);
}

bool ending_tell(struct subscriber *subscriber)
{
	struct buf event;

	if (subscriber->had_end)
		return true;
	buf_init(&event, 4096);
	if (add_closing(subscriber, &event))
		subscriber_keep_pending(subscriber, event.data, event.len, 0);
	else
		subscriber_close(subscriber, STREAM_END_MEMORY);
	buf_free(&event);
	subscriber->had_end = true;
	return subscriber->state != CLOSED && subscriber_send_pending(subscriber);
}
