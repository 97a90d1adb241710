/* SPDX-License-Identifier: MIT */
/* Streams that end one after the other; see draining.h. */
#include <sys/random.h>
#include <time.h>

#include "catch_up.h"
#include "draining.h"
#include "poll.h"
#include "subscriber.h"
#include "words.h"

/* A server that is started again answers by then. */
#define RESTART_MS 1000

uint32_t draining_retry(uint32_t left, uint32_t spread, uint32_t random)
{
	return left + RESTART_MS + (spread > 0 ? random % spread : 0);
}

void draining_begin(
	struct draining *draining, const struct leaving *leaving, const struct fanout *fanout)
{
	*draining = (struct draining){
		.leaving = leaving, .began = fanout->now, .total = fanout->streams};
}

/* Does it end when its turn comes?  A poll whose wait is over already ends by itself. */
static bool takes_turns(const struct subscriber *subscriber)
{
	return subscriber->polls ? subscriber_waits(subscriber) && !poll_is_over(subscriber)
				 : !subscriber->ends;
}

/*
 * A stream in the middle of an event is not sent `retry`: its client uses the one from the start.
 */
static void tell(struct subscriber *subscriber, uint32_t left, uint32_t spread)
{
	uint32_t random = 0;
	struct buf words;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = (uint32_t)time(NULL);
	buf_init(&words, 64);
	if (words_retry(subscriber->channel->selection->form, draining_retry(left, spread, random),
		    &words) &&
		words.len > 0)
		subscriber_write(subscriber, words.data, words.len);
	buf_free(&words);
}

static void end_turn(struct subscriber *subscriber, uint32_t left, uint32_t spread)
{
	if (subscriber->polls) {
		catch_up_finish(subscriber);
		return;
	}
	if (subscriber->state == LIVE)
		tell(subscriber, left, spread);
	subscriber_close(subscriber, STREAM_END_STOPPED);
}

/* End up to so many of the channel's, from the last to the first, as its pass goes. */
static size_t end_some(struct channel *channel, size_t count, uint32_t left, uint32_t spread)
{
	uint32_t i = channel->count;
	size_t ended = 0;

	while (i > 0 && ended < count) {
		struct subscriber *subscriber = channel->subscribers[--i];
		bool last = channel->count == 1;

		if (!takes_turns(subscriber))
			continue;
		end_turn(subscriber, left, spread);
		ended++;
		/* With the last one goes the channel. */
		if (last)
			break;
	}
	return ended;
}

void draining_run(const struct draining *draining, struct fanout *fanout)
{
	uint32_t span = draining->leaving->span, since = fanout->now - draining->began;
	uint32_t left = since < span ? span - since : 0, share;
	struct channel *channel = fanout->channels, *next;
	size_t stay, count;

	if (span == 0)
		return;
	stay = (size_t)((uint64_t)draining->total * left / span);
	/* The first ends at once, and so the last ends before the span does. */
	share = draining->total > 0 ? (uint32_t)(span / draining->total) : span;
	left = left > share ? left - share : 0;
	count = fanout->streams > stay ? fanout->streams - stay : 0;
	for (; channel != NULL && count > 0; channel = next) {
		next = channel->next;
		count -= end_some(channel, count, left, draining->leaving->spread);
	}
}

bool draining_busy(const struct draining *draining, const struct fanout *fanout)
{
	/* Includes the streams that are on their way from another loop. */
	if (draining->leaving->span > 0)
		return fanout->placed > 0;
	for (const struct channel *one = fanout->channels; one != NULL; one = one->next) {
		for (uint32_t i = 0; i < one->count; i++) {
			if (one->subscribers[i]->ends)
				return true;
		}
	}
	return false;
}
