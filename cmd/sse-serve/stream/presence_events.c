/* SPDX-License-Identifier: MIT */
/* Publishes joins and leaves; see presence_events.h. */
#include <stdlib.h>
#include <string.h>

#include "presence_events.h"
#include "json.h"

/* Changes in one publish. */
#define CHANGES 64

/*
 * More than an event's data takes, even if each byte of the name is escaped.  It is allocated
 * beforehand, because a change that presence.c has returned must be announced.
 */
#define DATA_MAX (64 + 6 * NAME_MAX_BYTES)

/* When the log's queue is full: how long until the next try, ms. */
#define PAUSE_MS 20

struct presence_events {
	struct publish publish; /* first */
	struct presence *presence;
	struct log_thread *log_thread;
	bool busy; /* the events are with the log thread */
	struct store_append appends[CHANGES];
	struct presence_change changes[CHANGES]; /* whose topics they name */
	struct buf data[CHANGES];		 /* of the events */
};

static void back(struct message *message)
{
	struct presence_events *presence_events = (struct presence_events *)message;

	presence_events->busy = false;
	presence_events->publish.group.count = 0;
}

struct presence_events *presence_events_new(
	struct presence *presence, struct log_thread *log_thread, struct mailbox *mailbox)
{
	struct presence_events *presence_events = calloc(1, sizeof(*presence_events));

	if (presence_events == NULL)
		return NULL;
	presence_events->presence = presence;
	presence_events->log_thread = log_thread;
	presence_events->publish.message.handle = back;
	presence_events->publish.mailbox = mailbox;
	presence_events->publish.bytes = sizeof(*presence_events);
	presence_events->publish.group.appends = presence_events->appends;
	for (size_t i = 0; i < CHANGES; i++) {
		buf_init(&presence_events->data[i], DATA_MAX);
		if (buf_reserve(&presence_events->data[i], DATA_MAX) == NULL) {
			presence_events_free(presence_events);
			return NULL;
		}
	}
	return presence_events;
}

void presence_events_free(struct presence_events *presence_events)
{
	for (size_t i = 0; presence_events != NULL && i < CHANGES; i++)
		buf_free(&presence_events->data[i]);
	free(presence_events);
}

/* Make the event of change ${i}.  Its data has room. */
static void make_event(struct presence_events *presence_events, size_t i)
{
	const struct presence_change *change = &presence_events->changes[i];
	struct buf *data = &presence_events->data[i];

	data->len = 0;
	buf_add_text(data, "{\"name\":");
	json_quote(change->name, strlen(change->name), data);
	buf_addf(data, ",\"count\":%u}", change->count);
	presence_events->appends[i] = (struct store_append){.topic = change->topic,
		.own = true,
		.event = {.json = true,
			.ephemeral = true,
			.type = {change->joined ? "join" : "leave", change->joined ? 4 : 5},
			.data = {data->data, data->len}}};
}

/* Take what changed, as much as there is room for. */
static void collect(struct presence_events *presence_events, uint32_t now)
{
	size_t *count = &presence_events->publish.group.count;

	while (*count < CHANGES &&
		presence_change(presence_events->presence, now, &presence_events->changes[*count]))
		make_event(presence_events, (*count)++);
}

int presence_events_run(struct presence_events *presence_events, uint32_t now)
{
	/* What is under way wakes the loop when it is done. */
	if (presence_events->busy || log_thread_draining(presence_events->log_thread))
		return -1;
	collect(presence_events, now);
	if (presence_events->publish.group.count == 0)
		return presence_wait(presence_events->presence, now);
	presence_events->busy =
		log_thread_submit(presence_events->log_thread, &presence_events->publish);
	return presence_events->busy ? -1 : PAUSE_MS;
}

bool presence_events_busy(const struct presence_events *presence_events)
{
	return presence_events->busy;
}
