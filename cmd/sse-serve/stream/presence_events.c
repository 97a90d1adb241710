/* SPDX-License-Identifier: MIT */
/* Publishes joins and leaves; see herald.h. */
#include <stdlib.h>
#include <string.h>

#include "presence_events.h"
#include "json.h"

/* Changes in one publish. */
#define CHANGES 64

/*
 * More than an event's data takes, each byte of its name escaped.  It is had beforehand, since a
 * change that the roster has handed out must be told.
 */
#define DATA_MAX (64 + 6 * ROSTER_NAME_MAX)

/* When the log's queue is full: how long until the next try, ms. */
#define PAUSE_MS 20

struct herald {
	struct publish publish; /* first */
	struct roster *roster;
	struct commit *commit;
	bool busy; /* the events are with the log thread */
	struct store_append appends[CHANGES];
	struct roster_change changes[CHANGES]; /* whose topics they name */
	struct buf data[CHANGES];	       /* of the events */
};

static void back(struct message *message)
{
	struct herald *herald = (struct herald *)message;

	herald->busy = false;
	herald->publish.group.count = 0;
}

struct herald *herald_new(struct roster *roster, struct commit *commit, struct mailbox *mailbox)
{
	struct herald *herald = calloc(1, sizeof(*herald));

	if (herald == NULL)
		return NULL;
	herald->roster = roster;
	herald->commit = commit;
	herald->publish.message.handle = back;
	herald->publish.mailbox = mailbox;
	herald->publish.bytes = sizeof(*herald);
	herald->publish.group.appends = herald->appends;
	for (size_t i = 0; i < CHANGES; i++) {
		buf_init(&herald->data[i], DATA_MAX);
		if (buf_reserve(&herald->data[i], DATA_MAX) == NULL) {
			herald_free(herald);
			return NULL;
		}
	}
	return herald;
}

void herald_free(struct herald *herald)
{
	for (size_t i = 0; herald != NULL && i < CHANGES; i++)
		buf_free(&herald->data[i]);
	free(herald);
}

/* Make the event of change ${i}.  Its data has room. */
static void make_event(struct herald *herald, size_t i)
{
	const struct roster_change *change = &herald->changes[i];
	struct buf *data = &herald->data[i];

	data->len = 0;
	buf_add_text(data, "{\"name\":");
	json_quote(change->name, strlen(change->name), data);
	buf_addf(data, ",\"count\":%u}", change->count);
	herald->appends[i] = (struct store_append){.topic = change->topic,
		.event = {.json = true,
			.ephemeral = true,
			.type = {change->joined ? "join" : "leave", change->joined ? 4 : 5},
			.data = {data->data, data->len}}};
}

/* Take what changed, as much as there is room for. */
static void collect(struct herald *herald, uint32_t now)
{
	size_t *count = &herald->publish.group.count;

	while (*count < CHANGES && roster_change(herald->roster, now, &herald->changes[*count]))
		make_event(herald, (*count)++);
}

int herald_run(struct herald *herald, uint32_t now)
{
	/* What is under way wakes the loop when it is done. */
	if (herald->busy || commit_draining(herald->commit))
		return -1;
	collect(herald, now);
	if (herald->publish.group.count == 0)
		return roster_wait(herald->roster, now);
	herald->busy = commit_submit(herald->commit, &herald->publish);
	return herald->busy ? -1 : PAUSE_MS;
}

bool herald_busy(const struct herald *herald)
{
	return herald->busy;
}
