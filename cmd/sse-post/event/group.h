/* SPDX-License-Identifier: MIT */
/*
 * Events that wait to be sent, a group of them at a time.  A group owns all of its text in one
 * buffer; it is filled, sent from start to end, and reused.
 */
#ifndef GROUP_H
#define GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "sse.h"

/* The most that one event may hold, and so the longest line. */
#define EVENT_MAX ((size_t)64 << 20)

/* The longest key that sse-serve accepts. */
#define EVENT_KEY_MAX 255

enum event_kind {
	EVENT_JSON, /* one JSON value, without white space around it */
	EVENT_TEXT, /* UTF-8 */
	EVENT_FORM, /* application/x-www-form-urlencoded */
};

/* A piece of the group's text. */
struct piece {
	size_t at, len;
};

struct event {
	enum event_kind kind;
	struct piece data;
	struct piece type;    /* len 0: the server's default */
	struct piece subject; /* len 0: none */
	struct piece key;     /* printable ASCII; len 0: none */
	struct piece id;      /* its source resumes after this id; len 0: not known */
	struct piece topic;   /* of an event for /api, which names it; len 0: the URL does */
	uint64_t line; /* its number in the input, from 1; 0 if it is the only one, or from the
			      spool */
	bool alone;    /* see event_is_alone() */
};

struct group {
	struct event *all;
	size_t count, capacity;
	struct buf text;
	/* The id to resume the source after, if events after the last one were left out. */
	struct piece skipped_id;
};

/* group_init(group): an empty one.  group_free() releases it; it takes a struct of zeros. */
void group_init(struct group *group);
void group_free(struct group *group);

/* group_clear(group): remove all events, and keep the memory unless it is large. */
void group_clear(struct group *group);

/* group_put(group, text, len, piece): add text to the group.  False without memory. */
bool group_put(struct group *group, const char *text, size_t len, struct piece *piece);

/* group_add(group, event): add an event whose pieces are in the group.  False without memory. */
bool group_add(struct group *group, const struct event *event);

/* Of the events that close their topics, as sse-serve has them. */
#define EVENT_CLOSING_TYPE "closed"
#define EVENT_CLOSING_DATA "{}"

/*
 * event_closes(group, event):
 * Does it close its topic?  Then nothing of the topic can come after it.
 */
bool event_closes(const struct group *group, const struct event *event);

/* group_closes(group): does one of its events? */
bool group_closes(const struct group *group);

/*
 * event_is_alone(group, event):
 * Must the event be sent alone, not on a line of a batch?  A batch reads a string as text and has
 * one value on each line.  So a JSON string, JSON that contains line ends, and a form are sent
 * alone; each stays the same event under the same key however often it is sent.  An event that
 * names its topic is always sent on a line.
 */
bool event_is_alone(const struct group *group, const struct event *event);

/* group_text(group, piece): valid until the group is changed; never a NULL pointer. */
struct sse_text group_text(const struct group *group, struct piece piece);

#endif
