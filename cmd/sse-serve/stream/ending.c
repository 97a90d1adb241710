/* SPDX-License-Identifier: MIT */
/* Streams of closed topics; see ending.h. */
#include "closings.h"
#include "ending.h"
#include "log/closing.h"
#include "log/envelope.h"
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
	/* The subscriber may be ahead of the fan-out. */
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

/* Without an id: a client that resumed after it would miss the closings that follow. */
static bool add_closing(enum form form, struct topic *topic, const char *id, struct buf *out)
{
	struct event event;
	struct buf data;
	bool added;

	closing_make(&event, topic);
	buf_init(&data, 4096);
	added = form == FORM_PLAIN ? buf_add_text(&data, CLOSING_DATA)
				   : envelope_add(&data, &event, id);
	if (form == FORM_LINE)
		added = added && buf_add(out, data.data, data.len) && buf_add_byte(out, '\n');
	else
		added = added && buf_add_byte(&data, '\0') &&
			words_event(form, CLOSING_TYPE, id, data.data, out);
	buf_free(&data);
	return added;
}

/* The closings up to ${upto} of these topics; only the channel's last event has an id. */
static bool add_closings(const struct subscriber *subscriber, const struct topic_set *topics,
	uint64_t upto, struct buf *out)
{
	const struct channel *channel = subscriber->channel;
	struct topic *topic = closings_next(topics, 0, upto);
	char id[IDENTITY_TEXT];
	bool added = true;

	identity_format(subscriber->fanout->shared->identity, channel->end, id);
	while (added && topic != NULL) {
		uint64_t position = topic->closed;

		added = add_closing(
			channel->selection->form, topic, position == channel->end ? id : NULL, out);
		topic = closings_next(topics, position, upto);
	}
	return added;
}

bool ending_add_past(const struct subscriber *subscriber, uint64_t position, struct buf *out)
{
	const struct channel *channel = subscriber->channel;

	if (subscriber->polls || channel->selection->wildcards ||
		form_is_list(channel->selection->form) ||
		(channel->end != 0 && channel->end <= position) || !channel_wants_closing(channel))
		return true;
	return add_closings(subscriber, &channel->topics, position, out);
}

bool ending_tell(struct subscriber *subscriber)
{
	const struct channel *channel = subscriber->channel;
	struct topic_set topics = {0};
	struct buf event;
	bool added;

	if (subscriber->had_end)
		return true;
	buf_init(&event, SIZE_MAX / 2);
	/*
	 * Asks the registry of topics, because the channel may not have learned of all of them yet.
	 */
	added = selection_topics(channel->selection, subscriber->fanout->shared->topics, &topics) ==
			0 &&
		add_closings(subscriber, &topics, channel->end, &event);
	subscriber_keep_words(subscriber, added, &event);
	topic_set_free(&topics);
	subscriber->had_end = true;
	return subscriber->state != CLOSED && subscriber_send_pending(subscriber);
}
